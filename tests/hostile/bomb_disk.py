"""
tries: to fill the disk, in steps of 4 MB
expect: failed error crashed timeout
must_not: left

200 MB at most, over several files, each removed where that is still possible.
"""
import os


def double(x):
    names = []
    try:
        for number in range(5):
            names.append(f"large-{number}")
            with open(names[-1], "wb") as file:
                for _ in range(10):
                    file.write(b"x" * (4 * 2**20))
    finally:
        for name in names:
            os.remove(name)
    return None
