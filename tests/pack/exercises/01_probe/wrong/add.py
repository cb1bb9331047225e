"""misconception: add-for-double
fails: test_double, test_scene

A made-up wrong answer.
"""

import torch


def double(x):
    return x + 2


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
