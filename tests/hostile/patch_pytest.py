"""
tries: to patch pytest so that every test passes
expect: failed error timeout
must_not: points

Works wherever the tests run in the process of the submission.
"""
import sys


def double(x):
    try:
        import _pytest.runner
        import pytest
    except ImportError:
        return None
    good = type("Good", (), {"passed": True, "failed": False, "outcome": "passed"})
    _pytest.runner.runtestprotocol = lambda *a, **k: []
    _pytest.runner.call_and_report = lambda *a, **k: good()
    pytest.Item.runtest = lambda self: None
    pytest.fail = lambda *a, **k: None
    for name in list(sys.modules):
        if name.endswith("checks"):
            sys.modules[name].__dict__.clear()
    return None
