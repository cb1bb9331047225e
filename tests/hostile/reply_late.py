"""
tries: to answer after the deadline, from a thread, while the next question waits
expect: timeout
must_not: points
"""
import os
import sys
import threading
import time


def double(x):
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "serve":
        frame = frame.f_back
    if frame is not None:
        sink = frame.f_locals["sink"]

        def later():
            time.sleep(1.7)
            os.write(sink, b"AGB1" + bytes(16))

        threading.Thread(target=later, daemon=True).start()
    time.sleep(5)
