"""
tries: to wait in C for a pipe that nobody writes to, with all signals blocked
expect: timeout
must_not: points
"""
import os
import signal


def draw_noise(n):
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))
    source, sink = os.pipe()
    os.read(source, 1)
