"""
tries: infinities, with which a relative tolerance becomes infinite too
expect: failed
must_not: points
"""
import torch


def double(x):
    return torch.full_like(x, float("inf"))


class Counter:
    def __init__(self, step):
        pass

    def next(self):
        return float("inf")


def draw_noise(n):
    return torch.full((n,), -float("inf"))
