"""
tries: a set of a hundred thousand numbers with one hash, which takes minutes to build
expect: failed crashed timeout
must_not: points

The bytes are written here without building it, so the time is the judge's.
"""
import struct
import sys


def double(x):
    session = sys.modules["grader.sandbox.session"]

    def forged(encoder, reply):
        encoder.out += b"t" + struct.pack("<I", 6)
        encoder.write("returned")
        count, prime = 100_000, 2**61 - 1
        encoder.out += b"e" + struct.pack("<I", count)
        for number in range(1, count + 1):
            encoder.out += b"I" + struct.pack("<I", 12) + (number * prime).to_bytes(12, "little")
        for part in ((x,), {}, None, ""):
            encoder.write(part)
        return bytes(encoder.out)

    session._encode_reply = forged
    return None
