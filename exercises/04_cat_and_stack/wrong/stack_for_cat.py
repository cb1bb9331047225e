"""misconception: stack-for-cat
fails: test_join_rows, test_join_rows_dtype, test_join_columns

To put tensors together is to stack them, whether a new dim is wanted or not.
"""

import torch


def join_rows(tables):
    return torch.stack(tables)


def join_columns(tables):
    return torch.stack(tables, dim=1)


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
