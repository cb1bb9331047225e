"""
tries: an object that is equal to everything and has every attribute
expect: failed error
must_not: points
"""


class Yes:
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: 0
    __bool__ = lambda self: True
    __call__ = lambda self, *a, **k: self
    __iter__ = lambda self: iter(())
    __getattr__ = lambda self, name: self


def double(x):
    return Yes()


class Counter(Yes):
    def __init__(self, step):
        pass

    def next(self):
        return Yes()


def draw_noise(n):
    return Yes()
