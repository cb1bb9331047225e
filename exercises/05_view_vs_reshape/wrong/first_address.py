"""misconception: first-address
fails: test_is_copy_slices, test_is_copy_reshape

Tensors that share memory begin at the same address.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(batch.shape[0], -1)


def flatten_by_columns(matrix):
    return matrix.t().reshape(-1)


def view_as_rows(x, rows):
    return x.view(rows, -1)


def is_copy(x, y):
    return x.data_ptr() != y.data_ptr()


def write_every(x, step, value):
    flat = x.reshape(-1)
    flat[::step] = value
    x.copy_(flat.view(x.shape))
