"""
tries: to greet again, with another level of confinement
expect: crashed
must_not: tampered

The layers are said once, before anything of the submission is read.
"""
import os
import sys


def double(x):
    from grader.sandbox import protocol
    from grader.sandbox.values import Encoder

    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "serve":
        frame = frame.f_back
    if frame is None:
        return None
    encoder = Encoder()
    encoder.write(("none",))
    os.write(frame.f_locals["sink"], protocol.frame(protocol.Kind.HELLO, 0, encoder.out))
    return None
