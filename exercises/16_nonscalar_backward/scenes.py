"""The functions to differentiate, and the callers of what was written. Every number in them is drawn by the check.

Arguments stand where the called function has them, so that "changed its argument 2" means the learner's second one.
"""

import torch


def _mix(weight, shape):
    """Every output depends on every input: x of any shape -> sin(weight @ x), reshaped to `shape`."""
    return lambda x: torch.sin(weight @ x.reshape(-1)).reshape(shape)


def _parabola(a, b, c):
    return lambda x: a * x**2 + b * x + c


def _wave(scale):
    return lambda x: torch.sin(scale * x)


def _leaf(x):
    return x.clone().requires_grad_()


def slopes_of_parabola(answer, factors, x):
    return answer.slopes(_parabola(*factors), x)


def slopes_of_wave(answer, scale, x):
    return answer.slopes(_wave(scale), x)


def weighted_gradient(answer, shape, x, v, weight):
    leaf = _leaf(x)
    return answer.weighted_gradient(_mix(weight, shape)(leaf), leaf, v)


def weighted_sum(answer, shape, weights, x, weight):
    return answer.weighted_sum(_mix(weight, shape)(_leaf(x)), weights)


def backward_from_weighted_sum(answer, shape, weights, x, weight):
    leaf = _leaf(x)
    answer.weighted_sum(_mix(weight, shape)(leaf), weights).backward()
    return leaf.grad


def row(answer, shape, x, i, weight):
    return answer.jacobian_row(_mix(weight, shape), x, i)


def jacobian(answer, shape, x, weight):
    result = answer.jacobian(_mix(weight, shape), x)
    return {"the Jacobian": result, "x.requires_grad afterwards": x.requires_grad}


def slopes_twice(answer, scale, x):
    f = _wave(scale)
    return _after(x, answer.slopes(f, x).clone(), answer.slopes(f, x).clone())


def row_twice(answer, shape, x, i, weight):
    f = _mix(weight, shape)
    return _after(x, answer.jacobian_row(f, x, i).clone(), answer.jacobian_row(f, x, i).clone())


def _after(x, first, second):
    return {
        "the first answer": first,
        "the second answer": second,
        "x.requires_grad afterwards": x.requires_grad,
        "x.grad is None afterwards": x.grad is None,
    }
