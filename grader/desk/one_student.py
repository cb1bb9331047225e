"""One student's files, judged as `learn grade` judges a class: what Gradescope and GitHub Classroom ask for.

Both systems start a grader for each submission and give it a folder. Here that folder becomes a class of one, so
that intake, confinement, verdicts and points are those of `learn grade` and of nothing else. Whatever goes wrong on
our side is told in `Judged.fault`, and what could not be judged then has a verdict that says so and no score.
"""

import math
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.catalogue import Catalogue
from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import AutogradebookError, BadFile, WrongUsage
from grader.core.exercise import Exercise
from grader.core.submission import Submission, Unreadable
from grader.core.text import one_line
from grader.core.verdict import Verdict
from grader.flow import ENGINE, OFFICIAL, TORCH, Order, expected_confinement, grade_batch
from grader.intake.decoded import NotReadable
from grader.intake.match import Names
from grader.intake.submissions import Intake, read_submissions
from grader.report.results import Results

STUDENT = "student"
# A folder of this name holds students' folders and nothing else: whatever lies in the student's, it is theirs.
_CLASS = "submitted"


@dataclass(frozen=True)
class Assignment:
    """What is to be handed in, and how it is judged."""

    exercises: tuple[str, ...] = ()
    """As typed; none means all."""
    pack: Path | None = None
    seed: int | None = None
    trust: bool = False
    """Whether to run the code even where this machine cannot confine it."""
    seconds: float = math.inf
    """After so long no further exercise is begun; those that are left need regrading."""


@dataclass(frozen=True)
class Judged:
    """What became of one student's files."""

    results: Results
    seconds: float
    fault: str = ""
    """Why something could not be judged, where that is our fault or the machine's."""
    unread: dict[str, str] = field(default_factory=dict)
    """Why an exercise has no attempt although a file of its name was handed in."""

    @property
    def needs_regrading(self) -> bool:
        return bool(self.fault) or any(attempt.score is None for attempt in self.results.attempts)

    @property
    def missing(self) -> tuple[Exercise, ...]:
        """Exercises for which nothing was handed in that could be read."""
        return tuple(one for one in self.results.exercises if self.results.attempt(STUDENT, one.name) is None)


def chosen(exercises: Sequence[str], pack: Path | None) -> tuple[Exercise, ...]:
    """The exercises that were named, or all, in order."""
    return Catalogue.load(pack).chosen(exercises)


def judge_student(
    places: Sequence[Path], assignment: Assignment, done: Callable[[Attempt], None] = lambda attempt: None
) -> Judged:
    """Judge the files and folders in `places`, all of one student. Raises where nothing could even be read.

    done: told of each attempt as it ends.
    """
    started = time.monotonic()
    catalogue = Catalogue.load(assignment.pack)
    wanted = catalogue.chosen(assignment.exercises)
    seed = secrets.randbelow(2**31) if assignment.seed is None else assignment.seed
    with tempfile.TemporaryDirectory(prefix="autogradebook-") as base:
        handed_in = _read(places, Path(base) / _CLASS, catalogue.names)
        names = {exercise.name for exercise in wanted}
        submissions = [one for one in handed_in.submissions if one.exercise in names]
        attempts: dict[str, Attempt] = {}
        order = Order(
            Path(base) / _CLASS,
            Path(base) / "out",
            tuple(exercise.name for exercise in wanted),
            assignment.pack,
            jobs=1,
            seed=seed,
            formats=(),
            trust=assignment.trust,
        )
        fault = _judge(order, submissions, attempts, done, started + assignment.seconds)
    level = expected_confinement()
    for one in submissions:
        attempts.setdefault(one.exercise, _not_judged(one, fault, seed, level))
    results = Results(
        attempts=tuple(_own(attempts[name]) for name in sorted(attempts)),
        exercises=wanted,
        students=(STUDENT,),
        unreadable=tuple(replace(one, path=_own_path(one.path)) for one in handed_in.unreadable),
        grader=ENGINE,
        torch=TORCH,
        device="cpu",
        confinement=level,
        seed=seed,
        created=datetime.now(UTC),
        trusted=assignment.trust and level not in OFFICIAL,
    )
    return Judged(results, time.monotonic() - started, fault, _unread(results, Names(catalogue.names)))


