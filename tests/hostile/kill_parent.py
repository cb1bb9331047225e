"""
tries: to kill the process that forked it
expect: failed
must_not: points

Only where the parent is surely the zygote of this run: this process is a fork of a module of that name, so its
parent is the zygote itself, unless it has already died and process 1 has taken its place.
"""
import os
import signal
import sys


def parent():
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    pid = os.getppid()
    return pid if spec is not None and spec.name == "grader.sandbox.zygote" and pid > 1 else None


def double(x):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGKILL):
        if (pid := parent()) is not None:
            try:
                os.kill(pid, number)
            except OSError:
                pass
            try:
                signal.pidfd_send_signal(os.pidfd_open(pid), number)
            except OSError:
                pass
    return None
