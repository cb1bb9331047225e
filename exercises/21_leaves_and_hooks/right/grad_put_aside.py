"""No changing hook at all: the earlier gradient is put aside, and the new one is scaled before they are added."""

import torch


def make_parameter(values, scale):
    w = values.detach().clone().to(torch.float32)
    w = w * scale
    w.requires_grad_(True)
    assert w.is_leaf
    return w


def keeps_grad(tensors):
    return [bool(t.requires_grad and (t.grad_fn is None or t.retains_grad)) for t in tensors]


def hidden_gradients(inner, outer, x):
    hidden = inner(x)
    hidden.retain_grad()
    loss = outer(hidden)
    loss.backward(torch.ones_like(loss))
    return hidden.grad.clone(), x.grad.clone()


def watch(t, log):
    return t.register_hook(log.append)


def scaled_backward(loss_of, w, factor):
    earlier = w.grad
    w.grad = None
    try:
        loss_of(w).backward()
        scaled = w.grad * factor
        w.grad = scaled if earlier is None else earlier + scaled
    except BaseException:
        w.grad = earlier
        raise
