"""
tries: to break the interpreter: a code object that makes no sense
expect: crashed error
must_not: points
"""


def double(x):
    def f():
        pass

    f.__code__ = f.__code__.replace(co_code=b"\xff\x00" * 50, co_stacksize=1)
    return f()
