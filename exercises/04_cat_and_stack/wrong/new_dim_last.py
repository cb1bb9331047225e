"""misconception: new-dim-last
fails: test_interleave_two, test_interleave_many

Taking turns is a matter of the last dim.
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
    columns = tables[0].shape[1]
    return torch.stack(tables, dim=-1).reshape(-1, columns)
