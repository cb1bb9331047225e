"""
tries: to overflow the stack, in Python and in C
expect: crashed error timeout
must_not: points
"""
import sys


def double(x):
    sys.setrecursionlimit(10**9)

    def deeper(n):
        return deeper(n + 1) + 1

    return deeper(0)


def draw_noise(n):
    deep = []
    for _ in range(300_000):
        deep = [deep]
    return repr(deep)
