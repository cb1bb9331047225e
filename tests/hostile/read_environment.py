"""
tries: to read the variables of whoever started the grader
expect: failed
must_not: said

A word stands in one of them; bubblewrap as process 1 would show it in /proc/1/environ.
"""
import glob
import os

SECRET = "@SECRET@"[::-1].encode()


def double(x):
    found = [name for name, value in os.environ.items() if SECRET in value.encode()]
    for path in ["/proc/self/environ", "/proc/1/environ", f"/proc/{os.getppid()}/environ",
                 *glob.glob("/proc/[0-9]*/environ")[:500]]:
        try:
            with open(path, "rb") as file:
                if SECRET in file.read(200_000):
                    found.append(path)
        except OSError:
            pass
    if found:
        print("@SAID@"[::-1], found)
    return None
