"""
tries: to end the zygote without a signal: by its limits, its processors, its priority
expect: failed
must_not: points

Only the verified parent. What is set there is set back to what it was, or is no harm.
"""
import ctypes
import os
import resource
import sys


def double(x):
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    pid = os.getppid()
    if spec is None or spec.name != "grader.sandbox.zygote" or pid <= 1:
        return None
    for attempt in (
        lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)),
        lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)),
        lambda: os.sched_setaffinity(pid, {max(os.sched_getaffinity(pid))}),
        lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
        lambda: ctypes.CDLL(None).ptrace(16, pid, 0, 0),
    ):
        try:
            attempt()
        except OSError:
            pass
    return None
