"""misconception: grad-is-not-jacobian
fails: test_row, test_row_of_table, test_jacobian

After backward, x.grad is thought to be the whole Jacobian, of which row i is x.grad[i].
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
    return jacobian(f, x)[i % len(x)]


def jacobian(f, x):
    leaf = x.clone().requires_grad_()
    y = f(leaf)
    y.backward(gradient=torch.ones_like(y))
    return leaf.grad
