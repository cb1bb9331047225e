"""Make one tensor of many, and many of one. The task is told in README.md."""

import torch


def join_rows(tables):
    """Join tables, the rows of each below those of the one before.

    tables: a list of at least one tensor. Table i is (n_i, C); n_i may be 0. All have the same dtype.

    Returns a tensor (n_0 + n_1 + ..., C) of that dtype. The list and its tables stay as they were.
    """
    raise NotImplementedError("TODO")


def join_columns(tables):
    """Join tables, the columns of each to the right of those of the one before.

    tables: a list of at least one tensor. Table i is (N, c_i). All have the same dtype.

    Returns a tensor (N, c_0 + c_1 + ...) of that dtype. The list and its tables stay as they were.
    """
    raise NotImplementedError("TODO")


def make_batch(samples):
    """Make a batch of samples: sample i is found again at index i of a new first dim.

    samples: a list of N >= 1 tensors of the same shape and dtype: images (C, H, W), or labels, which
        are 0-d: shape ().

    Returns a tensor of the same dtype: (N, C, H, W) for images, (N,) for labels.
    """
    raise NotImplementedError("TODO")


def split_back(table, lengths):
    """Cut a table into pieces of the given lengths, from top to bottom.

    table: (sum of lengths, C), any dtype.
    lengths: a list of ints, one for each piece. A length may be 0.

    Returns a list or tuple of tensors; piece i is (lengths[i], C).
    """
    raise NotImplementedError("TODO")


def interleave(tables):
    """Let the rows of the tables take turns: row 0 of each table, then row 1 of each table, and so on.

    tables: a list of K >= 1 tensors (N, C), all of the same dtype.

    Returns a tensor (K * N, C) of that dtype: row i of table k is found at row i * K + k.
    """
    raise NotImplementedError("TODO")
