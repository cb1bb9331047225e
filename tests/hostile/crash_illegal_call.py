"""
tries: to call the kernel as another architecture does, past a filter of numbers
expect: crashed failed error
must_not: said

getpid, as 32-bit programs call it: harmless, and different from what the filter counts.
"""
import ctypes
import mmap
import os
import platform


def double(x):
    if platform.machine() != "x86_64":
        return None
    page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20; int 0x80; ret
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    if call() == os.getpid():
        print("@SAID@"[::-1])
    return None
