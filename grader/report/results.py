"""What every exporter takes: the attempts of a run, and what is known about the run itself."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from grader.core.attempt import Attempt
from grader.core.errors import AutogradebookError
from grader.core.exercise import Exercise, in_language
from grader.core.grade import Adjustment, DueDates, Grade, LatePolicy, days_late
from grader.core.history import Past
from grader.core.submission import HandedIn, Submission, Unreadable
from grader.core.verdict import Verdict

Sources = Callable[[str, str], Submission | None]
"""(student, exercise) -> what was handed in, or None where it is no longer to be had."""


Histories = Callable[[], Mapping[tuple[str, str], tuple[Past, ...]]]
"""All that was ever graded, by (student, exercise), the oldest first; asked for once, and only when it is shown."""


def no_sources(_student: str, _exercise: str) -> Submission | None:
    return None


def no_histories() -> Mapping[tuple[str, str], tuple[Past, ...]]:
    return {}


@dataclass(frozen=True)
class Standing:
    """One student's sums over all exercises."""

    student: str
    total: float | None
    """The grades together, after lateness and adjustments. None where something needs regrading: an unknown sum is
    not a smaller one.
    """
    max_total: float
    handed_in: tuple[str, ...]
    missing: tuple[str, ...]
    regrade: tuple[str, ...]

    @property
    def share(self) -> float | None:
        return share(self.total, self.max_total)


