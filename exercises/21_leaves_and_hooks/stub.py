import torch


def make_parameter(values, scale):
    """A parameter to train: a leaf that requires grad and starts at values * scale.

    values: (R, C), of any dtype; the caller's data, which must stay as it is while the parameter is trained.
    scale: a float.
    Returns a new tensor (R, C), float32, on the device of `values`.
    """
    raise NotImplementedError("TODO")


def keeps_grad(tensors):
    """Which of these tensors will have a .grad once backward has run from a loss that they are all part of?

    tensors: list of tensors; backward has not run yet, and their .grad is None. Look at them, change nothing.
    Returns a list of bool, one for each tensor.
    """
    raise NotImplementedError("TODO")


def hidden_gradients(inner, outer, x):
    """Run loss = outer(inner(x)) and its backward once, and look at the gradients on the way.

    inner: a function that takes x and gives the hidden tensor h, of any shape.
    outer: a function that takes h and gives the loss, shape ().
    x: a leaf that requires grad; its .grad is None.
    Returns a pair: the gradient of the loss with respect to h (h's shape), and with respect to x (x's shape).
    """
    raise NotImplementedError("TODO")


def watch(t, log):
    """From now on, append every gradient that arrives at t to log, and change none of them.

    t: a tensor that requires grad, leaf or not.
    log: a list that belongs to the caller.
    Returns the handle, with which the caller ends the watching: handle.remove().
    """
    raise NotImplementedError("TODO")


def scaled_backward(loss_of, w, factor):
    """One pass, loss_of(w) and its backward, in which the gradient that arrives at w is multiplied by factor.

    loss_of: a function that takes w and gives the loss, shape (); other leaves may take part in the loss.
    w: a leaf that requires grad. Its .grad may hold the sum of earlier passes: the scaled gradient is added to it.
    factor: a float.
    Returns nothing. The gradients of all other tensors are as in any pass, and so is w's in all later passes, even if
    this one breaks; then the error goes on to the caller.
    """
    raise NotImplementedError("TODO")
