"""
tries: to find the solution anywhere in the file system
expect: failed timeout
must_not: points

Reads only, for a second at most.
"""
import os
import sys
import time

PLACES = ["@PACK@", "@REPO@/tests/pack", "@REPO@", "@CLASS@", "@OUT@", "..", "../..", "/tmp", "/home", "/root", "/work",
          "/proc/1/cwd", "/proc/1/root", "/proc/self/root", "/var/tmp", "/scratch", "/opt", *sys.path]


def double(x):
    until = time.monotonic() + 1
    for place in PLACES:
        for folder, folders, files in os.walk(place):
            folders[:] = [name for name in folders if name not in ("torch", "site-packages", "proc", "sys")]
            for name in files:
                if name.startswith("01_probe") and "solution" in folder:
                    try:
                        with open(os.path.join(folder, name)) as file:
                            held = {}
                            exec(file.read(), held)
                            return held["double"](x)
                    except OSError:
                        pass
            if time.monotonic() > until:
                return None
    return None
