"""`learn check [NN|name|file]`: the verdict."""

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.common import Desk, bubblewrap_option, device_option, worker_option
from grader.core.errors import BadFile, WrongUsage
from grader.core.verdict import Verdict

if TYPE_CHECKING:
    from grader.core.attempt import Attempt
    from grader.core.exercise import Exercise
    from grader.core.submission import Submission


@click.command(short_help="Check your answer: check [NN|name|file]")
@click.argument("which", required=False, metavar="[NN|name|file]")
@click.option("--all", "every", is_flag=True, help="Check every exercise of the workspace.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Repeat a check with the same inputs.")
@device_option
@worker_option
@bubblewrap_option
def command(
    which: str | None,
    every: bool,
    as_json: bool,
    seed: int | None,
    device: str,
    worker: str,
    no_bubblewrap: bool,
) -> None:
    """Check the current exercise, or the one that is named by number, by name or by its file.

    Exits 0 when all checks pass, 1 when some do not, 2 for wrong usage, 3 for our own fault.
    """
    desk, wanted = _wanted(which, every)
    label = wanted[0][0].name if len(wanted) == 1 else f"{len(wanted)} exercises"
    # At once, before torch is imported: a first failure is meant, and silence looks like a broken install.
    click.echo(f"Checking {label} …", err=True)

    from grader.flow import check_one, check_several
    from grader.judge.device import resolve
    from grader.judge.settings import Settings

    settings = Settings(
        secrets.randbelow(2**31) if seed is None else seed,
        resolve(device),
        worker,
        not no_bubblewrap,
        desk.workspace.language if desk else "en",
        hidden=(desk.workspace.folder,) if desk else (),
    )
    attempts = [check_one(*wanted[0], settings)] if len(wanted) == 1 else list(check_several(wanted, settings))
    if desk is not None:
        for attempt in attempts:
            desk.progress.record(attempt)
    if as_json:
        told = [attempt.as_json() for attempt in attempts]
        click.echo(json.dumps(told if every else told[0], ensure_ascii=False, indent=1))
    else:
        _show(desk, wanted, attempts)
    if any(attempt.status is Verdict.INTERNAL_ERROR for attempt in attempts):
        raise SystemExit(3)
    raise SystemExit(0 if all(attempt.status is Verdict.PASSED for attempt in attempts) else 1)


def _wanted(which: str | None, every: bool) -> "tuple[Desk | None, list[tuple[Exercise, Submission]]]":
    """The workspace, if there is one, and what is to be checked."""
    if every and which:
        raise WrongUsage("Say --all or an exercise, not both.")
    file = Path(which) if which and (which.endswith((".py", ".ipynb")) or "/" in which) else None
    try:
        desk = Desk.here()
    except WrongUsage:
        # A file can be checked wherever it lies; everything else needs the workspace.
        if file is None:
            raise
        desk = None
    from grader.catalogue import Catalogue

    catalogue = desk.catalogue if desk else Catalogue.load()
    if file is not None:
        return desk, [_read(catalogue.find(file.name), file)]
    assert desk is not None
    chosen = list(catalogue) if every else [desk.exercise(which)]
    return desk, [_read(each, _answer(desk, each)) for each in chosen]


def _answer(desk: Desk, exercise: "Exercise") -> Path:
    """The learner's file; where there are two, which one is taken and how to have the other one checked."""
    answer = desk.workspace.answer_for(exercise)
    if answer.other is not None:
        other = os.path.relpath(answer.other)
        click.echo(
            f"Taking {answer.file.name}; {answer.other.name} {answer.why}: `learn check {other}` checks that one.",
            err=True,
        )
    return answer.file


def _read(exercise: "Exercise", file: Path) -> "tuple[Exercise, Submission]":
    from grader.core.submission import Unreadable
    from grader.intake.read import read_file

    if not file.exists():
        raise BadFile(
            f"There is no {file}. `learn reset {exercise.name.partition('_')[0]}` writes it anew, "
            "or name your file: `learn check FILE`."
        )
    submission = read_file(file, student="you", exercise=exercise.name, shown_path=file.name)
    if isinstance(submission, Unreadable):
        raise BadFile(f"{file} cannot be checked. {submission.reason}")
    return exercise, submission


def _show(desk: Desk | None, wanted: "list[tuple[Exercise, Submission]]", attempts: "list[Attempt]") -> None:
    from rich.console import Console

    from grader.report.terminal import show_attempt

    console = Console()
    for (exercise, submission), attempt in zip(wanted, attempts, strict=True):
        show_attempt(attempt, exercise, console, desk.workspace.language if desk else "en", submission)
