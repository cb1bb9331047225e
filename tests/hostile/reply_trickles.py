"""
tries: to keep the judge waiting with a byte now and then
expect: timeout
must_not: points

The deadline is the request's, not the read's.
"""
import os
import struct
import sys
import time


def draw_noise(n):
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "serve":
        frame = frame.f_back
    if frame is None:
        return None
    sink = frame.f_locals["sink"]
    os.write(sink, struct.pack("<4sB3sQI", b"AGB1", 3, b"\0\0\0", 0, 1000))
    for _ in range(60):
        os.write(sink, b"\0")
        time.sleep(0.1)
    return None
