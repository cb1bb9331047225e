"""misconception: through-python-lists
fails: test_batch_images, test_batch_labels

torch.tensor makes a tensor of any nested list. It also makes up the dtype.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    return torch.cat(tables, dim=1)


def make_batch(samples):
    return torch.tensor([sample.tolist() for sample in samples])


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
