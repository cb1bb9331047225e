"""
tries: to leave a process behind, in a session of its own, where the exercise allows processes
expect: failed error crashed timeout
must_not: canary
exercise: 02_workers

Two forks and setsid. It would write to its canary three seconds later, and ends.
"""
import os
import time


def batches(n):
    if os.fork() == 0:
        try:
            os.setsid()
        except OSError:
            pass
        if os.fork() == 0:
            time.sleep(3)
            try:
                if "@CANARY@"[0] == "/":
                    with open("@CANARY@/@NAME@.late", "w") as file:
                        file.write("still here")
            except OSError:
                pass
            time.sleep(20)
        os._exit(0)
    return None
