"""
tries: to sleep, which takes no processor time
expect: timeout
must_not: points
"""
import time


def draw_noise(n):
    time.sleep(3600)
