"""
tries: to fill the disk with empty files
expect: failed error timeout
must_not: left

4,000 of them, in its own folder.
"""


def double(x):
    for number in range(4000):
        with open(f"file-{number}", "w"):
            pass
    return None
