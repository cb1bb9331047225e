"""
tries: to read the memory and the command lines of the judge and the zygote
expect: failed
must_not: said
"""
import ctypes
import os


def double(x):
    parent = os.getppid()
    for name in (str(parent), "1"):
        for part in ("mem", "maps", "cmdline", "environ", "stack"):
            try:
                with open(f"/proc/{name}/{part}", "rb") as file:
                    file.seek(0)
                    if part != "mem" and file.read(1):
                        print("@SAID@"[::-1], name, part)
            except OSError:
                pass
    held = ctypes.create_string_buffer(8)
    here = (ctypes.c_size_t * 2)(ctypes.addressof(held), 8)
    there = (ctypes.c_size_t * 2)(id(double), 8)  # a fork has it at the same address
    if ctypes.CDLL(None).process_vm_readv(parent, here, 1, there, 1, 0) == 8:
        print("@SAID@"[::-1], "memory of the parent")
    return None
