import torch


def join_rows(tables):
    """Join tables row after row. tables: list of (n_i, C) tensors. Returns (sum of n_i, C)."""
    raise NotImplementedError("TODO")


def pile_images(images):
    """Pile images into a batch. images: list of N tensors (C, H, W). Returns (N, C, H, W)."""
    raise NotImplementedError("TODO")
