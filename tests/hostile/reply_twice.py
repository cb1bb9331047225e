"""
tries: to answer every question twice, so that each later question gets the answer to the one before
expect: crashed failed
must_not: points
"""
import sys


def double(x):
    worker = sys.modules["grader.sandbox.worker"]
    old = worker.send

    def twice(sink, data):
        old(sink, data)
        old(sink, data)

    worker.send = twice
    return None
