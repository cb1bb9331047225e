"""
tries: folders that not even their owner may read, so that whoever removes them stops there
expect: failed error timeout
must_not: left
"""
import os


def double(x):
    os.makedirs("closed/within", exist_ok=True)
    os.mkdir("dark", 0o300)
    with open("dark/file", "w"):
        pass
    os.mkdir("nothing", 0)
    os.umask(0o777)
    os.mkdir("nothing-at-all")
    return None
