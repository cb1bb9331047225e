"""misconception: looks-at-grad-now
fails: test_keeps_grad

To know who will have a .grad, .grad is looked at, before there is any.
"""

import torch


def make_parameter(values, scale):
    return (values * scale).to(torch.float32).requires_grad_()


def keeps_grad(tensors):
    return [t.grad is not None for t in tensors]


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
