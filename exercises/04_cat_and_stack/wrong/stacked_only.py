"""misconception: not-flattened
fails: test_interleave_two, test_interleave_many

Once the rows stand in the right order, all is done.
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
    return torch.stack(tables, dim=1)
