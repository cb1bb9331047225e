"""What an attempt counts for once lateness and a person's word are put to it.

Derived whenever it is asked for, never stored: the attempt stays what the checks said, so that another policy, a
forgiven delay or a regrade need nothing to be taken back.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self

from grader.core.attempt import Attempt
from grader.core.errors import WrongUsage
from grader.core.submission import HandedIn
from grader.core.text import one_line

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%(?:\s*(?:/|per\s+)day)?")


@dataclass(frozen=True)
class LatePolicy:
    """What handing in late costs: a share of the points earned for each day that was begun."""

    per_day: float = 0.0
    """0: nothing; 0.1: a tenth of what was earned for each day; 1 or more: one day late counts nothing."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "none", "zero", or "10%" (per day). Raises WrongUsage."""
        word = text.strip().lower()
        if word in ("none", "zero"):
            return cls(0.0 if word == "none" else 1.0)
        found = _PERCENT.fullmatch(word)
        if found is None or float(found[1]) > 100:
            raise WrongUsage(
                f"'{one_line(text, 40)}' is no late policy: say none, zero, or a share for each day such as 10%."
            )
        return cls(round(float(found[1]) / 100, 6))

    def __str__(self) -> str:
        share = f"{self.per_day * 100:.4f}".rstrip("0").rstrip(".")
        return {0.0: "none", 1.0: "zero"}.get(self.per_day) or f"{share}%"

    @property
    def words(self) -> str:
        """What it says, as the end of "handing in late ..."."""
        if self.per_day >= 1:
            return "earns nothing"
        return f"costs {self} of what was earned for each day that was begun" if self.per_day else "costs nothing"

    @property
    def sentence(self) -> str:
        """The same as a sentence, for those who read a page."""
        return f"Handing in late {self.words}."

    def kept(self, days: int) -> float:
        """The share of the points earned that is left after so many days, 0 to 1."""
        return max(0.0, 1.0 - self.per_day * days)


@dataclass(frozen=True)
class DueDates:
    """Until when answers are to be handed in."""

    usual: datetime | None = None
    """For every exercise that has no date of its own; with its offset from UTC."""
    special: Mapping[str, datetime | None] = field(default_factory=dict)
    """Of single exercises, by their name; None for one that has no date at all."""

    def of(self, exercise: str) -> datetime | None:
        return self.special.get(exercise, self.usual)

    def __bool__(self) -> bool:
        return self.usual is not None or any(self.special.values())

    @property
    def words(self) -> str:
        """What they are, as the end of "due ..."."""
        said = [_shown(self.usual)] if self.usual else []
        said += [f"{name} {_shown(when)}" for name, when in sorted(self.special.items())]
        return ", ".join(said) or "none"

    def as_json(self) -> dict[str, Any]:
        return {
            "usual": self.usual.isoformat() if self.usual else None,
            "special": {name: when.isoformat() if when else None for name, when in sorted(self.special.items())},
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        return cls(
            datetime.fromisoformat(said["usual"]) if said["usual"] else None,
            {name: datetime.fromisoformat(when) if when else None for name, when in said["special"].items()},
        )


def _shown(when: datetime | None) -> str:
    return when.isoformat(" ", "minutes") if when is not None else "none"


def moment(text: str) -> datetime:
    """The moment that "2026-12-01" (the end of that day) or "2026-12-01T18:00" names, in local time unless the text has
    an offset from UTC. Raises WrongUsage.
    """
    said = text.strip()
    try:
        try:
            found = datetime.combine(date.fromisoformat(said), time.max)
        except ValueError:
            found = datetime.fromisoformat(said)
        found = found if found.tzinfo is not None else found.astimezone()
        found.astimezone(UTC)  # the first and the last day of all cannot be compared everywhere
        return found
    except (ValueError, OverflowError, OSError):
        raise WrongUsage(
            f"'{one_line(text, 40)}' is no date: say 2026-12-01 (the end of that day) or 2026-12-01T18:00, and "
            "+01:00 or Z after it where the time is not a local one."
        ) from None


def days_late(due: datetime | None, handed_in: HandedIn | None) -> int:
    """Days after the due date that were begun, each of 24 hours. Canvas's mark says one at least."""
    if handed_in is None:
        return 0
    days = 0
    if due is not None and handed_in.at is not None and handed_in.at > due:
        days = -((due - handed_in.at) // timedelta(days=1))
    return max(days, int(handed_in.marked_late))


@dataclass(frozen=True)
class Adjustment:
    """Points that a person gave (or took, below zero) beside those of the checks."""

    student: str
    exercise: str
    points: float
    reason: str
    made: str
    """When, ISO 8601 with the offset from UTC."""


@dataclass(frozen=True)
class Grade:
    """One student's grade in one exercise."""

    student: str
    exercise: str
    attempt: Attempt | None
    """None: nothing was handed in."""
    possible: float
    """Points that can be earned by the checks."""
    days_late: int = 0
    """Days after the due date that were begun; 0 in time."""
    policy: LatePolicy = LatePolicy()
    adjustments: tuple[Adjustment, ...] = field(default=())
    due: datetime | None = None
    handed_in: HandedIn | None = None
    """None where nothing was handed in, or nobody says when."""

    @property
    def earned(self) -> float | None:
        """Points of the checks; None where it needs regrading."""
        points = self.attempt.score if self.attempt is not None else 0.0
        return points if points is not None and math.isfinite(points) else None

    @property
    def penalty(self) -> float:
        """Points lost for lateness, 0 or more."""
        return (self.earned or 0.0) * (1.0 - self.policy.kept(self.days_late))

    @property
    def adjusted(self) -> float:
        """Points that persons gave or took, together."""
        return sum(one.points for one in self.adjustments)

    @property
    def score(self) -> float | None:
        """The points that count, never below 0; a person may give more than the checks have. None where it needs
        regrading: an unknown score is not a smaller one.
        """
        if self.earned is None:
            return None
        return max(0.0, self.earned - self.penalty + self.adjusted)
