"""misconception: lengths-as-positions
fails: test_split_back

tensor_split and split are two names of the same thing.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    return torch.cat(tables, dim=1)


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.tensor_split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
