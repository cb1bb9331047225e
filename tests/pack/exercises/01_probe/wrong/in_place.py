"""misconception: in-place
fails: test_double, test_scene

A made-up wrong answer.
"""

import torch


def double(x):
    x *= 2
    return x


class Counter:
    def __init__(self, step):
        self.step = step
        self.value = 0

    def next(self):
        value = self.value
        self.value += self.step
        return value


def draw_noise(n):
    return torch.randn(n)
