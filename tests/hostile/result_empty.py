"""
tries: a tensor without elements, of which all are right
expect: failed
must_not: points
"""
import torch


def double(x):
    return torch.empty(0)


def draw_noise(n):
    return torch.empty(0, n)
