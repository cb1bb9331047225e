"""
tries: to take back rights: capabilities, user ids, chroot, limits
expect: failed error
must_not: said

Only what changes this process alone.
"""
import ctypes
import os
import resource
import struct


def double(x):
    libc = ctypes.CDLL(None, use_errno=True)
    got = []
    for name, attempt in (
        ("setuid", lambda: os.setuid(0) if os.getuid() else os.setuid(1)),
        ("setgroups", lambda: os.setgroups([0])),
        ("chroot", lambda: os.chroot(".")),
        ("limits", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))),
        ("nice", lambda: os.nice(-1)),
    ):
        try:
            attempt()
            got.append(name)
        except (OSError, ValueError):
            pass
    every = struct.pack("=6I", *[0xFFFFFFFF] * 6)
    if libc.capset(struct.pack("=Ii", 0x20080522, 0), every) == 0:
        got.append("capabilities")
    if got:
        print("@SAID@"[::-1], got)
    return None
