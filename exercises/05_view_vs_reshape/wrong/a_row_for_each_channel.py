"""misconception: rows-are-channels
fails: test_flatten_samples, test_flatten_samples_strided

An image is H * W numbers; the rest will be found by -1.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(-1, batch.shape[2] * batch.shape[3])


def flatten_by_columns(matrix):
    return matrix.t().reshape(-1)


def view_as_rows(x, rows):
    return x.view(rows, -1)


def is_copy(x, y):
    return x.untyped_storage().data_ptr() != y.untyped_storage().data_ptr()


def write_every(x, step, value):
    flat = x.reshape(-1)
    flat[::step] = value
    x.copy_(flat.view(x.shape))
