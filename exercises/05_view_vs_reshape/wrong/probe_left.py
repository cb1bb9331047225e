"""misconception: probe-left-behind
fails: test_is_copy, test_is_copy_slices, test_is_copy_reshape

Write into y and see whether x changes: the best of tests, if one cleans up.
"""

import torch


def flatten_samples(batch):
    return batch.reshape(batch.shape[0], -1)


def flatten_by_columns(matrix):
    return matrix.t().reshape(-1)


def view_as_rows(x, rows):
    return x.view(rows, -1)


def is_copy(x, y):
    before = x.clone()
    y += 1
    return torch.equal(x, before)


def write_every(x, step, value):
    flat = x.reshape(-1)
    flat[::step] = value
    x.copy_(flat.view(x.shape))
