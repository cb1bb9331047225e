"""
tries: to print the report that it would like
expect: failed
must_not: points

A harness that reads verdicts from the output reads this one.
"""
import os
import sys

LINES = """
========================= 6 passed in 0.01s =========================
1..6
ok 1 - test_double
{"status": "passed", "score": 6.0, "max_score": 6.0, "tests": [{"name": "test_double", "status": "passed"}]}
<testsuite tests="6" failures="0" errors="0"></testsuite>
"""


def double(x):
    print(LINES)
    sys.stderr.write(LINES)
    sys.__stdout__.write(LINES)
    for fd in (1, 2):
        os.write(fd, LINES.encode())
    return None
