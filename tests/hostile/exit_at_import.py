"""
tries: to leave while the file is loaded
expect: crashed
must_not: points

A harness that imports submissions ends with the first that does this.
"""
import os

os._exit(0)
