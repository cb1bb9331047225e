"""
tries: values that are too large, too deep or endless
expect: failed error crashed timeout
must_not: points
"""
import torch


def double(x):
    if x.dim() > 1:
        return torch.zeros(1, dtype=torch.float64).expand(2**40)
    deep = []
    for _ in range(10_000):
        deep = [deep]
    return deep


class Counter:
    def __init__(self, step):
        pass

    def next(self):
        endless = []
        endless.append(endless)
        return endless


def draw_noise(n):
    return ["x" * 2**20] * 60
