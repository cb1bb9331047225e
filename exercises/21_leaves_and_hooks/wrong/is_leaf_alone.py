"""misconception: data-is-leaf-too
fails: test_keeps_grad

Leaves are the tensors that get gradients, so is_leaf is asked and nothing else.
"""

import torch


def make_parameter(values, scale):
    return (values * scale).to(torch.float32).requires_grad_()


def keeps_grad(tensors):
    return [t.is_leaf for t in tensors]


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
