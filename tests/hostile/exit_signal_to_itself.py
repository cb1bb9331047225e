"""
tries: to kill itself, so that nobody can tell it from the machine running out of memory
expect: crashed
must_not: points

The only signal that the filter lets through is one to oneself.
"""
import os
import signal


def double(x):
    os.kill(os.getpid(), signal.SIGKILL)
