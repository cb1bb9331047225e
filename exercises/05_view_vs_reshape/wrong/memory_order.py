"""misconception: memory-order
fails: test_write_every_strided

Where view raises, turn x until it does not.
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
    try:
        flat = x.view(-1)
    except RuntimeError:
        flat = x.t().view(-1)
    flat[::step] = value
