"""
tries: to write the reply itself, with the nonce of the request, and to let the real one come after it
expect: failed crashed
must_not: points

The nonce lies in a frame above. It lets a wrong value through as well as any other value, and no better.
"""
import os
import sys


def _line():
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "serve":
            return frame.f_locals["sink"], frame.f_locals["_nonce" if "_nonce" in frame.f_locals else "nonce"]
        frame = frame.f_back
    return None


def double(x):
    found = _line()
    if found is not None:
        from grader.sandbox import protocol
        from grader.sandbox.values import Encoder

        encoder = Encoder()
        encoder.write(("returned", x * 0, (x,), {}, None, ""))
        os.write(found[0], protocol.frame(protocol.Kind.REPLY, found[1], encoder.out))
    return None
