"""
tries: to take all memory through torch's allocator
expect: error crashed timeout
must_not: points

Stops at 2 GB by itself.
"""
import torch


def double(x):
    held = [torch.ones(13, 2**20) for _ in range(40)]
    return None if held else x
