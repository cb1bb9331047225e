"""misconception: log-assigned
fails: test_watch, test_watch_ends

log = log + ... in the hook is thought to make the caller's list longer.
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
    def hook(grad):
        log = log + [grad]

    return t.register_hook(hook)


def scaled_backward(loss_of, w, factor):
    handle = w.register_hook(lambda grad: grad * factor)
    try:
        loss = loss_of(w)
        loss.backward()
    finally:
        handle.remove()
