"""Where submissions lie: what a folder, a .zip and a .tar have in common.

A place is read in two steps. `listing` names everything, so that it can be decided by the names whose file
is whose and what is worth reading; `contents` then reads what was decided on, one file at a time. Nothing is
ever written to disk.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from grader.core.text import clean
from grader.intake.decoded import NotReadable

MAX_ENTRIES = 100_000
"""Files and folders in one archive: a class of 1,000 with every exercise has some 60,000."""
MAX_UNPACKED = 512 << 20
"""Bytes that any archive may unpack to."""
MAX_RATIO = 20
"""What a large archive may unpack to, as a multiple of its own size. Notebooks reach 10, a bomb 1,000."""
MAX_OF_STUDENT = 128 << 20
"""Bytes that are read for one student, so that one student's bomb does not use up what all may have."""
MAX_DEPTH = 32
MAX_NAME = 255


def most_unpacked(size: int) -> int:
    """Bytes that an archive of `size` bytes may unpack to."""
    return max(MAX_UNPACKED, MAX_RATIO * size)


class Kind(Enum):
    FILE = auto()
    FOLDER = auto()
    REFUSED = auto()
    """Something that is never opened: a link, a device, a path that leads outside."""


@dataclass(frozen=True)
class Entry:
    """One name in a place. `parts` are the parts of its path; empty means the place itself."""

    parts: tuple[str, ...]
    kind: Kind
    size: int = 0
    reason: str = ""
    modified: datetime | None = None


class Place(Protocol):
    def listing(self) -> list[Entry]:
        """Everything that is there. What went wrong is an entry that is refused."""

    def contents(self, wanted: Mapping[int, Entry]) -> Iterator[tuple[int, bytes | NotReadable]]:
        """The bytes of some entries, by their place in the listing; at most `size` bytes of each."""


def split(path: str) -> tuple[tuple[str, ...], str]:
    """A path as an archive wrote it in its parts, and why it must not be read where that is so."""
    flat = path.replace("\\", "/")  # as archives made on Windows have it
    parts = tuple(part for part in flat.split("/") if part not in ("", "."))
    if flat.startswith("/") or (parts and parts[0][1:] == ":"):
        return ("", *parts), "Its path is absolute; pack the files with relative paths."
    if ".." in parts:
        return parts, "Its path leads outside the archive."
    return parts, name_fault(parts)


def name_fault(parts: tuple[str, ...]) -> str:
    """Why names can't be taken as they are, or nothing."""
    if len(parts) > MAX_DEPTH:
        return f"It lies more than {MAX_DEPTH} folders deep."
    for part in parts:
        if part.isascii() and part.isprintable():
            pass  # most names, and a class has many
        elif clean(part, len(part)) != part or "\n" in part or "\t" in part:
            return "Its name has characters that can't be shown; rename it."
        if len(part.encode()) > MAX_NAME:
            return f"Its name is longer than {MAX_NAME} bytes; rename it."
    return ""


def same_form(part: str) -> str:
    """A name in one of the two ways to write an accented letter, whatever system packed it."""
    return unicodedata.normalize("NFC", part)
