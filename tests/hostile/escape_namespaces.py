"""
tries: to become root in namespaces of its own, and to mount what it likes there
expect: failed error
must_not: said

In namespaces of its own nothing outside changes; that they could be had is what is said.
"""
import ctypes


def double(x):
    libc = ctypes.CDLL(None, use_errno=True)
    for flags in (0x10000000, 0x10000000 | 0x20000, 0x10000000 | 0x40000000, 0x10000000 | 0x20000000):
        if libc.unshare(flags) == 0:
            print("@SAID@"[::-1], hex(flags))
    if libc.syscall(435, None, 0) == 0:  # clone3 without arguments changes nothing
        print("@SAID@"[::-1], "clone3")
    return None
