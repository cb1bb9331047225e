"""misconception: whole-row-of-ones
fails: test_row_of_table

y[i] was not a scalar, so it was summed until it was one.
"""

import torch


def slopes(f, x):
    leaf = x.clone().requires_grad_()
    y = f(leaf)
    y.backward(gradient=torch.ones_like(y))
    return leaf.grad


def weighted_gradient(y, x, v):
    y.backward(gradient=v)
    return x.grad


def weighted_sum(y, weights):
    return (y * weights.reshape(y.shape)).sum()


def jacobian_row(f, x, i):
    leaf = x.clone().requires_grad_()
    f(leaf)[i].sum().backward()
    return leaf.grad


def jacobian(f, x):
    rows = []
    for i in range(len(f(x))):
        rows.append(jacobian_row(f, x, i))
    return torch.stack(rows)
