"""Read one file that was handed in: `read_file`, and `decode`, which chooses the reader by the name."""

import os
import posixpath
import stat
from pathlib import Path

from grader.core.submission import Submission, Unreadable, digest
from grader.core.text import one_line
from grader.intake import notebook, python_file
from grader.intake.decoded import MAX_NOTEBOOK, MAX_PYTHON, Decoded, NotReadable, megabytes

_READERS = {".py": (python_file.decode, MAX_PYTHON), ".ipynb": (notebook.decode, MAX_NOTEBOOK)}


def suffix(name: str) -> str:
    """The suffix that decides what a file is, in lower case."""
    return posixpath.splitext(name)[1].casefold()


def is_answer(name: str) -> bool:
    """Whether a file of this name can hold an answer."""
    return suffix(name) in _READERS


def cap(name: str) -> int:
    """The most bytes that a file of this name may have."""
    return _READERS[suffix(name)][1] if is_answer(name) else 0


def decode(name: str, data: bytes) -> Decoded:
    """The text of a file, read as its name says."""
    if not is_answer(name):
        raise NotReadable("It is not a .py or .ipynb file.")
    reader, _ = _READERS[suffix(name)]
    return reader(data)


def shown(path: str) -> str:
    """A path as a report may show it: a name is a stranger's text too."""
    return one_line(path, 400)


def read_file(
    path: Path, student: str = "", exercise: str = "", shown_path: str | None = None
) -> Submission | Unreadable:
    """Read one file, a learner's own: a link is followed, anything but a regular file is refused."""
    name = shown(path.name if shown_path is None else shown_path)
    try:
        data = bytes_of(path, cap(path.name) or MAX_PYTHON)
        decoded = decode(path.name, data)
    except NotReadable as why:
        return Unreadable(name, str(why))
    return Submission(student, exercise, name, decoded.source, digest(data), decoded.cells, decoded.notes)


def bytes_of(path: Path, most: int, follow: bool = True) -> bytes:
    """The bytes of a regular file of at most `most` bytes; it is never waited for, as one waits for a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise NotReadable("It is not a regular file.")
            data = file.read(most + 1) if status.st_size <= most else b""
    except (OSError, ValueError) as error:
        raise NotReadable(_why(path, error)) from None
    if status.st_size > most or len(data) > most:
        raise NotReadable(f"It is larger than {megabytes(most)}.")
    return data


def _why(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file; look at the name, or make it anew with `learn init`."
    if isinstance(error, IsADirectoryError) or path.is_dir():
        return "It is a folder, not a file."
    if isinstance(error, PermissionError):
        return "It may not be read; give yourself the right to read it."
    if isinstance(error, OSError) and error.strerror:
        return f"It can't be read: {error.strerror}."
    return "It can't be read: its name is not one of a file."
