"""Joins side by side and lets reshape cut each wide row into rows; refuses an empty list; splits at positions."""

import itertools

import torch


def some(tensors):
    if not len(tensors):
        raise ValueError("at least one tensor is needed")
    return list(tensors)


def join_rows(tables):
    return torch.concat(some(tables), dim=0)


def join_columns(tables):
    return torch.column_stack(some(tables))


def make_batch(samples):
    samples = some(samples)
    return torch.cat([sample.reshape(-1) for sample in samples]).reshape(len(samples), *samples[0].shape)


def split_back(table, lengths):
    positions = list(itertools.accumulate(lengths))
    return table.tensor_split(positions[:-1])


def interleave(tables):
    tables = some(tables)
    columns = tables[0].shape[1]
    # A row (K * C) of the wide table is row i of every table, one after the other.
    return torch.cat(tables, dim=1).reshape(-1, columns)
