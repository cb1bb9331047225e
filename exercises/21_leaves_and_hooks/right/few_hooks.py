"""As little as can be left behind: autograd.grad, and a hook on a stand-in for w that dies with the pass."""

import torch


def make_parameter(values, scale):
    parameter = torch.empty(values.shape, dtype=torch.float32, device=values.device)
    parameter.copy_(values).mul_(scale)
    parameter.requires_grad = True
    return parameter


def keeps_grad(tensors):
    def kept(t):
        if t.is_leaf:
            return t.requires_grad
        return t.retains_grad

    return list(map(kept, tensors))


def hidden_gradients(inner, outer, x):
    h = inner(x)
    of_h, of_x = torch.autograd.grad(outer(h), (h, x))
    return of_h, of_x


def watch(t, log):
    def hook(gradient):
        log.extend([gradient.detach().clone()])
        return gradient

    return t.register_hook(hook)


def scaled_backward(loss_of, w, factor):
    stand_in = w.view_as(w)  # no leaf: what arrives here goes on to w
    stand_in.register_hook(lambda gradient: factor * gradient)
    loss_of(stand_in).backward()
