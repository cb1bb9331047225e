"""
tries: an integer that fits no float, so that comparing it fails in the judge and not here
expect: failed
must_not: points

"Needs regrading" is better than a zero, for who has nothing else.
"""


class Counter:
    def __init__(self, step):
        pass

    def next(self):
        return 1 << 4000


def double(x):
    return -(1 << 4000)
