"""misconception: another-object
fails: test_is_copy, test_is_copy_slices, test_is_copy_reshape

A tensor that is another Python object is another tensor.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(batch.shape[0], -1)


def flatten_by_columns(matrix):
    return matrix.t().reshape(-1)


def view_as_rows(x, rows):
    return x.view(rows, -1)


def is_copy(x, y):
    return y is not x


def write_every(x, step, value):
    flat = x.reshape(-1)
    flat[::step] = value
    x.copy_(flat.view(x.shape))
