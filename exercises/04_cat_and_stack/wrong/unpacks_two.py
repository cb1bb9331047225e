"""misconception: only-two-tables
fails: test_interleave_many

The example has two tables, so the list is a pair.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    return torch.cat(tables, dim=1)


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    a, b = tables
    return torch.stack([a, b], dim=1).flatten(0, 1)
