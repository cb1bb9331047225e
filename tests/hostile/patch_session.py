"""
tries: to make the sandbox's own end say that all is well
expect: crashed failed
must_not: points

The reply is written by code in this process, and so can be written otherwise; only a right value helps.
"""
import sys

from grader.core import exchange


def double(x):
    session = sys.modules["grader.sandbox.session"]
    old = session._encode_reply

    def new(encoder, reply):
        encoder.write(("passed", True, (), {}, None, "", 0.0))
        return bytes(encoder.out)

    session._encode_reply = new if old is not None else old
    exchange.Outcome = None
    return None
