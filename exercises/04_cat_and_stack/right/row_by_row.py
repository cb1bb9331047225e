"""Grows the result in a loop from the first table, stacks a list of rows, splits with narrow; with type hints."""

from collections.abc import Sequence

import torch
from torch import Tensor


def join_rows(tables: Sequence[Tensor]) -> Tensor:
    result = tables[0]
    for table in tables[1:]:
        result = torch.cat((result, table), dim=-2)
    return result


def join_columns(tables: Sequence[Tensor]) -> Tensor:
    return join_rows([table.T for table in tables]).T


def make_batch(samples: Sequence[Tensor]) -> Tensor:
    return torch.cat([sample.unsqueeze(0) for sample in samples], dim=0)


def split_back(table: Tensor, lengths: Sequence[int]) -> list[Tensor]:
    pieces, start = [], 0
    for length in lengths:
        pieces.append(table.narrow(0, start, length).clone())
        start += length
    return pieces


def interleave(tables: Sequence[Tensor]) -> Tensor:
    return torch.stack([row for rows in zip(*tables, strict=True) for row in rows])
