"""
tries: NaN, which compares unequal to everything and slips through `max(abs(a - b)) > tolerance`
expect: failed
must_not: points
"""
import torch


def double(x):
    return torch.full_like(x, float("nan"))


class Counter:
    def __init__(self, step):
        pass

    def next(self):
        return float("nan")


def draw_noise(n):
    return torch.full((n,), float("nan"))
