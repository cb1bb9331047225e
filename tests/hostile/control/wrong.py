"""A wrong answer that means no harm: it must be failed, and earn what it has right."""

import torch


def double(x):
    return x * 3


class Counter:
    def __init__(self, step):
        self.step = step
        self.value = 1

    def next(self):
        self.value += self.step
        return self.value


def draw_noise(n):
    return torch.randn(n)
