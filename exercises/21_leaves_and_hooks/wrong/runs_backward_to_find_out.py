"""misconception: runs-backward
fails: test_keeps_grad

The surest way to know is thought to be to run backward and look.
"""

import torch


def make_parameter(values, scale):
    return (values * scale).to(torch.float32).requires_grad_()


def keeps_grad(tensors):
    loss = sum(t.sum() for t in tensors)
    loss.backward(retain_graph=True)
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
