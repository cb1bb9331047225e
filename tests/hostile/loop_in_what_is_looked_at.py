"""
tries: to loop not in the call but in what looks at its result: __repr__, __len__, properties, __class__
expect: timeout failed
must_not: points
"""


class Slow:
    def __repr__(self):
        while True:
            pass

    @property
    def __class__(self):
        while True:
            pass


def draw_noise(n):
    return Slow()
