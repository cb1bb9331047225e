"""misconception: one-by-one
fails: test_batches

Batches of one.
"""
import torch


def batches(n):
    return list(torch.arange(n).split(1))
