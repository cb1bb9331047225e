"""misconception: lengths-as-positions
fails: test_split_back

A piece runs from where the last one ended to its length.
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
    start = 0
    for length in lengths:
        pieces.append(table[start:length])
        start = length
    return pieces


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
