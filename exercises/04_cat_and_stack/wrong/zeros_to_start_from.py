"""misconception: placeholder-row
fails: test_join_rows, test_join_rows_dtype, test_join_columns

A loop needs something to start from, and nobody takes it away again.
"""

import torch


def join_rows(tables):
    result = torch.zeros(1, tables[0].shape[1], device=tables[0].device)
    for table in tables:
        result = torch.cat([result, table], dim=0)
    return result


def join_columns(tables):
    result = torch.zeros(tables[0].shape[0], 1, device=tables[0].device)
    for table in tables:
        result = torch.cat([result, table], dim=1)
    return result


def make_batch(samples):
    return torch.stack(samples)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
