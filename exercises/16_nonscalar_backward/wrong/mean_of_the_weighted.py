"""misconception: mean-for-sum
fails: test_slopes, test_weighted_gradient, test_weighted_sum, test_weighted_sum_of_table

Weights are used, but the number is made with .mean(), out of habit from losses.
"""

import torch


def slopes(f, x):
    leaf = x.clone().requires_grad_()
    f(leaf).mean().backward()
    return leaf.grad


def weighted_gradient(y, x, v):
    (y * v).mean().backward()
    return x.grad


def weighted_sum(y, weights):
    return (y * weights.reshape(y.shape)).mean()


def jacobian_row(f, x, i):
    leaf = x.clone().requires_grad_()
    y = f(leaf)
    one_hot = torch.zeros_like(y).reshape(-1)
    one_hot[i] = 1
    y.backward(gradient=one_hot.reshape(y.shape))
    return leaf.grad


def jacobian(f, x):
    rows = []
    for i in range(len(f(x))):
        rows.append(jacobian_row(f, x, i))
    return torch.stack(rows)
