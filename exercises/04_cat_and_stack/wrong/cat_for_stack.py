"""misconception: cat-for-stack
fails: test_batch_images, test_batch_labels

A batch is images behind images, so cat must do it. Labels are then 0-d and raise.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    return torch.cat(tables, dim=1)


def make_batch(samples):
    return torch.cat(samples)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
