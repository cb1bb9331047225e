"""misconception: reshape-is-no-transpose
fails: test_flatten_by_columns

A matrix (C, R) has the columns of (R, C) as its rows, so reshape it to that first.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(batch.shape[0], -1)


def flatten_by_columns(matrix):
    rows, columns = matrix.shape
    return matrix.reshape(columns, rows).reshape(-1)


def view_as_rows(x, rows):
    return x.view(rows, -1)


def is_copy(x, y):
    return x.untyped_storage().data_ptr() != y.untyped_storage().data_ptr()


def write_every(x, step, value):
    flat = x.reshape(-1)
    flat[::step] = value
    x.copy_(flat.view(x.shape))
