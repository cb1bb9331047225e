"""One block of memory, many shapes: what view promises, and what reshape does not. The task is told in README.md."""

import torch


def flatten_samples(batch):
    """Make one row of every sample.

    batch: (N, C, H, W), any dtype, contiguous or not.

    Returns a tensor (N, C * H * W): row n holds the numbers of batch[n], in the order in which they are read.
    """
    raise NotImplementedError("TODO")


def flatten_by_columns(matrix):
    """Make a vector of a matrix, column after column.

    matrix: (R, C), any dtype.

    Returns a tensor (R * C,): first column 0 from top to bottom, then column 1, and so on.
    """
    raise NotImplementedError("TODO")


def view_as_rows(x, rows):
    """Look at x as a table with the given number of rows.

    x: a tensor of any shape; rows divides its number of elements.
    rows: a positive int.

    Returns a tensor (rows, number of elements / rows) with the numbers of x in reading order. It is never a copy:
    what is written into it is seen in x, and the other way round.
    Raises RuntimeError, as PyTorch itself does, where x has no such view, and only there.
    """
    raise NotImplementedError("TODO")


def is_copy(x, y):
    """Tell whether y, which was made from x, is a copy.

    x: a tensor.
    y: x itself, or the result of an operation on x, of any shape.

    Returns the Python bool False if y lies in the same memory as x, and True if it has memory of its own.
    x and y hold the same numbers afterwards as before.
    """
    raise NotImplementedError("TODO")


def write_every(x, step, value):
    """Write value over every step-th number of x, in place.

    x: a tensor of at least one dim, contiguous or not.
    step: a positive int.
    value: a number that fits the dtype of x.

    Counted is in reading order over the whole of x, and the first number is one of those overwritten: numbers
    0, step, 2 * step, ... The caller looks at x; what is returned does not matter.
    """
    raise NotImplementedError("TODO")
