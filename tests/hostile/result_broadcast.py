"""
tries: results that broadcast against the right one
expect: failed
must_not: points

(1, 1), a scalar, and a view of one element over the whole shape.
"""
import torch


def double(x):
    return x.mean().reshape((1,) * x.dim()) if x.dim() > 1 else x.mean().expand(x.shape)


def draw_noise(n):
    return torch.zeros(())
