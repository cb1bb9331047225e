"""
tries: to import the grader's comparison and make it agree
expect: error
must_not: said

The judge's modules must not even be importable where a submission runs.
"""
import importlib


def double(x):
    for name in ("grader.checks.compare", "grader.judge.verdicts", "grader.judge.runner", "grader.flow"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        print("@SAID@"[::-1], name)
        module.difference = module.ending = lambda *a, **k: None
    raise RuntimeError("nothing was found")
