"""What was handed in: one student's answer to one exercise, as text."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class Submission:
    """One file of one student, read and decoded.

    `source` is Python. For a notebook it is the code of its cells, and `cells` says where each begins, so
    that a line of `source` can be named as the learner knows it.
    """

    student: str
    exercise: str
    path: str
    """As handed in, relative to the folder or archive of submissions, with forward slashes."""
    source: str
    sha256: str
    """Of the bytes that were handed in."""
    cells: tuple[tuple[int, int], ...] = ()
    """For a notebook: (number of the cell as shown, first line in `source`), in order."""
    notes: tuple[str, ...] = ()
    """What intake left out and why, for the learner to read."""

    @property
    def file_name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    def where(self, line: int) -> str:
        """A line of `source` as the learner knows it: "line 7" or "cell 3, line 2"."""
        for number, first in reversed(self.cells):
            if line >= first:
                return f"cell {number}, line {line - first + 1}"
        return f"line {line}"


class SaidBy(StrEnum):
    """Who says when an answer was handed in, from the most to the least to be trusted."""

    NBGRADER = "nbgrader"
    """The `timestamp.txt` that nbgrader puts beside a submission."""
    CANVAS = "canvas"
    """The mark in a file's name; it knows no time."""
    ARCHIVE = "archive"
    """The time that an archive keeps of its member."""
    FILE = "file"
    """When the file was changed last; a copy may have changed that."""

    @property
    def words(self) -> str:
        return _SAID_BY[self]


_SAID_BY = {
    SaidBy.NBGRADER: "nbgrader's timestamp.txt",
    SaidBy.CANVAS: "Canvas's mark in the file name",
    SaidBy.ARCHIVE: "the archive",
    SaidBy.FILE: "the file's own date",
}


@dataclass(frozen=True)
class HandedIn:
    """When an answer was handed in, as far as it is known."""

    at: datetime | None
    """With its offset from UTC; None where nobody says it."""
    said_by: SaidBy
    marked_late: bool = False
    """Canvas says that it is late, and not by how much."""


@dataclass(frozen=True)
class Unreadable:
    """Something that was handed in and cannot be graded, with the reason: listed, never dropped."""

    path: str
    reason: str


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
