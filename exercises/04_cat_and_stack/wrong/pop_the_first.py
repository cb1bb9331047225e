"""misconception: emptied-the-list
fails: test_join_rows, test_join_rows_dtype

pop is a way to get at the first table. It is also a way to take it from the caller.
"""

import torch


def join_rows(tables):
    result = tables.pop(0)
    for table in tables:
        result = torch.cat([result, table])
    return result


def join_columns(tables):
    return torch.cat(tables, dim=1)


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
