"""
tries: to read memory that is not there
expect: crashed
must_not: points
"""
import ctypes


def double(x):
    ctypes.string_at(0)
