"""The graphs that the learner's functions are put into. Every number in them is drawn by the check.

Arguments stand where the called function has them, so that "changed its argument 2" means the learner's second one.
"""

import torch

# -- make_parameter


def train(answer, values, scale, batches, cotangents, rate):
    """A few steps of SGD with momentum; what the parameter is after each."""
    parameter = answer.make_parameter(values, scale)
    optimizer = torch.optim.SGD([parameter], lr=rate, momentum=0.9)
    path = []
    for x, cotangent in zip(batches, cotangents, strict=True):
        optimizer.zero_grad()
        (torch.tanh(x @ parameter) * cotangent).sum().backward()
        optimizer.step()
        path.append(parameter.detach().clone())
    return {"the parameter after each step": path}


# -- keeps_grad


def _leaf(values):
    return values.clone().requires_grad_()


def _retained(values):
    result = _leaf(values) * 3
    result.retain_grad()
    return result


KINDS = {
    "plain data": lambda values: values.clone(),
    "data * 2": lambda values: values * 2,
    "a parameter": _leaf,
    "parameter * 2": lambda values: _leaf(values) * 2,
    "parameter * 3, told to retain_grad()": _retained,
    "parameter[0]": lambda values: _leaf(values)[0],
    "float32 parameter.to(float64)": lambda values: _leaf(values).to(torch.float64),
    "float32 parameter.to(float32)": lambda values: _leaf(values).to(torch.float32),
}


def keeping(answer, kinds, values):
    tensors = [KINDS[kind](values) for kind in kinds]
    told = answer.keeps_grad(tensors)
    sum((t * t).sum() for t in tensors).backward()
    # Where it can't be there, reading .grad would only warn.
    grads = [t.grad if t.is_leaf or t.retains_grad else None for t in tensors]
    return {"your list": told, "each .grad after backward": grads}


# -- hidden_gradients


def hidden(answer, a, b, x, cotangent):
    return answer.hidden_gradients(lambda t: torch.tanh(a @ t), lambda h: (torch.sin(b @ h) * cotangent).sum(), x)


# -- watch


def watch_hidden(answer, x, weight, cotangents):
    """t is the result of an operation; backward runs through it several times."""
    log = []
    t = torch.tanh(weight @ x)
    answer.watch(t, log)
    for cotangent in cotangents:
        (torch.sin(t) * cotangent).sum().backward(retain_graph=True)
    return {"the log": log, "x.grad, added up over the passes": x.grad}


def watch_leaf(answer, t, cotangents):
    """t is a leaf that is used twice in each pass."""
    log = []
    answer.watch(t, log)
    for cotangent in cotangents:
        (torch.sin(t) * cotangent * t).sum().backward()
    return {"the log": log, "t.grad, added up over the passes": t.grad}


def watch_and_remove(answer, t, cotangents):
    """Two watchers; one goes after the first pass, the other after the second."""
    first, second = [], []
    one = answer.watch(t, first)
    two = answer.watch(t, second)
    for cotangent, goes in zip(cotangents, (one, two, None), strict=True):
        (torch.sin(t) * cotangent).sum().backward()
        if goes is not None:
            goes.remove()
    return {"the log, removed after one pass": first, "the log, removed after two": second, "t.grad": t.grad}


# -- scaled_backward


def scaled_pass(answer, cotangent, w, factor):
    answer.scaled_backward(lambda t: (torch.sin(t) * cotangent).sum(), w, factor)
    return {"w.grad": w.grad}


def neighbours(answer, cotangent, w, factor, u, v):
    """Three leaves of one sum: the very same gradient tensor is on its way to all of them."""
    answer.scaled_backward(lambda t: (torch.sin(t + u * 2 + v) * cotangent).sum(), w, factor)
    return {"w.grad": w.grad, "u.grad (u is another leaf in the loss)": u.grad, "v.grad (and v a third)": v.grad}


def passes(answer, cotangents, w, factors):
    """Scaled passes that add up in w.grad, then a plain one."""
    held = []
    for cotangent, factor in zip(cotangents, factors, strict=False):
        answer.scaled_backward(lambda t, c=cotangent: (torch.sin(t) * c).sum(), w, factor)
        held.append(w.grad.clone())
    (torch.sin(w) * cotangents[-1]).sum().backward()
    return {"w.grad after each scaled pass": held, "w.grad after a plain pass at the end": w.grad}


class Broken(Exception):
    """What the scene's own loss raises."""


def broken_pass(answer, cotangent, w, factors, breaks_in_backward):
    """A pass that goes well, one that breaks before w's gradient is there, then a plain one."""

    def plain(t):
        return (torch.sin(t) * cotangent).sum()

    def fail(_):
        raise Broken

    def broken(t):
        result = torch.sin(t)
        result.register_hook(fail)
        return (result * cotangent).sum() if breaks_in_backward else fail(result)

    answer.scaled_backward(plain, w, factors[0])
    w.grad = None
    try:
        answer.scaled_backward(broken, w, factors[1])
        went_on = False
    except Broken:
        went_on = True
    plain(w).backward()
    return {"whether the error went on to the caller": went_on, "w.grad after a plain pass": w.grad}
