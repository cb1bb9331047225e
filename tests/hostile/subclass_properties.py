"""
tries: a Tensor whose shape, dtype, is_leaf, numpy and data_ptr are its own inventions
expect: failed error
must_not: points
"""
import torch


class Liar(torch.Tensor):
    shape = property(lambda self: (2, 3))
    dtype = property(lambda self: torch.float32)
    is_leaf = property(lambda self: True)
    requires_grad = property(lambda self: False)
    data_ptr = lambda self: 0
    numpy = tolist = lambda self, *a: []
    __repr__ = lambda self: "tensor(right)"


def double(x):
    return torch.zeros(0).as_subclass(Liar)
