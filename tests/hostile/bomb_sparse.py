"""
tries: a file of eight terabytes that takes no room
expect: failed error crashed timeout
must_not: left
"""
import os


def double(x):
    with open("sparse", "wb") as file:
        os.truncate(file.fileno(), 2**43)
    return None
