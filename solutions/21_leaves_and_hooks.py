import torch


def make_parameter(values, scale):
    # All arithmetic first, requires_grad last: what an operation returns after that is no leaf any more.
    return (values * scale).to(torch.float32).requires_grad_()


def keeps_grad(tensors):
    # is_leaf alone is not enough: plain data counts as a leaf too.
    return [t.requires_grad and (t.is_leaf or t.retains_grad) for t in tensors]


def hidden_gradients(inner, outer, x):
    h = inner(x)
    h.retain_grad()  # before backward, and on the very tensor that goes on into the loss
    outer(h).backward()
    return h.grad, x.grad


def watch(t, log):
    # log.append is the hook: called with each gradient, it returns None, so the gradient goes on unchanged.
    return t.register_hook(log.append)


def scaled_backward(loss_of, w, factor):
    # A handle removes its hook at the end of a with block, also when an error ends it. The hook returns a new
    # tensor: the one that it is given may be on its way to other leaves as well.
    with w.register_hook(lambda gradient: gradient * factor):
        loss_of(w).backward()
