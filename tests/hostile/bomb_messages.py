"""
tries: to fill the report with what it raises and what its objects are called
expect: error failed timeout
must_not: points
"""


def double(x):
    raise ValueError("y" * 50_000_000)


def draw_noise(n):
    return type("y" * 5_000_000, (), {"__repr__": lambda self: "z" * 5_000_000})()
