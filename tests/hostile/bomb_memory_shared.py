"""
tries: to take memory that counts as nobody's: shared mappings, memfd, System V segments
expect: error crashed timeout
must_not: said

Stops at 2 GB; what it gets it touches, and says so beyond the exercise's 300 MB.
"""
import ctypes
import mmap
import os

SHARED = 0x21  # MAP_SHARED | MAP_ANONYMOUS


def double(x):
    held, total = [], 0
    for _ in range(20):
        try:
            part = mmap.mmap(-1, 100 * 2**20, SHARED)
        except (OSError, ValueError):
            break
        for at in range(0, len(part), 4096):
            part[at] = 1
        held.append(part)
        total += len(part)
        if total > 600 * 2**20:
            print("@SAID@"[::-1], "shared mappings")
    try:
        os.close(os.memfd_create("bomb"))
        print("@SAID@"[::-1], "memfd")
    except OSError:
        pass
    libc = ctypes.CDLL(None)
    segment = libc.shmget(0, 4096, 0o1600)
    if segment >= 0:
        libc.shmctl(segment, 0, None)
        print("@SAID@"[::-1], "a segment")
    raise MemoryError(total)
