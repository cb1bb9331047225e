"""The eight words that a check, and a whole submission, can be answered with."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a check or of a submission."""

    PASSED = "passed"
    FAILED = "failed"
    """The answer is wrong."""
    ERROR = "error"
    """The learner's code raised."""
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    NOT_ATTEMPTED = "not_attempted"
    """The stub is unchanged, or raises NotImplementedError."""
    SKIPPED = "skipped"
    """A check that this one needs did not pass, or a device is missing."""
    INTERNAL_ERROR = "internal_error"
    """Our fault: never scored as zero, always shown as "needs regrading"."""

    @property
    def words(self) -> str:
        """The verdict as a person reads it."""
        return _WORDS[self]


_WORDS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "wrong answer",
    Verdict.ERROR: "raised an error",
    Verdict.TIMEOUT: "took too long",
    Verdict.CRASHED: "crashed",
    Verdict.NOT_ATTEMPTED: "not attempted",
    Verdict.SKIPPED: "skipped",
    Verdict.INTERNAL_ERROR: "needs regrading",
}

# From the most to the least telling: a submission is called by the first of these that any check got.
_TELLING = (
    Verdict.INTERNAL_ERROR,
    Verdict.CRASHED,
    Verdict.TIMEOUT,
    Verdict.ERROR,
    Verdict.FAILED,
)


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """The one word for a submission whose checks got `verdicts`.

    The worst word wins. A submission of which something passed and the rest was not attempted is `failed`,
    one of which nothing was attempted is `not_attempted`, one that could not be judged on this machine at
    all is `skipped`.
    """
    got = set(verdicts)
    for word in _TELLING:
        if word in got:
            return word
    if Verdict.NOT_ATTEMPTED in got:
        return Verdict.FAILED if Verdict.PASSED in got else Verdict.NOT_ATTEMPTED
    if Verdict.PASSED in got:
        return Verdict.PASSED
    return Verdict.SKIPPED
