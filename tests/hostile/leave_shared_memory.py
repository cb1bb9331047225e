"""
tries: to leave a message for the next student: shared memory, a semaphore, a file in every folder for all
expect: failed
must_not: canary

Under a name of its own in the canary; elsewhere it only looks whether it could.
"""
import os


def double(x):
    if "@CANARY@"[0] == "/":
        for name in ("@CANARY@/@NAME@.message", "@CANARY@/@NAME@.txt"):
            try:
                with open(name, "a") as file:
                    file.write("the answer is twice x")
            except OSError:
                pass
    for folder in ("/dev/shm", "/tmp", "/var/tmp", "/dev/mqueue", ".."):
        if os.access(folder, os.W_OK):
            try:
                descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY)  # has no name, and goes when it is closed
                os.close(descriptor)
                if not os.path.samefile(folder, "."):
                    with open("found", "w") as file:
                        file.write(folder)
            except OSError:
                pass
    return None
