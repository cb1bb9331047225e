"""
tries: to raise an exception whose __str__ loops and whose class lies about its name
expect: timeout error
must_not: points
"""


class Odd(Exception):
    def __str__(self):
        while True:
            pass


def draw_noise(n):
    raise Odd
