"""Never passes gradient=: every question is first made one number, by a sum or by picking one element."""

import torch


def slopes(f, x):
    own = torch.empty_like(x).copy_(x)
    own.requires_grad = True
    f(own).sum().backward()
    return own.grad


def weighted_gradient(y, x, v):
    weighted_sum(y, v.flatten()).backward()
    return x.grad.clone()


def weighted_sum(y, weights):
    return torch.dot(y.flatten(), weights)


def jacobian_row(f, x, i):
    own = x.detach().clone().requires_grad_(True)
    picked = f(own).flatten()[i]
    picked.backward()
    return own.grad


def jacobian(f, x):
    count = f(x).numel()
    table = torch.zeros(count, x.numel(), dtype=x.dtype, device=x.device)
    for i in range(count):
        table[i] = jacobian_row(f, x, i)
    return table
