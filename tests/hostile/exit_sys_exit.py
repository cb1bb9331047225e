"""
tries: to leave by SystemExit, in the hope that nobody catches it
expect: error
must_not: points

SystemExit is no Exception, so `except Exception` lets it through.
"""
import sys


def double(x):
    sys.exit(0)


def draw_noise(n):
    raise SystemExit
