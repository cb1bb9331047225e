"""misconception: contiguous-is-not-the-condition
fails: test_view_as_rows_strided

There is a view if, and only if, the tensor is contiguous.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(batch.shape[0], -1)


def flatten_by_columns(matrix):
    return matrix.t().reshape(-1)


def view_as_rows(x, rows):
    if not x.is_contiguous():
        raise RuntimeError("no view: x is not contiguous")
    return x.view(rows, -1)


def is_copy(x, y):
    return x.untyped_storage().data_ptr() != y.untyped_storage().data_ptr()


def write_every(x, step, value):
    flat = x.reshape(-1)
    flat[::step] = value
    x.copy_(flat.view(x.shape))
