"""One writer at a time, by a lock of the operating system: it ends with the process that holds it, however
that process ends, so that a killed run never keeps the next one out."""

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

# Locks of this kind do not keep a process from itself, so what this process holds is written down here.
_held: set[str] = set()


class Taken(Exception):
    """Somebody else holds the lock; the message says which process, where that is known."""


class Lock:
    """A lock on the file `path`, which is made where it is not there. It holds the number of its process.

    On a file system that has no locks it locks nothing.
    """

    def __init__(self, path: Path, patience: float = 0.0) -> None:
        self._name = os.path.realpath(path)
        deadline = time.monotonic() + patience
        while not self._take():
            if time.monotonic() >= deadline:
                raise Taken(self._holder())
            time.sleep(0.01)

    def _take(self) -> bool:
        if self._name in _held:
            return False
        # Nothing else may open and close this file while it is locked: with POSIX locks that would unlock it.
        handle = os.open(self._name, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        if not _lock(handle):
            os.close(handle)
            return False
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        self._handle = handle
        _held.add(self._name)
        return True

    def _holder(self) -> str:
        if self._name in _held:
            return str(os.getpid())
        try:
            text = Path(self._name).read_bytes()[:20].decode("ascii", "replace")
        except OSError:
            return ""
        return text if text.isdecimal() else ""

    def release(self) -> None:
        if self._name in _held:
            _held.discard(self._name)
            os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        # Far behind the text, so that the text can still be read.
        os.lseek(handle, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import errno
    import fcntl

    def _lock(handle: int) -> bool:
        # Not flock: a process that is forked off would inherit that lock, and outlive us with it.
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True
