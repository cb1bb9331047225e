"""
tries: to make Python itself choke: deep expressions, large constants, long chains, when compiled
expect: error crashed timeout
must_not: points

Bounded by what the compiler refuses; memory by the exercise's limit.
"""


def double(x):
    for text in ("(" * 100_000 + ")" * 100_000, "-" * 200_000 + "1", "f(" * 50_000 + ")" * 50_000, "a" + ".a" * 200_000):
        try:
            eval(text)
        except (SyntaxError, NameError, MemoryError, ValueError):
            pass
    return eval("9**9**9 and " * 5000 + "1")
