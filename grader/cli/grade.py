"""`learn grade`: a class."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.common import bubblewrap_option, device_option, pack_option, worker_option

if TYPE_CHECKING:
    from grader.core.attempt import Attempt
    from grader.flow import Graded
    from grader.report.results import Results


@click.command(short_help="Grade a folder or an archive of submissions.")
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where results go.")
@click.option("--exercise", "exercises", multiple=True, metavar="NN", help="Only this exercise; may be repeated.")
@pack_option
@device_option
@click.option(
    "--jobs", type=click.IntRange(1), default=None, help="Judges at the same time; as many as cores if left out."
)
@click.option("--seed", type=click.IntRange(0), default=None, help="Repeat a run with the seed that its results name.")
@click.option("--format", "formats", default="html,json,csv", show_default=True, help="Reports to write, with commas.")
@click.option(
    "--due", multiple=True, metavar="[NN=]WHEN",
    help="Until when it is to be handed in: 2026-12-01 (the end of that day) or 2026-12-01T18:00; with 05= before it, "
    "for that exercise. May be repeated; is kept for later runs; none takes it back.",
)  # fmt: skip
@click.option(
    "--late", metavar="none|zero|10%",
    help="What each day late costs: nothing, everything, or a share of what was earned. Is kept for later runs.",
)  # fmt: skip
@click.option("--title", default="", help="What the class report is called.")
@click.option("--no-resume", is_flag=True, help="Judge everything again, also what stands in the gradebook.")
@click.option("--trust-submissions", is_flag=True, help="Run them even where this machine cannot confine them.")
@worker_option
@bubblewrap_option
def command(
    submissions: Path,
    out: Path,
    exercises: tuple[str, ...],
    pack: Path | None,
    device: str,
    jobs: int | None,
    seed: int | None,
    formats: str,
    due: tuple[str, ...],
    late: str | None,
    title: str,
    no_resume: bool,
    trust_submissions: bool,
    worker: str,
    no_bubblewrap: bool,
) -> None:
    """Grade SUBMISSIONS, a folder `student/NN_name.py` (or .ipynb) or an archive of one, into the folder OUT.

    A second run judges only what changed; a run that was stopped goes on. Exits 0 when every submission has
    a verdict, whatever the scores, and 3 when any needs regrading.
    """
    click.echo(f"Reading {submissions} …", err=True)
    from grader.flow import Order, grade_batch
    from grader.report import parse_formats

    order = Order(
        submissions, out, exercises, pack, device, jobs or 0, seed, parse_formats(formats), not no_resume,
        trust_submissions, worker, not no_bubblewrap, title, due, late,
    )  # fmt: skip
    with _Bar() as bar:
        graded = grade_batch(order, bar.begun, bar.done)
    _summary(graded, out)
    raise SystemExit(3 if graded.needs_regrading else 0)


class _Bar:
    """A bar with rate and time left on a terminal, a line every few seconds elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._bar = (
            Progress(
                TextColumn("grading"), BarColumn(), MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console,
            )
            if console.is_terminal
            else None
        )  # fmt: skip
        self._count = self._whole = 0
        self._started = self._said = time.monotonic()

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begun(self, stale: int, whole: int) -> None:
        self._whole = stale
        kept = whole - stale
        already = f"; {kept} unchanged since the last run" if kept else ""
        click.echo(f"{whole} submissions, {stale} to judge{already}.", err=True)
        if stale:
            click.echo("Starting the judges …", err=True)
        self._started = self._said = time.monotonic()
        if self._bar is not None and stale:
            self._task = self._bar.add_task("grading", total=stale, rate="")
            self._bar.start()

    def done(self, attempt: "Attempt") -> None:
        self._count += 1
        now = time.monotonic()
        rate = self._count / max(now - self._started, 1e-6)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._count, rate=f"{rate:.1f}/s")
        elif now - self._said > 5 or self._count == self._whole:
            self._said = now
            left = (self._whole - self._count) / rate
            click.echo(f"{self._count} of {self._whole} judged, {rate:.1f}/s, about {left:.0f} s left", err=True)


def _summary(graded: "Graded", out: Path) -> None:
    results = graded.results
    counts: dict[str, int] = {}
    for attempt in results.attempts:
        counts[attempt.status.words] = counts.get(attempt.status.words, 0) + 1
    told = ", ".join(f"{count} {words}" for words, count in sorted(counts.items(), key=lambda item: -item[1]))
    click.echo(f"{len(results.students)} students, {len(results.attempts)} submissions: {told or 'none'}.")
    for sentence in _terms(results):
        click.echo(sentence)
    if results.unreadable:
        click.echo(f"{len(results.unreadable)} files could not be graded; the report lists each with its reason.")
    if graded.needs_regrading:
        click.echo(f"{graded.needs_regrading} need regrading: run the same command again. They are not scored.")
    click.echo(f"confined: {results.confinement}; seed {results.seed}; {results.device}; torch {results.torch}")
    index = out / "index.html"
    click.echo(f"Open {index}" if index in graded.written else f"Written to {out}")


def _terms(results: "Results") -> list[str]:
    """What is in force, what it costs, and who says so."""
    from grader.core.submission import SaidBy
    from grader.report.results import number

    told = []
    if results.due or results.policy.per_day or results.late:
        due = f"due {results.due.words}" if results.due else "no due date is set, so that only Canvas's marks are late"
        told.append(f"In force: {due}; handing in late {results.policy.words}. --due and --late change it.")
    if results.late:
        lost = sum(grade.penalty for grade in results.late)
        said: dict[SaidBy, int] = {}
        for grade in results.late:
            if grade.handed_in is not None:
                said[grade.handed_in.said_by] = said.get(grade.handed_in.said_by, 0) + 1
        who = ", ".join(f"{by.words} ({count})" for by, count in said.items())
        told.append(f"{len(results.late)} late, {number(lost)} points lost; who says so: {who}.")
        if SaidBy.FILE in said:
            told.append("A copy may have changed a file's date: look at these before you rely on them.")
    untold = sum(
        grade.due is not None and grade.attempt is not None and grade.handed_in is None
        for grade in (results.grade(attempt.student, attempt.exercise) for attempt in results.attempts)
    )
    if untold:
        told.append(f"Of {untold} nobody says when it was handed in; they count as in time.")
    if results.adjustments:
        told.append(f"{len(results.adjustments)} adjustments by hand are counted in.")
    return told
