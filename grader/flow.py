"""The whole system in two functions: the first file to read.

`check_one` judges one learner's file and tells them. `grade_batch` takes what a class handed in, judges what
is new, remembers it, and writes the reports. Both hand a `Submission` to a judge and get an `Attempt` back:

    intake            catalogue                     sandbox
    (files, notebooks  (exercises, checks,           (one confined child for each submission
     archives)          known answers)                and exercise: runs the learner's code)
         \\                 |                           |
          Submission  ->  judge (runs the checks, asks the sandbox, compares)  ->  Attempt
                                                                                     |
                                                      ledger (gradebook)  ->  report (HTML, JSON, CSV, ...)
"""

import importlib.metadata
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.catalogue import Catalogue, templates
from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import MissingPart, WrongUsage
from grader.core.exercise import Exercise
from grader.core.grade import DueDates, LatePolicy, moment
from grader.core.history import Past
from grader.core.submission import Submission, Unreadable
from grader.core.verdict import Verdict
from grader.intake.submissions import Intake, read_submissions
from grader.judge.device import cores, most_workers, resolve
from grader.judge.opening import open_judge
from grader.judge.settings import Settings
from grader.judge.worker import judge_one
from grader.ledger.gradebook import Gradebook, RunInfo
from grader.ledger.staleness import staleness_key
from grader.report import write_all
from grader.report.results import Results
from grader.sandbox import confinement
from grader.sandbox.scratch import remove
from grader.schedule import Died, run

ENGINE = importlib.metadata.version("autogradebook")
TORCH = importlib.metadata.version("torch")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OFFICIAL = ("full", "landlock+seccomp")
"""Levels of confinement at which other people's code may be run without the instructor's word."""


def check_one(
    exercise: Exercise,
    submission: Submission,
    settings: Settings,
    progress: Callable[[CheckResult], None] | None = None,
) -> Attempt:
    """Judge one submission in this process. progress: told of each check as it ends."""
    with open_judge([exercise], settings, [submission]) as judge:
        if reason := judge.unable(exercise.name):
            raise MissingPart(f"{exercise.name} cannot be checked here. {reason}")
        return judge.judge(submission, progress)


def check_several(wanted: Sequence[tuple[Exercise, Submission]], settings: Settings) -> Iterator[Attempt]:
    """Judge several exercises of one learner, one after the other, with one judge."""
    with open_judge([exercise for exercise, _ in wanted], settings, [file for _, file in wanted]) as judge:
        for _, submission in wanted:
            yield judge.judge(submission)


def report_on(
    wanted: Sequence[tuple[Exercise, Submission | Unreadable]], settings: Settings, out: Path
) -> tuple[Results, list[Path]]:
    """Judge one learner's files and write their pages."""
    files = [(exercise, file) for exercise, file in wanted if isinstance(file, Submission)]
    sources = {_who(submission): submission for _, submission in files}
    attempts = tuple(check_several(files, settings))
    results = Results(
        attempts=attempts,
        exercises=tuple(exercise for exercise, _ in wanted),
        students=tuple(sorted({submission.student for _, submission in files})),
        unreadable=tuple(file for _, file in wanted if isinstance(file, Unreadable)),
        grader=ENGINE,
        torch=TORCH,
        device=settings.device,
        confinement=attempts[0].confinement if attempts else "none",
        seed=settings.seed,
        created=datetime.now(UTC),
        sources=lambda student, exercise: sources.get((student, exercise)),
    )
    return results, write_all(("html",), results, out, templates())


@dataclass(frozen=True)
class Order:
    """What `learn grade` was asked for."""

    place: Path
    """The folder or archive of submissions."""
    out: Path
    exercises: tuple[str, ...] = ()
    """As typed; none means all."""
    pack: Path | None = None
    device: str = "cpu"
    jobs: int = 0
    """0: as many as there are cores for us."""
    seed: int | None = None
    formats: tuple[str, ...] = ("html", "json", "csv")
    resume: bool = True
    trust: bool = False
    worker: str = "auto"
    bubblewrap: bool = True
    title: str = ""
    due: tuple[str, ...] = ()
    """As typed: "WHEN", "NN=WHEN", "none"; none means those of the run before."""
    late: str | None = None
    """As typed: "none", "zero", "10%"; None means that of the run before."""


@dataclass(frozen=True)
class Graded:
    """What became of it."""

    results: Results
    judged: int
    """How many were judged in this run; the others stood in the gradebook."""
    written: tuple[Path, ...] = field(default=())

    @property
    def needs_regrading(self) -> int:
        return sum(attempt.status is Verdict.INTERNAL_ERROR for attempt in self.results.attempts)


