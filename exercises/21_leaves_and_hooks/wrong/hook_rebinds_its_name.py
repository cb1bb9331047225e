"""misconception: hook-without-effect
fails: test_scaled_pass

The hook gives its own name grad another value, which nobody sees.
"""

import torch


def make_parameter(values, scale):
    return (values * scale).to(torch.float32).requires_grad_()


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
    def hook(grad):
        grad = grad * factor

    handle = w.register_hook(hook)
    try:
        loss_of(w).backward()
    finally:
        handle.remove()
