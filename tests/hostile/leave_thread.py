"""
tries: to leave a thread behind that answers the checks after this one
expect: failed crashed
must_not: points

It waits in this process and replaces its functions; it ends by itself after ten seconds.
"""
import threading
import time


def _wait():
    until = time.monotonic() + 10
    while time.monotonic() < until:
        globals()["draw_noise"] = lambda n: [0.0] * n
        time.sleep(0.01)


def double(x):
    threading.Thread(target=_wait, daemon=True).start()
    return None
