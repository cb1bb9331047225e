"""misconception: counted-from-one
fails: test_write_every, test_write_every_strided

The second of two, the third of three: the first one to be written is number step.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(batch.shape[0], -1)


def flatten_by_columns(matrix):
    return matrix.t().reshape(-1)


def view_as_rows(x, rows):
    return x.view(rows, -1)


def is_copy(x, y):
    return x.untyped_storage().data_ptr() != y.untyped_storage().data_ptr()


def write_every(x, step, value):
    flat = x.reshape(-1)
    flat[step - 1 :: step] = value
    x.copy_(flat.view(x.shape))
