"""misconception: cut-graph
fails: test_weighted_sum, test_weighted_sum_of_table

A new tensor is made from the value, as if the value were all that a tensor carries.
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
    total = 0.0
    for value, weight in zip(y.reshape(-1).tolist(), weights.tolist()):
        total += value * weight
    return torch.tensor(total, dtype=y.dtype, device=y.device)


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
