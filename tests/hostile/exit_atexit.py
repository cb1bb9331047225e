"""
tries: to speak last, from atexit, and to leave with success
expect: error crashed
must_not: points

What runs at the interpreter's end may overwrite what a harness has printed.
"""
import atexit
import os
import sys


def _last():
    print('{"passed": true, "score": 6.0}')
    os._exit(0)


atexit.register(_last)


def double(x):
    sys.exit(0)
