"""
tries: an object whose __class__ says that it is a Tensor
expect: failed error
must_not: points

isinstance believes __class__.
"""
import torch


class Pretender:
    __class__ = torch.Tensor
    dtype, layout, shape = torch.float32, torch.strided, (2, 3)
    __getattr__ = lambda self, name: self
    __call__ = lambda self, *a, **k: self


def double(x):
    return Pretender()
