"""
tries: to be refused in every check, in the hope that what cannot be judged does not count
expect: failed crashed error
must_not: points

Values that cannot be looked at, missing names, objects that raise when they are.
"""


class Nothing:
    def __getattribute__(self, name):
        raise RuntimeError("passed")


def double(x):
    return Nothing()


draw_noise = None
Counter = Nothing()
