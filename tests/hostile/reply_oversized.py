"""
tries: a reply that says it has four gigabytes, and begins to send them
expect: crashed
must_not: points

Sends 64 MB at most.
"""
import os
import struct
import sys


def double(x):
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "serve":
        frame = frame.f_back
    if frame is None:
        return None
    sink = frame.f_locals["sink"]
    os.write(sink, struct.pack("<4sB3sQI", b"AGB1", 3, b"\0\0\0", 0, 2**32 - 1))
    for _ in range(64):
        os.write(sink, bytes(2**20))
    return None
