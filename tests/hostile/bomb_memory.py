"""
tries: to take all memory, in steps of 50 MB
expect: error crashed timeout
must_not: points

Stops at 2 GB by itself.
"""


def double(x):
    held = []
    for _ in range(40):
        held.append(bytearray(b"x") * (50 * 2**20))
    return None