@dataclass(frozen=True)
class Results:
    """A graded class. Where a student has several attempts at an exercise, the last one stands."""

    attempts: tuple[Attempt, ...]
    exercises: tuple[Exercise, ...]
    students: tuple[str, ...]
    """Everybody who is expected to hand in; students who only appear in attempts are added."""
    unreadable: tuple[Unreadable, ...]
    grader: str
    torch: str
    device: str
    confinement: str
    seed: int
    created: datetime
    trusted: bool = False
    """Whether the instructor vouched for the submissions, so that they might run unconfined."""
    title: str = ""
    sources: Sources = no_sources
    policy: LatePolicy = field(default_factory=LatePolicy)
    due: DueDates = field(default_factory=DueDates)
    handed_in: Mapping[tuple[str, str], HandedIn] = field(default_factory=dict)
    """When each answer was handed in, by (student, exercise)."""
    adjustments: tuple[Adjustment, ...] = ()
    """The oldest first."""
    histories: Histories = no_histories

    @cached_property
    def standing_attempts(self) -> dict[tuple[str, str], Attempt]:
        """The attempt that counts, by (student, exercise)."""
        return {(attempt.student, attempt.exercise): attempt for attempt in self.attempts}

    @cached_property
    def everyone(self) -> tuple[str, ...]:
        named = dict.fromkeys(self.students)
        others = {one.student for one in self.attempts} | {one.student for one in self.adjustments}
        return (*named, *sorted(others - named.keys()))

    @cached_property
    def exercise_names(self) -> tuple[str, ...]:
        """In the order of the exercises; names that only appear in attempts or adjustments come last."""
        ordered = sorted(self.exercises, key=lambda exercise: (exercise.number, exercise.name))
        known = dict.fromkeys(exercise.name for exercise in ordered)
        others = {one.exercise for one in self.attempts} | {one.exercise for one in self.adjustments}
        return (*known, *sorted(others - known.keys()))

    @cached_property
    def _by_name(self) -> dict[str, Exercise]:
        return {exercise.name: exercise for exercise in self.exercises}

    def exercise(self, name: str) -> Exercise | None:
        return self._by_name.get(name)

    def title_of(self, name: str) -> str:
        exercise = self._by_name.get(name)
        return in_language(exercise.title) if exercise else name

    def attempt(self, student: str, exercise: str) -> Attempt | None:
        return self.standing_attempts.get((student, exercise))

    def max_score(self, student: str, exercise: str) -> float:
        """What could be earned. Our own failure, or nothing handed in, leaves the exercise's points."""
        attempt = self.attempt(student, exercise)
        if attempt is not None and attempt.status is not Verdict.INTERNAL_ERROR:
            return finite(attempt.max_score) or 0.0
        known = self._by_name.get(exercise)
        if known is not None:
            return finite(known.points) or 0.0
        return (finite(attempt.max_score) or 0.0) if attempt else 0.0

    @cached_property
    def _adjusted(self) -> dict[tuple[str, str], tuple[Adjustment, ...]]:
        found: dict[tuple[str, str], tuple[Adjustment, ...]] = {}
        for one in self.adjustments:
            who = (one.student, one.exercise)
            found[who] = (*found.get(who, ()), one)
        return found

    def grade(self, student: str, exercise: str) -> Grade:
        """What counts: the checks' points, less what lateness costs, and with what a person gave or took."""
        attempt = self.attempt(student, exercise)
        due = self.due.of(exercise)
        handed_in = self.handed_in.get((student, exercise)) if attempt is not None else None
        return Grade(
            student=student,
            exercise=exercise,
            attempt=attempt,
            possible=self.max_score(student, exercise),
            days_late=days_late(due, handed_in),
            policy=self.policy,
            adjustments=self._adjusted.get((student, exercise), ()),
            due=due,
            handed_in=handed_in,
        )

    @cached_property
    def late(self) -> tuple[Grade, ...]:
        """Everything that was handed in late, by student and exercise."""
        grades = (self.grade(student, name) for student in self.everyone for name in self.exercise_names)
        return tuple(grade for grade in grades if grade.days_late)

    @cached_property
    def _histories(self) -> Mapping[tuple[str, str], tuple[Past, ...]]:
        return self.histories()

    def history(self, student: str, exercise: str) -> tuple[Past, ...]:
        """Every attempt that was ever recorded, the oldest first."""
        return self._histories.get((student, exercise), ())

    @cached_property
    def standings(self) -> dict[str, Standing]:
        return {student: self._standing(student) for student in self.everyone}

    def _standing(self, student: str) -> Standing:
        handed_in: list[str] = []
        missing: list[str] = []
        regrade: list[str] = []
        total = max_total = 0.0
        for name in self.exercise_names:
            grade = self.grade(student, name)
            max_total += grade.possible
            (missing if grade.attempt is None else handed_in).append(name)
            score = finite(grade.score)
            if score is None:
                regrade.append(name)
            else:
                total += score
        return Standing(
            student=student,
            total=None if regrade else total,
            max_total=max_total,
            handed_in=tuple(handed_in),
            missing=tuple(missing),
            regrade=tuple(regrade),
        )

    def source(self, attempt: Attempt) -> Submission | None:
        """What was graded, or None: a file that is gone must not take the report with it."""
        try:
            submission = self.sources(attempt.student, attempt.exercise)
        except (OSError, ValueError, LookupError, AutogradebookError):
            return None
        if submission is None or submission.sha256 != attempt.sha256:
            # The file has changed since: another file's lines would explain nothing.
            return None
        return submission

    @property
    def well_confined(self) -> bool:
        return well_confined(self.confinement)


def unsettled(attempt: Attempt) -> bool:
    """Whether no score can be given, so that it must be graded again."""
    return finite(attempt.score) is None


def well_confined(level: str) -> bool:
    """Whether a level of confinement is one that official grading accepts."""
    words = level.lower().replace("+", " ").replace(",", " ").split()
    return "full" in words or {"landlock", "seccomp"} <= set(words)


def finite(value: float | None) -> float | None:
    """`value`, or None for what no sum can use."""
    return value if value is not None and math.isfinite(value) else None


def share(score: float | None, out_of: float) -> float | None:
    """Part of the points earned, 0 to 1, or None where there is none to be had."""
    if score is None or out_of <= 0 or not math.isfinite(score) or not math.isfinite(out_of):
        return None
    return min(max(score / out_of, 0.0), 1.0)


def number(value: float | None) -> str:
    """Points as people write them: "3", "2.5", "0.33"; "–" for what is not known."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def percent(value: float | None) -> str:
    """0.873 -> "87%". Only a whole is called 100, so that a near miss is not read as a pass."""
    if value is None or not math.isfinite(value):
        return "–"
    rounded = round(value * 100)
    if rounded == 100 and value < 1:
        rounded = 99
    if rounded == 0 and value > 0:
        rounded = 1
    return f"{rounded}%"
