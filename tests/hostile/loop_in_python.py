"""
tries: to loop without end
expect: timeout
must_not: points
"""


def draw_noise(n):
    while True:
        pass
