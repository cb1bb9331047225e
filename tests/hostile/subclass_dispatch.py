"""
tries: a Tensor that lies about itself beneath __torch_function__, in __torch_dispatch__
expect: failed error crashed
must_not: points
"""
import torch


class Liar(torch.Tensor):
    @staticmethod
    def __new__(cls, x):
        return torch.Tensor._make_wrapper_subclass(cls, x.shape, dtype=x.dtype)

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return torch.zeros(())


def double(x):
    return Liar(x)
