"""
tries: lists that say they have four thousand million items, and nesting without end
expect: crashed timeout
must_not: points
"""
import struct
import sys


def double(x):
    session = sys.modules["grader.sandbox.session"]
    forged = b"t" + struct.pack("<I", 2**32 - 1) if x.dim() > 1 else b"l\x01\0\0\0" * 100_000
    session._encode_reply = lambda encoder, reply: forged
    return None