def grade_batch(
    order: Order,
    begun: Callable[[int, int], None] = lambda stale, whole: None,
    done: Callable[[Attempt], None] = lambda attempt: None,
) -> Graded:
    """Grade what was handed in and is not graded yet, and write the reports.

    Where nothing is new, nothing is judged and the reports are written again, with today's due dates, late policy and
    adjustments.

    begun: told how many submissions will be judged, of how many. done: told of each as it is judged.
    """
    device = resolve(order.device)
    confined = _confinement(order)
    catalogue = Catalogue.load(order.pack)
    wanted = catalogue.chosen(order.exercises)
    _refuse_processes(wanted, confined, order)
    due = due_dates(catalogue, order.due) if order.due else None
    policy = LatePolicy.parse(order.late) if order.late is not None else None
    handed_in = _only(read_submissions(order.place, catalogue.names), wanted)
    with Gradebook.open(order.out) as book:
        if order.seed is not None or book.seed is None:
            # Later runs keep to the seed, or every stored result would be stale.
            book.seed = secrets.randbelow(2**31) if order.seed is None else order.seed
        if due is not None:
            book.due = due
        if policy is not None:
            book.policy = policy
        book.command = _command(order)
        settings = _settings(order, device, book.seed or 0)
        keys = {_who(s): _key(s, catalogue, device, confined, settings.seed) for s in handed_in.submissions}
        book.begin_run(
            RunInfo(settings.seed, ENGINE, PYTHON, TORCH, device, confined),
            [(keys[_who(submission)], submission) for submission in handed_in.submissions],
            handed_in.unreadable,
            handed_in.students,
            handed_in.late,
            handed_in.ids,
            handed_in.handed_in,
        )
        pending = book.pending() if order.resume else set(keys)
        stale = [submission for submission in handed_in.submissions if _who(submission) in pending]
        begun(len(stale), len(handed_in.submissions))
        with _Records(book) as records:
            for submission, outcome in _judged(stale, order, settings):
                attempt = outcome if isinstance(outcome, Attempt) else _died(submission, outcome, settings, confined)
                records.add(keys[_who(submission)], attempt)
                done(attempt)
        book.finish_run()
        results = _results(order, book, wanted, handed_in, confined)
        written = write_all(order.formats, results, order.out, templates())
    return Graded(results, len(stale), tuple(written))


# ----------------------------------------------------------------------------------------- the smaller steps


def _confinement(order: Order) -> str:
    """How this machine will confine the submissions. Raises MissingPart where that is not enough."""
    level = expected_confinement(order.bubblewrap)
    if level not in OFFICIAL and not order.trust:
        raise MissingPart(
            f"This machine cannot confine other people's code well enough (level: {level}). `learn doctor` says what "
            "is missing. If you trust every submission, add --trust-submissions; the report will say so."
        )
    return level


def _refuse_processes(wanted: Sequence[Exercise], confined: str, order: Order) -> None:
    """Where submissions may start processes, only bubblewrap keeps these from the machine's sockets."""
    names = [exercise.name for exercise in wanted if exercise.limits.processes]
    if names and confined != OFFICIAL[0] and not order.trust:
        raise MissingPart(
            f"{', '.join(names)} lets submissions start processes, which needs bubblewrap (level here: {confined}). "
            "Install the system package bubblewrap, choose others with --exercise, or add --trust-submissions."
        )


def expected_confinement(bubblewrap: bool = True) -> str:
    probe = confinement.probe()
    layers = [
        name
        for name, there in (
            ("rlimits", sys.platform == "linux"),
            ("landlock", probe.landlock_abi > 0),
            ("seccomp", probe.seccomp),
        )
        if there
    ]
    return confinement.level(layers, bubblewrap and probe.bwrap is not None)


def _only(handed_in: Intake, wanted: tuple[Exercise, ...]) -> Intake:
    names = {exercise.name for exercise in wanted}
    return replace(handed_in, submissions=tuple(s for s in handed_in.submissions if s.exercise in names))


def due_dates(catalogue: Catalogue, asked: Iterable[str]) -> DueDates:
    """From "WHEN" for all exercises and "NN=WHEN" for one of them; WHEN is "none" where there is no date."""
    usual: list[datetime | None] = []
    special: dict[str, datetime | None] = {}
    for text in asked:
        which, found, when = text.rpartition("=")
        date = None if when.strip().lower() == "none" else moment(when)
        if not found:
            usual.append(date)
        elif (name := catalogue.find(which.strip()).name) in special:
            raise WrongUsage(f"--due names {name} twice. Name it once.")
        else:
            special[name] = date
    if len(usual) > 1:
        raise WrongUsage("--due names two dates for all exercises. Name one, and 05=2026-12-01 for a single exercise.")
    return DueDates(usual[0] if usual else None, special)


def _command(order: Order) -> tuple[str, ...]:
    """The words that ask for the same again, without OUT, and without what the gradebook keeps or what would judge all
    of it anew.
    """
    words = [os.path.abspath(order.place)]
    for name in order.exercises:
        words += ["--exercise", name]
    given = (
        ("--pack", os.path.abspath(order.pack) if order.pack else ""),
        ("--device", order.device if order.device != "cpu" else ""),
        ("--format", ",".join(order.formats) if order.formats != Order.formats else ""),
        ("--title", order.title),
        ("--worker", order.worker if order.worker != "auto" else ""),
    )
    for option, value in given:
        words += [option, value] if value else []
    words += ["--trust-submissions"] if order.trust else []
    words += [] if order.bubblewrap else ["--no-bubblewrap"]
    return tuple(words)


