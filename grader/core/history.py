"""What was ever graded, as it is told afterwards: every attempt without its checks, and why it no longer counts."""

from dataclasses import dataclass
from enum import StrEnum

from grader.core.verdict import Verdict


class Superseded(StrEnum):
    """Why an attempt no longer counts, as far as that can be told from what was recorded."""

    OURS = "our_fault"
    FILE = "file"
    AGAIN = "again"
    SEED = "seed"
    ENGINE = "engine"
    MACHINE = "machine"
    EXERCISE = "exercise"
    GONE = "gone"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Superseded.OURS: "our own fault, judged again",
    Superseded.FILE: "the file changed",
    Superseded.AGAIN: "judged again",
    Superseded.SEED: "another seed was asked for",
    Superseded.ENGINE: "another version of Autogradebook, Python or torch",
    Superseded.MACHINE: "another device or confinement",
    Superseded.EXERCISE: "the exercise changed",
    Superseded.GONE: "not among what the last run found",
    Superseded.UNKNOWN: "no longer up to date, and not judged again yet",
}


@dataclass(frozen=True)
class Past:
    """An attempt as the history tells it."""

    student: str
    exercise: str
    recorded: str
    """When, ISO 8601 with the offset from UTC."""
    path: str
    sha256: str
    status: Verdict
    score: float | None
    max_score: float
    seed: int
    grader: str
    """Version of Autogradebook; of this and the next, "" where it was not noted."""
    python: str
    torch: str
    device: str
    confinement: str
    note: str = ""
    superseded: Superseded | None = None
    """None for the attempt that counts."""

    @property
    def counts(self) -> bool:
        return self.superseded is None
