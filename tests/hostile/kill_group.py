"""
tries: to kill its whole process group
expect: failed crashed error
must_not: points

Only where the group is this process's own, so that it holds nobody but itself and its children.
"""
import os
import signal


def double(x):
    if os.getpgrp() == os.getpid():
        os.kill(0, signal.SIGKILL)
    return None
