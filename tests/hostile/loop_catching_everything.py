"""
tries: to loop and to catch whatever is raised into it, with every signal ignored
expect: timeout
must_not: points
"""
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass


def draw_noise(n):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
