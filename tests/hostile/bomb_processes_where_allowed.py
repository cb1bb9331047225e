"""
tries: to fork without end where the exercise allows processes
expect: failed error crashed timeout
must_not: left
exercise: 02_workers

At most 50 children, each of which ends by itself after five seconds. They are in the group, which is ended as a whole.
"""
import os
import time


def batches(n):
    for _ in range(50):
        try:
            if os.fork() == 0:
                time.sleep(5)
                os._exit(0)
        except OSError:
            break
    return None
