"""
tries: to end by SIGABRT, as a failed assertion in C does
expect: crashed
must_not: points

Bounded: it ends this process only, and writes no core file where the limit for them is 0.
"""
import os
import resource

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def double(x):
    os.abort()
