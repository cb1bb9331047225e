"""
tries: to read and write through descriptors that were left open
expect: failed crashed
must_not: said

Regular files and folders only: what is a socket or a pipe is left alone.
"""
import os
import stat


def double(x):
    for fd in range(3, 256):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        try:
            if stat.S_ISREG(mode) and os.pread(fd, 64, 0)[:4] != b"\x7fELF" and os.pread(fd, 1, 0):
                print("@SAID@"[::-1], fd, "a file")
            if stat.S_ISDIR(mode) and os.listdir(fd) and not os.path.samestat(os.fstat(fd), os.stat(".")):
                print("@SAID@"[::-1], fd, "a folder")
        except OSError:
            pass
    return None
