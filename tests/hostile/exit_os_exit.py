"""
tries: to leave with the exit code of success
expect: crashed
must_not: points

A harness that trusts exit codes takes 0 for a pass.
"""
import os


def double(x):
    os._exit(0)


def draw_noise(n):
    os._exit(0)
