"""misconception: samples-mixed
fails: test_flatten_samples, test_flatten_samples_strided

The shape must be (N, everything), so give reshape an N and turn the result until the shape is right.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(-1, batch.shape[0]).t()


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
