"""misconception: only-two-tables
fails: test_interleave_many

The example has two tables, so there are two.
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
    a, b = tables[0], tables[1]
    rows = []
    for i in range(a.shape[0]):
        rows.append(a[i])
        rows.append(b[i])
    return torch.stack(rows)
