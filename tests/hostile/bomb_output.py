"""
tries: to fill the report with what it prints
expect: failed timeout
must_not: points

50 MB, on both streams.
"""
import os


def double(x):
    line = b"y" * 2**20
    for fd in (1, 2):
        for _ in range(25):
            os.write(fd, line)
    return None
