"""What was handed in: one student's answer to one exercise, as text."""

import hashlib
from dataclasses import dataclass


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


@dataclass(frozen=True)
class Unreadable:
    """Something that was handed in and cannot be graded, with the reason: listed, never dropped."""

    path: str
    reason: str


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
