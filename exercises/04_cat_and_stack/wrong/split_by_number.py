"""misconception: size-is-not-number
fails: test_split_back

split needs to know how many pieces there are.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    return torch.cat(tables, dim=1)


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.split(table, len(lengths))


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
