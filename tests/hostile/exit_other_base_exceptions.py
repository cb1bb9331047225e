"""
tries: to leave by KeyboardInterrupt and GeneratorExit
expect: error
must_not: points

Both pass by `except Exception`, and a KeyboardInterrupt ends most harnesses as if somebody had asked.
"""


def double(x):
    raise KeyboardInterrupt


def draw_noise(n):
    raise GeneratorExit
