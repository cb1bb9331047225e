"""torch.autograd.grad instead of .grad, and one graph that is kept for all rows of the Jacobian; with type hints."""

from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


def slopes(f: Function, x: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    y = f(x)
    (gradient,) = torch.autograd.grad(y, x, grad_outputs=torch.ones_like(y))
    return gradient


def weighted_gradient(y: Tensor, x: Tensor, v: Tensor) -> Tensor:
    return torch.autograd.grad(y, x, v)[0]


def weighted_sum(y: Tensor, weights: Tensor) -> Tensor:
    total = torch.zeros((), dtype=y.dtype, device=y.device)
    for element, weight in zip(y.reshape(-1), weights, strict=True):
        total = total + element * weight
    return total


def jacobian_row(f: Function, x: Tensor, i: int) -> Tensor:
    x = x.detach().requires_grad_()
    y = f(x)
    v = torch.zeros_like(y)
    v.view(-1)[i] = 1
    y.backward(v)
    assert x.grad is not None
    return x.grad


def jacobian(f: Function, x: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    y = f(x)
    rows = []
    for v in torch.eye(len(y), dtype=y.dtype, device=y.device):
        x.grad = None
        y.backward(gradient=v, retain_graph=True)
        rows.append(x.grad)
    return torch.stack(rows)
