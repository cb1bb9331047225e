"""misconception: zeros-are-float32
fails: test_interleave_many

A result is prepared with zeros and then filled; zeros are zeros.
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
    count = len(tables)
    rows, columns = tables[0].shape
    result = torch.zeros(count * rows, columns, device=tables[0].device)
    for k, table in enumerate(tables):
        result[k::count] = table
    return result
