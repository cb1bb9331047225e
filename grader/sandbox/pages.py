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
"""From Linux's asm-generic/mman-common.h; since Linux 6.1."""


def collapse() -> None:
    """Gather this process's private memory into large pages. What it or its children take later comes in small ones:
    a child needs little, and would fill 2 MB with zeros for it.

    Nothing happens where the system has no such pages, or is too old to be asked.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)

    def gather(start: int, end: int) -> bool:
        return bool(libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_COLLAPSE) == 0)

    with contextlib.suppress(OSError):
        for start, end in list(_areas()):
            # At once if possible, as each call first waits for all processors; what cannot be gathered (half of it
            # unused) must not hold up the rest.
            if not gather(start, end):
                for at in range(start, end, _HUGE):
                    gather(at, at + _HUGE)


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
