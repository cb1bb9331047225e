"""misconception: wrong-dim
fails: test_join_columns

cat finds out by itself which dim is meant.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    return torch.cat(tables)


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
