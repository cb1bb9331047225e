"""Fewer and larger pages of memory, so that a fork has less to copy.

A fork copies the page table of the process, entry by entry, and so does the end of the child. With torch loaded
that is a hundred thousand small pages; most of them lie in a few large areas (the heap, and the static memory of
libraries) that one entry for every 2 MB describes as well. The content stays what it is.
"""

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

_HUGE = 2 << 20
_MADV_COLLAPSE = 25
"""From Linux's asm-generic/mman-common.h; since Linux 6.1. What a process takes later stays in small pages: a child needs
little, and would fill 2 MB for it with zeros.
"""


def collapse() -> int:
    """Gather this process's private memory into large pages; answers with how many bytes it was done for.

    Nothing happens where the system has no such pages, or is too old to be asked.
    """
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    done = 0
    with contextlib.suppress(OSError):
        for start, end in list(_areas()):
            for at in range(start, end, _HUGE):
                # One after the other: what cannot be gathered (half of it unused) must not hold up the rest.
                if libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(_HUGE), _MADV_COLLAPSE) == 0:
                    done += _HUGE
    return done


def _areas() -> Iterator[tuple[int, int]]:
    """Writable memory that belongs to no file, cut to whole large pages."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, _offset, _device, inode, *name = line.split(None, 5)
        if inode != "0" or not rights.startswith("rw") or not rights.endswith("p"):
            continue
        if name and name[0] != "[heap]":
            continue
        first, last = (int(number, 16) for number in span.split("-"))
        start, end = -(-first // _HUGE) * _HUGE, last // _HUGE * _HUGE
        if start < end:
            yield start, end
