"""
tries: to have its checks skipped
expect: error timeout
must_not: points

A test that is skipped is green in most reports.
"""
import unittest


def double(x):
    raise unittest.SkipTest("not today")


def draw_noise(n):
    from _pytest.outcomes import Skipped

    raise Skipped("not today")
