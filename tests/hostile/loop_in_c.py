"""
tries: to loop in C, where no signal handler of Python runs
expect: timeout
must_not: points

A regular expression that backtracks; it holds the interpreter's lock.
"""
import re


def draw_noise(n):
    re.match(r"(a+)+$", "a" * 34 + "b")
