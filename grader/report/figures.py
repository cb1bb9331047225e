"""What a class's results say: which checks and ideas to talk about, and which checks to look at again.

Scores are grades, after lateness and adjustments. What is said of checks is not: it is about the answers.

Two figures of test theory are used. *Difficulty* is the share of a check's points that the class earned (high
is easy). *Discrimination* is the correlation of a check with the points each student earned on all other
checks (the point-biserial coefficient where a check is all or nothing): those who do well elsewhere should
earn it more often, so a value near zero or below it speaks against the check.
"""

import math
import statistics
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from grader.core.attempt import Attempt, CheckResult
from grader.core.exercise import in_language
from grader.core.grade import Grade
from grader.core.verdict import Verdict
from grader.report.results import Results, finite, share, unsettled

ENOUGH_STUDENTS = 10
"""Below this many a correlation says more about chance than about a check."""

GOOD_DISCRIMINATION = 0.3
FEW = 3
"""What this many students do can still be an accident."""

BINS = 10


@dataclass(frozen=True)
class ExerciseFigures:
    name: str
    title: str
    number: str
    expected: int
    full: int
    """How many earned every point."""
    some: int
    nothing: int
    regrade: tuple[str, ...]
    missing: tuple[str, ...]
    late: int
    """How many were handed in late."""
    mean: float | None
    """Mean share of the points, of those who handed in and could be graded."""

    @property
    def handed_in(self) -> int:
        return self.expected - len(self.missing)


@dataclass(frozen=True)
class CheckFigures:
    exercise: str
    id: str
    title: str
    judged: int
    """How many submissions the check said something about."""
    outcomes: tuple[tuple[Verdict, int], ...]
    """How it ended where it did not pass, the most frequent first."""
    difficulty: float | None
    discrimination: float | None

    @cached_property
    def not_passed(self) -> int:
        return sum(count for _, count in self.outcomes)

    @property
    def failed_share(self) -> float | None:
        return share(self.not_passed, self.judged)

    @property
    def doubtful(self) -> str:
        """Why the check itself deserves a look, or nothing."""
        if self.judged >= ENOUGH_STUDENTS and self.not_passed == self.judged:
            return "nobody passed it"
        passed = self.judged - self.not_passed
        if self.discrimination is None or min(passed, self.not_passed) < FEW:
            return ""
        # One standard error of a correlation: a small class must say so more clearly than a large one.
        if self.discrimination + 1 / math.sqrt(self.judged) < GOOD_DISCRIMINATION:
            return "those who do well elsewhere do not do better here"
        return ""


@dataclass(frozen=True)
class MisconceptionFigures:
    exercise: str
    slug: str
    sentence: str
    students: tuple[str, ...]
    handed_in: int


