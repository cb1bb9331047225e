"""A right answer. What it earns among the attacks must be what it earns alone."""

import torch


def double(x):
    return x * 2


class Counter:
    def __init__(self, step):
        self.step = step
        self.value = -step

    def next(self):
        self.value += self.step
        return self.value


def draw_noise(n):
    return torch.randn(n)
