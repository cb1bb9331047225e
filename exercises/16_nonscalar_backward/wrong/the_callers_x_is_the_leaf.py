"""misconception: caller-marked
fails: test_jacobian, test_x_untouched

x must require grad, so it is told to; whose x it is was not asked.
"""

import torch


def slopes(f, x):
    x.requires_grad_()
    y = f(x)
    y.backward(gradient=torch.ones_like(y))
    return x.grad


def weighted_gradient(y, x, v):
    y.backward(gradient=v)
    return x.grad


def weighted_sum(y, weights):
    return (y * weights.reshape(y.shape)).sum()


def jacobian_row(f, x, i):
    x.requires_grad_()
    y = f(x)
    one_hot = torch.zeros_like(y).reshape(-1)
    one_hot[i] = 1
    y.backward(gradient=one_hot.reshape(y.shape))
    return x.grad


def jacobian(f, x):
    rows = []
    for i in range(len(f(x))):
        rows.append(jacobian_row(f, x, i))
    return torch.stack(rows)
