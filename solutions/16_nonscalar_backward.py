import torch


def slopes(f, x):
    leaf = x.clone().requires_grad_()  # a leaf of our own: the caller's x keeps its flag and its .grad
    y = f(leaf)
    # Each y depends on its own x alone, so the ones add up nothing but zeros to each slope.
    y.backward(gradient=torch.ones_like(y))
    return leaf.grad


def weighted_gradient(y, x, v):
    y.backward(gradient=v)  # v @ J, without ever building J
    return x.grad


def weighted_sum(y, weights):
    # One shape for both before the product: (N, 1) * (N,) would broadcast to (N, N) and say nothing.
    return (y * weights.reshape(y.shape)).sum()


def jacobian_row(f, x, i):
    leaf = x.clone().requires_grad_()
    y = f(leaf)
    one_hot = torch.zeros_like(y).reshape(-1)  # zeros_like: y's dtype and y's device
    one_hot[i] = 1
    y.backward(gradient=one_hot.reshape(y.shape))
    return leaf.grad


def jacobian(f, x):
    # A fresh leaf and a fresh graph for each row: nothing adds up, and no graph is used twice.
    return torch.stack([jacobian_row(f, x, i) for i in range(len(f(x)))])
