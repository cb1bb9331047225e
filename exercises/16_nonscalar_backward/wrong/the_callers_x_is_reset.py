"""misconception: caller-marked
fails: test_jacobian, test_x_untouched

x must require grad, so it is told to; resetting its .grad each time keeps the answers right, but x is marked for good.
"""

import torch


def slopes(f, x):
    x.requires_grad_(True)
    x.grad = None
    y = f(x)
    y.backward(gradient=torch.ones_like(y))
    return x.grad


def weighted_gradient(y, x, v):
    y.backward(gradient=v)
    return x.grad


def weighted_sum(y, weights):
    return (y * weights.reshape(y.shape)).sum()


def jacobian_row(f, x, i):
    x.requires_grad_(True)
    x.grad = None
    f(x).reshape(-1)[i].backward()
    return x.grad


def jacobian(f, x):
    rows = []
    for i in range(len(f(x))):
        rows.append(jacobian_row(f, x, i))
    return torch.stack(rows)
