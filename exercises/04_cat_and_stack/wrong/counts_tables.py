"""misconception: tables-for-rows
fails: test_interleave_two, test_interleave_many

len(tables) is how long the tables are.
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
    rows = []
    for i in range(len(tables)):
        for table in tables:
            rows.append(table[i])
    return torch.stack(rows)
