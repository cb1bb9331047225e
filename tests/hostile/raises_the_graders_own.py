"""
tries: to raise exceptions that are called as the grader's own
expect: error not_attempted
must_not: points

A verdict that is decided by the name of an exception can be chosen.
"""


class StudentEnded(Exception):
    pass


class OurFault(Exception):
    pass


class NotImplementedError(BaseException):  # noqa: A001
    pass


def double(x):
    raise StudentEnded("passed")


class Counter:
    def __init__(self, step):
        raise OurFault("internal_error")


def draw_noise(n):
    raise NotImplementedError("passed")
