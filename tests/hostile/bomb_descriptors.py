"""
tries: to open files until no number is left
expect: error failed timeout
must_not: points

2,000 at most.
"""
import os


def double(x):
    held = []
    for _ in range(2000):
        held.append(os.open("/dev/null", os.O_RDONLY))
    return None
