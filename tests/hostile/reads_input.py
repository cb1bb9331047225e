"""
tries: to wait for somebody to type
expect: error
must_not: points
"""


def double(x):
    return float(input("the answer, please: "))
