"""misconception: view-needs-strides
fails: test_flatten_samples_strided, test_flatten_by_columns, test_write_every_strided

view and reshape are two names for one thing.
"""

import torch


def flatten_samples(batch):
    return batch.view(batch.shape[0], -1)


def flatten_by_columns(matrix):
    return matrix.t().view(-1)


def view_as_rows(x, rows):
    return x.view(rows, -1)


def is_copy(x, y):
    return x.untyped_storage().data_ptr() != y.untyped_storage().data_ptr()


def write_every(x, step, value):
    x.view(-1)[::step] = value
