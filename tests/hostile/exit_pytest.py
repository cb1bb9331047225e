"""
tries: to end pytest with success from inside a test
expect: error timeout
must_not: points

`pytest.exit("", 0)` ends a session in which the submission runs.
"""


def double(x):
    import pytest

    pytest.exit("all passed", returncode=0)
