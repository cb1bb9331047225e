"""Prints a megabyte on the way to the right answer, as people do who look for a mistake."""

import sys

import torch

print("loading")


def double(x):
    for number in range(10_000):
        print(f"step {number}: the tensor has the shape {tuple(x.shape)} and looks fine so far, I think, or does it?")
    print("warning: nothing is wrong", file=sys.stderr)
    return x * 2


class Counter:
    def __init__(self, step):
        print("=" * 79)
        self.step = step
        self.value = -step

    def next(self):
        print("\x1b[32mnext\x1b[0m", self.value)
        self.value += self.step
        return self.value


def draw_noise(n):
    return torch.randn(n)
