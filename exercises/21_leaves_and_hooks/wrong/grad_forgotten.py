"""misconception: no-grad-asked
fails: test_parameter

A float tensor is thought to be trainable as it is.
"""

import torch


def make_parameter(values, scale):
    return (values * scale).float()


def keeps_grad(tensors):
    return [t.requires_grad and (t.is_leaf or t.retains_grad) for t in tensors]


def hidden_gradients(inner, outer, x):
    h = inner(x)
    h.retain_grad()
    loss = outer(h)
    loss.backward()
    return h.grad, x.grad


def watch(t, log):
    return t.register_hook(lambda grad: log.append(grad))


def scaled_backward(loss_of, w, factor):
    handle = w.register_hook(lambda grad: grad * factor)
    try:
        loss = loss_of(w)
        loss.backward()
    finally:
        handle.remove()
