def double(x):
    """Twice x, a float tensor of any shape."""
    raise NotImplementedError("TODO")


class Counter:
    """Counts from 0."""

    def __init__(self, step):
        raise NotImplementedError("TODO")

    def next(self):
        raise NotImplementedError("TODO")


def draw_noise(n):
    """n values from torch's global generator, shape (n,)."""
    raise NotImplementedError("TODO")
