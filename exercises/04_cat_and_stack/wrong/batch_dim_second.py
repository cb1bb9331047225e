"""misconception: new-dim-not-first
fails: test_batch_images

The channels come first, then the images.
"""

import torch


def join_rows(tables):
    return torch.cat(tables)


def join_columns(tables):
    return torch.cat(tables, dim=1)


def make_batch(samples):
    if samples[0].dim() == 0:
        return torch.stack(samples)
    return torch.stack(samples, dim=1)


def split_back(table, lengths):
    return torch.split(table, lengths)


def interleave(tables):
    return torch.stack(tables, dim=1).flatten(0, 1)
