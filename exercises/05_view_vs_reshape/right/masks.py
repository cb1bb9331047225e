"""Writes through a mask of x's own shape, unbinds the columns, and compares storages."""

import math

import torch


def flatten_samples(batch):
    count, *shape = batch.shape
    return batch.contiguous().view(count, math.prod(shape))


def flatten_by_columns(matrix):
    return torch.stack(matrix.unbind(dim=1)).flatten()


def view_as_rows(x, rows):
    return x.view(rows, x.numel() // rows)


def is_copy(x, y):
    mine, other = x.untyped_storage(), y.untyped_storage()
    return mine.data_ptr() != other.data_ptr()


def write_every(x, step, value):
    numbers = torch.arange(x.numel(), device=x.device).reshape(x.shape)
    x[numbers % step == 0] = value
