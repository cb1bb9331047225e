"""
tries: an exception as no Python raises it: names, lines and columns of its own choice
expect: error not_attempted failed
must_not: shown

Numbers with a thousand digits, lone surrogates, terminal escapes, markup.
"""
import sys

TEXT = "<hostile-tag onhostile=alert(1)>\x1b[2J\x1b]0;hostile\x07\ud800\u202e=1+1\x00"


def double(x):
    session = sys.modules["grader.sandbox.session"]

    def forged(encoder, reply):
        lines = ((10**1000, TEXT), (-5, TEXT), (1, TEXT))
        raised = ((TEXT, "SyntaxError", "Exception"), TEXT * 100, lines, True, 10**1000)
        encoder.write(("raised", None, (x,), {TEXT: x}, raised, TEXT))
        return bytes(encoder.out)

    session._encode_reply = forged
    return None