class _TimeIsUp(Exception):
    """There is no time for the exercises that are left."""


def _judge(
    order: Order,
    submissions: Sequence[Submission],
    attempts: dict[str, Attempt],
    done: Callable[[Attempt], None],
    deadline: float,
) -> str:
    """Fill `attempts`; answers with why some may be lacking, or nothing."""
    if not submissions:
        return ""

    def took(attempt: Attempt) -> None:
        attempts[attempt.exercise] = attempt
        done(attempt)
        if time.monotonic() > deadline and len(attempts) < len(submissions):
            raise _TimeIsUp

    try:
        grade_batch(order, done=took)
    except _TimeIsUp:
        return "The time for this run was up before every exercise was judged."
    except AutogradebookError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - the system that asked must get an answer whatever happens
        return f"The grader stumbled: {one_line(f'{type(error).__name__}: {error}')}."
    return ""


def _read(places: Sequence[Path], folder: Path, names: Sequence[str]) -> Intake:
    """What was handed in. An empty submission is one too."""
    refused = _gather(places, folder / STUDENT)
    try:
        intake = read_submissions(folder, names)
    except BadFile as error:
        if error.__cause__ is not None:
            raise  # it could not be read, which is not the same as being empty
        intake = Intake((), (), (STUDENT,))
    return replace(intake, unreadable=(*intake.unreadable, *refused))


def _gather(places: Sequence[Path], folder: Path) -> list[Unreadable]:
    """Bring all files of `places` into `folder`; answers with those that could not be."""
    folder.mkdir(parents=True)
    refused: list[Unreadable] = []
    for place in places:
        if not os.path.lexists(place):
            raise WrongUsage(f"There is no {one_line(str(place))}. Name the files or the folder with the answers.")
        try:
            if place.is_dir():
                shutil.copytree(place, folder, symlinks=True, ignore=_hidden, copy_function=_take, dirs_exist_ok=True)
            else:
                _take(str(place), str(folder / place.name))
        except shutil.Error as several:
            refused += [
                Unreadable(one_line(os.path.relpath(one[0], place), 400), f"It can't be read: {one_line(str(one[2]))}.")
                for one in several.args[0]
            ]
        except OSError as error:
            reason = error.strerror or str(error)
            refused.append(Unreadable(one_line(str(place), 400), f"It can't be read: {one_line(reason)}."))
    return refused


def _hidden(_folder: str, names: list[str]) -> set[str]:
    """What intake passes over anyway; a repository's history may be large."""
    return {name for name in names if name.startswith(".")}


def _take(source: str, target: str) -> str:
    """Give a file a second name, or copy it where that cannot be."""
    if not stat.S_ISREG(os.stat(source).st_mode):
        raise OSError("not a regular file")
    try:
        os.link(os.path.realpath(source), target)
    except FileExistsError:
        raise OSError("another file of this name was given too") from None
    except OSError:
        shutil.copyfile(source, target)
    return target


def _not_judged(submission: Submission, fault: str, seed: int, level: str) -> Attempt:
    """An attempt that says that there is none: never a zero."""
    lost = CheckResult("judge", "The judge", Verdict.INTERNAL_ERROR, 0.0, 0.0, f"Not judged, and not scored. {fault}")
    return Attempt(
        STUDENT, submission.exercise, submission.path, submission.sha256, (lost,), seed, "cpu", level, TORCH
    )  # fmt: skip


def _own(attempt: Attempt) -> Attempt:
    return replace(attempt, path=_own_path(attempt.path))


def _own_path(path: str) -> str:
    """A path as the student knows it."""
    return path.removeprefix(f"{STUDENT}/")


def _unread(results: Results, names: Names) -> dict[str, str]:
    """Of exercises without an attempt: what was the matter with the files of that name."""
    found: dict[str, str] = {}
    for one in results.unreadable:
        try:
            exercise = names.exercise_of(one.path.rsplit("/", 1)[-1])
        except NotReadable:
            continue
        if results.attempt(STUDENT, exercise) is None:
            told = f"{one.path}: {one.reason}"
            found[exercise] = f"{found[exercise]}\n{told}" if exercise in found else told
    return found
