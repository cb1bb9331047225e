"""
tries: to open the solution, the checks and the wrong answers where the pack lies, and to list them
expect: failed
must_not: said
"""
import glob
import os


def double(x):
    for path in ("@PACK@/solutions/01_probe.py", "@REPO@/tests/pack/solutions/01_probe.py",
                 "@PACK@/exercises/01_probe/checks.py", "@PACK@/exercises/01_probe/right/addition.py"):
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        print("@SAID@"[::-1])
        held = {}
        exec(text, held)
        if "double" in held:
            return held["double"](x)
    if glob.glob("@PACK@/exercises/*/wrong/*") or glob.glob("@PACK@/solutions/*"):
        print("@SAID@"[::-1])
    for folder in ("@PACK@", "@PACK@/solutions"):
        try:
            os.listdir(folder)
            print("@SAID@"[::-1])
        except OSError:
            pass
    return None
