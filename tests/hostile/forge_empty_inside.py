"""
tries: a tensor with a dimension of 0 and others beyond every bound
expect: crashed failed
must_not: points
"""
import struct
import sys


def double(x):
    session = sys.modules["grader.sandbox.session"]

    def forged(encoder, reply):
        encoder.out += b"t" + struct.pack("<I", 6)
        encoder.write("returned")
        encoder.out += b"X" + bytes((8, 0, 3)) + struct.pack("<3Q3q", 0, 2**62, 2**40, 1, -(2**63), 2**63 - 1)
        encoder.text("cpu\0Tensor\0")
        encoder.out += struct.pack("<Q", 0)
        for part in ((), {}, None, ""):
            encoder.write(part)
        return bytes(encoder.out)

    session._encode_reply = forged
    return None
