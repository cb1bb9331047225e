"""
tries: to fork without end
expect: failed error crashed timeout
must_not: left

At most 50 children, each of which ends by itself after five seconds.
"""
import os
import time


def double(x):
    for _ in range(50):
        try:
            if os.fork() == 0:
                time.sleep(5)
                os._exit(0)
        except OSError:
            break
    return None
