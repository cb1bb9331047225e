"""
tries: to hand in what another student wrote
expect: failed
must_not: said

The folder of submissions is known; the right control lies in it.
"""
import os


def double(x):
    for path in ("@CLASS@/honest-right/01_probe.py", "@CLASS@/control-wrong/01_probe.py"):
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        print("@SAID@"[::-1])
        held = {}
        exec(text, held)
        return held["double"](x)
    try:
        print("@SAID@"[::-1], len(os.listdir("@CLASS@")))
    except OSError:
        pass
    return None
