"""
tries: replies with outcomes and words that only the judge may use
expect: crashed
must_not: points
"""
import sys


def double(x):
    session = sys.modules["grader.sandbox.session"]

    def forged(encoder, reply):
        encoder.write(("passed", {"status": "passed", "points": 6.0}, (x,), {}, None, "passed"))
        return bytes(encoder.out)

    session._encode_reply = forged
    return None
