"""
tries: bytes that are no frame
expect: crashed
must_not: points
"""
import os
import sys


def double(x):
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "serve":
        frame = frame.f_back
    if frame is not None:
        os.write(frame.f_locals["sink"], b"\x80\x05cos\nsystem\n(S'true'\ntR." * 100)
    return None
