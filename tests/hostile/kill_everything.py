"""
tries: to kill every process there is
expect: failed crashed error
must_not: points

Only where the processes that can be reached are this run's: the parent is the zygote and is process 2, which no
zygote is outside a process namespace of bubblewrap's, the folder is the one that only bubblewrap makes, and what
can be read of process 1 does not say otherwise.
"""
import os
import signal
import sys


def private():
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is None or spec.name != "grader.sandbox.zygote":
        return False
    if os.getppid() != 2 or os.getpid() > 30_000 or not os.getcwd().startswith("/scratch/"):
        return False
    try:
        with open("/proc/1/cmdline", "rb") as file:
            return b"bwrap" in file.read()
    except OSError:
        return True


def double(x):
    if private():
        os.kill(-1, signal.SIGKILL)
    return None
