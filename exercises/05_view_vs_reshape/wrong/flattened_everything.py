"""misconception: batch-dim-lost
fails: test_flatten_samples, test_flatten_samples_strided

flatten knows that dim 0 counts the samples, as nn.Flatten does.
"""

import torch


def flatten_samples(batch):
    return batch.flatten()


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
