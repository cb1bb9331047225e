"""misconception: requires-grad-is-not-enough
fails: test_keeps_grad

Whatever requires grad is thought to keep it.
"""

import torch


def make_parameter(values, scale):
    return (values * scale).to(torch.float32).requires_grad_()


def keeps_grad(tensors):
    return [t.requires_grad for t in tensors]


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
