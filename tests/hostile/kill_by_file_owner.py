"""
tries: to have the kernel send a signal to the zygote, as the owner of a file's events
expect: failed
must_not: points

F_SETOWN and F_SETSIG name who is told that a pipe can be read, and with which signal. Only the verified parent.
"""
import fcntl
import os
import signal
import sys


def double(x):
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    pid = os.getppid()
    if spec is None or spec.name != "grader.sandbox.zygote" or pid <= 1:
        return None
    source, sink = os.pipe()
    try:
        fcntl.fcntl(source, fcntl.F_SETOWN, pid)
        fcntl.fcntl(source, 10, int(signal.SIGTERM))  # F_SETSIG
        fcntl.fcntl(source, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(sink, b"x")
    except OSError:
        pass
    return None
