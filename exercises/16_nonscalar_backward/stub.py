import torch


def slopes(f, x):
    """The slope of a curve at many points at once: dy/dx of y = f(x), where each y depends on its own x alone.

    f: a function that takes one tensor and works on each element by itself, such as a parabola; f(x) has x's shape.
    x: plain floating tensor of any shape; it does not require grad, and must be left as it is.
    Returns the slopes, x's shape and dtype.
    """
    raise NotImplementedError("TODO")


def weighted_gradient(y, x, v):
    """The gradient of x when element k of y counts v[k] times.

    y: tensor of any shape, computed from x; nobody has run backward from it yet.
    x: the leaf that y was computed from, of any shape (not always y's); its .grad is still None.
    v: the weights, y's shape and dtype.
    Returns the gradient, x's shape and dtype.
    """
    raise NotImplementedError("TODO")


def weighted_sum(y, weights):
    """One number z, such that the caller's z.backward() does what backward from y with these weights does.

    y: tensor of any shape that is part of a graph.
    weights: (y.numel(),), y's dtype: one weight for each element of y, in reading order.
    Returns z, a tensor of shape (), still part of the graph. Leave the backward to the caller.
    """
    raise NotImplementedError("TODO")


def jacobian_row(f, x, i):
    """One row of the Jacobian: the gradient of element i of f(x), and of no other element.

    f: a function that takes one tensor and gives one tensor; call it as often as you like.
    x: plain floating tensor of any shape; it does not require grad, and must be left as it is.
    i: which element of f(x), counted in reading order: of a (2, 3) table, element 3 starts the second row.
    Returns the gradient, x's shape and dtype.
    """
    raise NotImplementedError("TODO")


def jacobian(f, x):
    """The whole Jacobian: at [i, j] stands the derivative of output i with respect to input j.

    f: a function that takes a tensor (N,) and gives a tensor (M,); call it as often as you like.
    x: (N,), plain floating tensor; it does not require grad, and must be left as it is.
    Returns (M, N), x's dtype.
    """
    raise NotImplementedError("TODO")
