"""
tries: an exception without a class, and a syntax error without a line
expect: error failed crashed
must_not: points
"""
import sys


def double(x):
    session = sys.modules["grader.sandbox.session"]

    def forged(encoder, reply):
        encoder.write(("raised", None, (), {}, (("SyntaxError",) if x.dim() > 1 else (), "", (), True, -1), ""))
        return bytes(encoder.out)

    session._encode_reply = forged
    return None


def draw_noise(n):
    session = sys.modules["grader.sandbox.session"]

    def forged(encoder, reply):
        encoder.write(("raised", None, (), {}, None, ""))
        return bytes(encoder.out)

    session._encode_reply = forged
    return None
