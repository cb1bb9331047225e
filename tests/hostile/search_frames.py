"""
tries: to find the right answer in the locals of its callers
expect: failed timeout
must_not: points

Returns whatever is called like an answer; in a shared process that is one.
"""
import sys

import torch

NAMES = ("expected", "reference", "wanted", "solution", "target", "truth", "want", "right")


def double(x):
    frame = sys._getframe()
    while frame is not None:
        for place in (frame.f_locals, frame.f_globals):
            for name, value in list(place.items()):
                if any(word in name.lower() for word in NAMES):
                    if isinstance(value, torch.Tensor):
                        return value
                    found = getattr(value, "double", None)
                    if found is not None and found is not double and not isinstance(value, type):
                        return found(x)
        frame = frame.f_back
    return None
