"""
tries: to become another program that ends with success
expect: error crashed
must_not: points

After exec nothing of the harness is left in the process, and `true` exits 0.
"""
import os


def double(x):
    os.execv("/bin/true", ["true"])
