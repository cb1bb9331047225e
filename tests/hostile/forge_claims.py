"""
tries: to claim a shape and a dtype that the bytes of the value do not have
expect: crashed failed
must_not: points

An empty value under the right shape would be right in all of its elements.
"""
import struct
import sys


def double(x):
    session = sys.modules["grader.sandbox.session"]

    def forged(encoder, reply):
        encoder.out += b"t" + struct.pack("<I", 6)
        encoder.write("returned")
        dims = x.dim()
        encoder.out += b"X" + bytes((8, 0, dims)) + struct.pack(f"<{dims}Q{dims}q", *x.shape, *x.stride())
        encoder.text("cpu\0Tensor\0")
        encoder.out += struct.pack("<Q", 0)
        for part in ((), {}, None, ""):
            encoder.write(part)
        return bytes(encoder.out)

    session._encode_reply = forged
    return None
