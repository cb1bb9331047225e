"""What an attempt counts for once lateness and a person's word are put to it.

Derived whenever it is asked for, never stored: the attempt stays what the checks said, so that another policy, a
forgiven delay or a regrade need nothing to be taken back.
"""

import re
from dataclasses import dataclass, field
from typing import Self

from grader.core.attempt import Attempt
from grader.core.errors import WrongUsage

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%(?:\s*(?:/|per\s+)day)?")


@dataclass(frozen=True)
class LatePolicy:
    """What handing in late costs: a share of the points earned for each day that was begun."""

    per_day: float = 0.0
    """0: nothing; 0.1: a tenth of what was earned for each day; 1 or more: one day late counts nothing."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """ "none", "zero", or "10%" (per day). Raises WrongUsage."""
        word = text.strip().lower()
        if word in ("none", "zero"):
            return cls(0.0 if word == "none" else 1.0)
        found = _PERCENT.fullmatch(word)
        if found is None or float(found[1]) > 100:
            raise WrongUsage(f"'{text}' is no late policy: say none, zero, or a share for each day such as 10%.")
        return cls(float(found[1]) / 100)

    def __str__(self) -> str:
        return {0.0: "none", 1.0: "zero"}.get(self.per_day) or f"{self.per_day * 100:g}%"

    def kept(self, days: int) -> float:
        """The share of the points earned that is left after so many days, 0 to 1."""
        return max(0.0, 1.0 - self.per_day * days)


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

    @property
    def earned(self) -> float | None:
        """Points of the checks; None where it needs regrading."""
        return self.attempt.score if self.attempt is not None else 0.0

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
