"""misconception: wrong-dim
fails: test_join_rows

Thinks that dim=1 means rows.
"""
import torch


def join_rows(tables):
    return torch.cat([t[:2] for t in tables], dim=1)


def pile_images(images):
    return torch.stack(images)
