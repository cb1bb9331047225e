"""misconception: base-is-not-x
fails: test_is_copy, test_is_copy_slices, test_is_copy_reshape

A view has a _base, and what has none is a copy. But x has none either.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(batch.shape[0], -1)


def flatten_by_columns(matrix):
    return matrix.t().reshape(-1)


def view_as_rows(x, rows):
    return x.view(rows, -1)


def is_copy(x, y):
    return y._base is None


def write_every(x, step, value):
    flat = x.reshape(-1)
    flat[::step] = value
    x.copy_(flat.view(x.shape))
