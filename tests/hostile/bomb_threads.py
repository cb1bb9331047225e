"""
tries: to start threads without end
expect: failed error crashed timeout
must_not: points

At most 400, each of which ends after a second.
"""
import threading
import time


def double(x):
    threading.stack_size(64 * 1024)
    for _ in range(400):
        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
    return None
