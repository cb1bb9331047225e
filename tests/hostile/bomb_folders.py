"""
tries: folders within folders, too deep for who removes them
expect: failed error timeout
must_not: left

3,000 levels: deeper than Python recurses, and longer than any path may be.
"""
import os


def double(x):
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    return None