@dataclass(frozen=True)
class Distribution:
    """Students by the share of all points that they earned; those with an unknown total are left out."""

    counts: tuple[int, ...]
    mean: float | None
    median: float | None

    @property
    def known(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class ClassFigures:
    results: Results

    @cached_property
    def grades(self) -> dict[tuple[str, str], Grade]:
        """Of every student in every exercise, by both."""
        results = self.results
        return {
            (student, name): results.grade(student, name)
            for student in results.everyone
            for name in results.exercise_names
        }

    @cached_property
    def touched(self) -> tuple[Grade, ...]:
        """Grades that are not just what the checks gave: late, or adjusted by a person."""
        return tuple(grade for grade in self.grades.values() if grade.days_late or grade.adjustments)

    @cached_property
    def verdicts(self) -> Counter[Verdict]:
        return Counter(attempt.status for attempt in self.results.standing_attempts.values())

    @cached_property
    def exercises(self) -> tuple[ExerciseFigures, ...]:
        return tuple(self._exercise(name) for name in self.results.exercise_names)

    @cached_property
    def regrade(self) -> tuple[tuple[str, ExerciseFigures], ...]:
        """(student, exercise) of everything that has no score through a fault of ours."""
        return tuple((student, figure) for figure in self.exercises for student in figure.regrade)

    def _exercise(self, name: str) -> ExerciseFigures:
        results = self.results
        regrade, missing, shares, late = [], [], [], 0
        for student in results.everyone:
            grade = self.grades[student, name]
            late += bool(grade.days_late)
            if grade.attempt is None:
                missing.append(student)
            elif unsettled(grade.attempt):
                regrade.append(student)
            else:
                got = share(finite(grade.score), grade.possible)
                if got is not None:
                    shares.append(got)
        known = results.exercise(name)
        return ExerciseFigures(
            name=name,
            title=results.title_of(name),
            number=f"{known.number:02d}" if known else "",
            expected=len(results.everyone),
            full=sum(got >= 1 for got in shares),
            some=sum(0 < got < 1 for got in shares),
            nothing=sum(got <= 0 for got in shares),
            regrade=tuple(regrade),
            missing=tuple(missing),
            late=late,
            mean=statistics.fmean(shares) if shares else None,
        )

    @cached_property
    def distribution(self) -> Distribution:
        known = (standing.share for standing in self.results.standings.values() if standing.handed_in)
        shares = [got for got in known if got is not None]
        counts = Counter(min(int(got * BINS + 1e-9), BINS - 1) for got in shares)
        return Distribution(
            counts=tuple(counts[i] for i in range(BINS)),
            mean=statistics.fmean(shares) if shares else None,
            median=statistics.median(shares) if shares else None,
        )

    @cached_property
    def checks(self) -> tuple[CheckFigures, ...]:
        """Every check, those that most failed first."""
        heard: dict[tuple[str, str], list[tuple[str, CheckResult]]] = {}
        for attempt in self._judged():
            for check in attempt.checks:
                if check.counts and check.status is not Verdict.INTERNAL_ERROR:
                    heard.setdefault((attempt.exercise, check.id), []).append((attempt.student, check))
        figures = [self._check(exercise, id, said) for (exercise, id), said in heard.items()]
        order = {name: place for place, name in enumerate(self.results.exercise_names)}
        # The sort is stable: within an exercise the checks keep the order they are written in.
        figures.sort(key=lambda figure: order[figure.exercise])
        return tuple(sorted(figures, key=lambda figure: -(figure.failed_share or 0.0)))

    def _judged(self) -> list[Attempt]:
        return [attempt for attempt in self.results.standing_attempts.values() if not unsettled(attempt)]

    @cached_property
    def _points(self) -> dict[str, float]:
        """What the checks gave each student; those with something unknown are no measure for a check."""
        found = dict.fromkeys(self.results.everyone, 0.0)
        for (student, _), grade in self.grades.items():
            if grade.earned is None:
                found.pop(student, None)
            elif student in found:
                found[student] += grade.earned
        return found

    def _check(self, exercise: str, id: str, said: list[tuple[str, CheckResult]]) -> CheckFigures:
        outcomes = Counter(check.status for _, check in said if check.status is not Verdict.PASSED)
        earned = [share(check.points, check.max_points) for _, check in said]
        known = [got for got in earned if got is not None]
        pairs = [
            (got, self._points[student] - (finite(check.points) or 0.0))
            for (student, check), got in zip(said, earned, strict=True)
            if got is not None and student in self._points
        ]
        return CheckFigures(
            exercise=exercise,
            id=id,
            title=said[-1][1].title,
            judged=len(said),
            outcomes=tuple(outcomes.most_common()),
            difficulty=statistics.fmean(known) if known else None,
            discrimination=_correlation(pairs) if len(pairs) >= ENOUGH_STUDENTS else None,
        )

    @cached_property
    def misconceptions(self) -> tuple[MisconceptionFigures, ...]:
        """The known wrong ideas that answers showed, the most widespread first."""
        holders: dict[tuple[str, str], dict[str, str]] = {}
        for attempt in self.results.standing_attempts.values():
            for check in attempt.checks:
                if check.misconception and check.status is not Verdict.PASSED:
                    held = holders.setdefault((attempt.exercise, check.misconception), {})
                    held.setdefault(attempt.student, check.message)
        handed_in = {figure.name: figure.handed_in for figure in self.exercises}
        found = [
            MisconceptionFigures(
                exercise=exercise,
                slug=slug,
                sentence=self.sentence(exercise, slug) or next(iter(held.values())),
                students=tuple(held),
                handed_in=handed_in[exercise],
            )
            for (exercise, slug), held in holders.items()
        ]
        return tuple(sorted(found, key=lambda idea: -len(idea.students)))

    def sentence(self, exercise: str, slug: str) -> str:
        known = self.results.exercise(exercise)
        texts = known.misconceptions.get(slug) if known else None
        return in_language(texts) if texts else ""


def _correlation(pairs: list[tuple[float, float]]) -> float | None:
    try:
        return statistics.correlation([one for one, _ in pairs], [other for _, other in pairs])
    except statistics.StatisticsError:
        # Everybody earned the same: there is nothing that could go together.
        return None
