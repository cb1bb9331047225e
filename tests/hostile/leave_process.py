"""
tries: to leave a process behind that outlives the run
expect: failed
must_not: canary

Two forks and a session of its own. It would write to its canary, and ends after five seconds.
"""
import os
import time


def double(x):
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(3)
                if "@CANARY@"[0] == "/":
                    with open("@CANARY@/@NAME@.late", "w") as file:
                        file.write("still here")
                time.sleep(2)
            os._exit(0)
    except OSError:
        pass
    return None
