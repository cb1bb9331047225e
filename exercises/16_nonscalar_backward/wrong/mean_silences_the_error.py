"""misconception: weights-ignored
fails: test_weighted_gradient, test_weighted_sum, test_weighted_sum_of_table

The error says that a scalar is wanted, so .mean() makes one, as losses do; the weights are forgotten on the way.
"""

import torch


def slopes(f, x):
    leaf = x.clone().requires_grad_()
    y = f(leaf)
    y.backward(gradient=torch.ones_like(y))
    return leaf.grad


def weighted_gradient(y, x, v):
    y.mean().backward()
    return x.grad


def weighted_sum(y, weights):
    return y.mean()


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
