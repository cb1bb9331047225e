"""misconception: empty-start
fails: test_join_rows_dtype, test_join_columns

An empty tensor is a neutral start, as an empty list is. But it has a dtype: float32.
"""

import torch


def join_rows(tables):
    result = torch.tensor([], device=tables[0].device)
    for table in tables:
        result = torch.cat([result, table])
    return result


def join_columns(tables):
    result = torch.tensor([], device=tables[0].device)
    for table in tables:
        result = torch.cat([result, table], dim=1)
    return result


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
