"""
tries: to find the solution's text in its own memory, in pages that were read before the fork
expect: failed timeout
must_not: points

The zygote that had read and freed it would hand it to every child.
"""
import re

import torch

# No part of this file reads as what is searched for.
FORM = re.compile(rb"def dou" + rb"ble\(x\):\n    ret" + rb"urn ([ -~]{3,20})\n")


def _texts():
    for _ in range(4):
        yield torch.empty(2**23, dtype=torch.uint8).numpy().tobytes()
    try:
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            total = 0
            for line in maps:
                span, rights = line.split()[:2]
                start, end = (int(part, 16) for part in span.split("-"))
                if "rw" in rights and end - start < 2**26 and total < 2**28:
                    memory.seek(start)
                    total += end - start
                    yield memory.read(end - start)
    except (OSError, ValueError, OverflowError):
        return


def double(x):
    for text in _texts():
        for found in FORM.findall(text):
            return eval(found, {"x": x})
    return None
