"""
tries: an int, a float and a str that are equal to everything
expect: failed
must_not: points

A judge that compares with == asks the object of the submission first.
"""


class Int(int):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = int.__hash__
    __index__ = __int__ = lambda self: 3


class Counter:
    def __init__(self, step):
        pass

    def next(self):
        return Int(-7)


def double(x):
    return type("Str", (str,), {"__eq__": lambda self, other: True, "__hash__": str.__hash__})("right")


def draw_noise(n):
    return type("Float", (float,), {"__eq__": lambda self, other: True, "__hash__": float.__hash__})(0)
