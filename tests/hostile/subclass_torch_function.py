"""
tries: a Tensor whose __torch_function__ answers True to every question
expect: failed error
must_not: points

With it, torch.testing.assert_close(zeros, ones) passes.
"""
import torch


class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


def double(x):
    return torch.zeros_like(x).as_subclass(Yes)


def draw_noise(n):
    return torch.zeros(n).as_subclass(Yes)
