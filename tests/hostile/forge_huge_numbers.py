"""
tries: integers of four thousand bits where small ones belong, in results and in claims about arguments
expect: failed error
must_not: points

They fit no float: a comparison that does not expect it raises OverflowError in the judge.
"""
import sys


class Counter:
    def __init__(self, step):
        session = sys.modules["grader.sandbox.session"]
        old = session._encode_reply

        def forged(encoder, reply):
            from dataclasses import replace

            return old(encoder, replace(reply, args=(1 << 4000,)))

        session._encode_reply = forged

    def next(self):
        raise ValueError("after a reply that cannot be compared")


def draw_noise(n):
    return 1 << 4000
