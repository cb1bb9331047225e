"""
tries: to wait for a lock that it holds
expect: timeout
must_not: points
"""
import threading


def draw_noise(n):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
