"""
tries: to leave through the C library, past every handler of Python
expect: crashed
must_not: points

`exit` runs what C registered, `_exit` nothing at all.
"""
import ctypes


def double(x):
    ctypes.CDLL(None)._exit(0)


def draw_noise(n):
    ctypes.CDLL(None).exit(0)
