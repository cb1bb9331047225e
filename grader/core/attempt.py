"""The outcome of grading one submission: a verdict and points for each check."""

from dataclasses import dataclass, fields
from typing import Any

from grader.core.verdict import Verdict, overall


@dataclass(frozen=True)
class CheckResult:
    """What one check said."""

    id: str
    title: str
    status: Verdict
    points: float
    max_points: float
    message: str = ""
    """Plain text for the learner, cleaned of control characters."""
    misconception: str | None = None
    """Slug of the known wrong idea whose answer this was."""
    where: str = ""
    """Place in the learner's own file, "line 7", where their code raised."""
    traceback: str = ""
    """The frames of the learner's own file, and no others."""
    printed: str = ""
    """What their code wrote while this check ran; bounded."""
    given: str = ""
    """The input, where it is small enough to be read."""
    counts: bool = True
    """False for a check that could not run on this device: its points are taken out of the maximum."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """One submission, graded."""

    student: str
    exercise: str
    path: str
    sha256: str
    checks: tuple[CheckResult, ...]
    seed: int
    device: str
    confinement: str
    torch: str
    seconds: float = 0.0
    note: str = ""
    """Why nothing was judged (a syntax error, our own fault), when that is so; or what intake left out."""

    @property
    def status(self) -> Verdict:
        return overall(check.status for check in self.checks)

    @property
    def max_score(self) -> float:
        return sum(check.max_points for check in self.checks if check.counts)

    @property
    def score(self) -> float | None:
        """Points earned, or None where our own failure left the sum unknown."""
        if self.status is Verdict.INTERNAL_ERROR:
            return None
        return sum(check.points for check in self.checks if check.counts)

    def as_json(self) -> dict[str, Any]:
        """One element of `submissions` in results.json."""
        return {
            "student": self.student,
            "exercise": self.exercise,
            "path": self.path,
            "sha256": self.sha256,
            "status": str(self.status),
            "score": self.score,
            "max_score": self.max_score,
            "seconds": round(self.seconds, 3),
            "note": self.note,
            "checks": [_check_as_json(check) for check in self.checks],
        }


def _check_as_json(check: CheckResult) -> dict[str, Any]:
    said = {name: getattr(check, name) for name in _CHECK}
    return said | {"status": str(check.status), "seconds": round(check.seconds, 3)}


_CHECK = tuple(one.name for one in fields(CheckResult))
