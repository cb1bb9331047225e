"""Loops over samples, columns and places; writes to find out whether memory is shared, and puts everything back."""

import itertools

import torch
from torch import Tensor


def flatten_samples(batch: Tensor) -> Tensor:
    return torch.stack([sample.flatten() for sample in batch])


def flatten_by_columns(matrix: Tensor) -> Tensor:
    return torch.cat([matrix[:, j] for j in range(matrix.shape[1])])


def view_as_rows(x: Tensor, rows: int) -> Tensor:
    result = x.reshape(rows, -1)
    if is_copy(x, result):
        raise RuntimeError(f"a tensor of shape {tuple(x.shape)} and strides {x.stride()} has no view of {rows} rows")
    return result


def is_copy(x: Tensor, y: Tensor) -> bool:
    x_before, y_before = x.clone(), y.clone()
    y.add_(1)
    changed = not torch.equal(x, x_before)
    y.copy_(y_before)
    return not changed


def write_every(x: Tensor, step: int, value: float) -> None:
    for count, place in enumerate(itertools.product(*map(range, x.shape))):
        if count % step == 0:
            x[place] = value
