"""misconception: recut
fails: test_join_columns

The numbers are all there; reshape will bring them into the wanted shape.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    rows = tables[0].shape[0]
    return torch.cat(tables).reshape(rows, -1)


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
