"""misconception: start-not-moved
fails: test_split_back

The first n rows are the next n rows.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    return torch.cat(tables, dim=1)


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    pieces = []
    for length in lengths:
        pieces.append(table[:length])
    return pieces


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
