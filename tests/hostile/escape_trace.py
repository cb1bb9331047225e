"""
tries: to be traced by, and to trace, the zygote
expect: failed
must_not: said

Only the verified parent, which is let go at once.
"""
import ctypes
import os
import sys


def double(x):
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    pid = os.getppid()
    if spec is None or spec.name != "grader.sandbox.zygote" or pid <= 1:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(0x4206, pid, None, None) == 0:  # PTRACE_SEIZE, which does not stop it
        print("@SAID@"[::-1], "seized the parent")
        libc.ptrace(17, pid, None, None)
    return None