def _who(submission: Submission) -> tuple[str, str]:
    return submission.student, submission.exercise


def _key(submission: Submission, catalogue: Catalogue, device: str, confined: str, seed: int) -> str:
    exercise = catalogue.get(submission.exercise)
    assert exercise is not None
    return staleness_key(
        submission=submission.sha256,
        exercise=exercise.digest,
        engine=ENGINE,
        python=PYTHON,
        torch=TORCH,
        device=device,
        confinement=confined,
        seed=seed,
    )


def _settings(order: Order, device: str, seed: int) -> Settings:
    hidden = [order.place, order.out, *([order.pack] if order.pack else [])]
    return Settings(seed, device, order.worker, order.bubblewrap, hidden=tuple(hidden))


def _judged(
    stale: Sequence[Submission], order: Order, settings: Settings
) -> Iterator[tuple[Submission, Attempt | Died]]:
    """Each submission with its attempt, as they are done by the judges of a pool."""
    if not stale:
        return
    workers = most_workers(settings.device, max(1, min(order.jobs or cores(), len(stale))))
    names = tuple(sorted({submission.exercise for submission in stale}))
    # Whatever the judges and their sandboxes write for a while lies in here: nothing is left of one that is killed.
    folder = tempfile.mkdtemp(prefix="autogradebook-")
    try:
        yield from run(
            stale,
            judge_one,
            workers=workers,
            beside=(order.pack, names, replace(settings, judges=workers, temporary=folder)),
        )
    finally:
        deadline = time.monotonic() + 5
        remove(folder)
        while os.path.exists(folder) and time.monotonic() < deadline:
            # A sandbox that was told to end may still be on its way.
            time.sleep(0.05)
            remove(folder)


class _Records:
    """Writes attempts in small batches: each batch costs a flush to the disk, each attempt in memory a regrade
    should this process be killed.
    """

    def __init__(self, book: Gradebook) -> None:
        self._book = book
        self._waiting: list[tuple[str, Attempt]] = []
        self._written = time.monotonic()

    def add(self, key: str, attempt: Attempt) -> None:
        self._waiting.append((key, attempt))
        if len(self._waiting) >= 64 or time.monotonic() - self._written > 0.25:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._book.record_many(self._waiting)
            self._waiting.clear()
        self._written = time.monotonic()

    def __enter__(self) -> "_Records":
        return self

    def __exit__(self, *_: object) -> None:
        # Also when the run is broken off: what was judged is kept.
        self.flush()


def _died(submission: Submission, died: Died, settings: Settings, confined: str) -> Attempt:
    """A submission whose judge died twice: never a zero, always "needs regrading"."""
    told = f"Not judged, and not scored: {died.reason}."
    lost = CheckResult("judge", "The judge", Verdict.INTERNAL_ERROR, 0.0, 0.0, told)
    return Attempt(
        submission.student, submission.exercise, submission.path, submission.sha256, (lost,),
        settings.seed, settings.device, confined, TORCH,
    )  # fmt: skip


def _results(order: Order, book: Gradebook, wanted: tuple[Exercise, ...], handed_in: Intake, confined: str) -> Results:
    sources = {_who(submission): submission for submission in handed_in.submissions}
    remembered = book.results()
    assert remembered.info is not None
    graded = {attempt.exercise for attempt in remembered.attempts}
    graded |= {adjustment.exercise for adjustment in remembered.adjustments}
    asked = {exercise.name for exercise in wanted}
    return Results(
        attempts=remembered.attempts,
        # Without --exercise, those that somebody handed in: a class does not owe the whole curriculum.
        exercises=tuple(exercise for exercise in wanted if order.exercises or exercise.name in graded),
        students=remembered.students,
        unreadable=remembered.unreadable,
        grader=ENGINE,
        torch=TORCH,
        device=remembered.info.device,
        confinement=confined,
        seed=remembered.info.seed,
        created=datetime.now(UTC),
        trusted=order.trust and confined not in OFFICIAL,
        title=order.title,
        sources=lambda student, exercise: sources.get((student, exercise)),
        policy=remembered.policy,
        due=remembered.due,
        handed_in=remembered.handed_in,
        adjustments=tuple(one for one in remembered.adjustments if not order.exercises or one.exercise in asked),
        histories=lambda: histories(order.out),
    )


def histories(out: Path) -> Mapping[tuple[str, str], tuple[Past, ...]]:
    """Everything that was ever graded into the folder `out`, by student and exercise."""
    found: dict[tuple[str, str], list[Past]] = {}
    with Gradebook.open(out, create=False, write=False) as book:
        for past in book.history():
            found.setdefault((past.student, past.exercise), []).append(past)
    return {who: tuple(pasts) for who, pasts in found.items()}
