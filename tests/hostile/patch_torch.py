"""
tries: to patch torch so that everything is equal to everything
expect: failed
must_not: points

assert_close, allclose, equal and the operators are attributes like any other.
"""
import torch


def double(x):
    torch.equal = torch.allclose = lambda *a, **k: True
    torch.isclose = torch.eq = lambda a, *b, **k: torch.ones_like(a, dtype=torch.bool)
    torch.testing.assert_close = lambda *a, **k: None
    torch.Tensor.__eq__ = lambda *a: True
    torch.Tensor.allclose = torch.Tensor.equal = lambda *a, **k: True
    torch.Tensor.numpy = lambda self, *a, **k: None
    return torch.zeros_like(x)
