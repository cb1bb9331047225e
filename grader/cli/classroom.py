"""`learn classroom DIR`: a workflow for GitHub Classroom, and the result that it reports."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli._groups import WithDefault
from grader.cli.common import pack_option

if TYPE_CHECKING:
    from grader.desk.one_student import Judged


@click.group(cls=WithDefault, short_help="Make a workflow for GitHub Classroom: classroom DIR")
def command() -> None:
    """Make a workflow for GitHub Classroom: `learn classroom DIR --exercise 05`.

    DIR is the template repository of an assignment. `learn classroom result` is what the workflow runs.
    """


@command.command("make", short_help="Write the workflow; meant when no word is said.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--exercise", "exercises", multiple=True, metavar="NN", help="Only this exercise; may be repeated.")
@click.option("--install", "requirement", default=None, help="What pip is to install; this version if left out.")
@click.option("--python", default="3.12", show_default=True, help="Version of Python in the workflow.")
@click.option("--minutes", type=click.IntRange(5), default=15, show_default=True, help="The workflow's time limit.")
def make(folder: Path, exercises: tuple[str, ...], requirement: str | None, python: str, minutes: int) -> None:
    """Write DIR/.github/workflows/classroom.yml for the exercises that are named, or for all."""
    import importlib.metadata

    from grader.desk.classroom import write_workflow

    requirement = requirement or f"autogradebook=={importlib.metadata.version('autogradebook')}"
    path = write_workflow(folder, exercises, requirement=requirement, python=python, minutes=minutes)
    click.echo(f"Written: {path}")
    click.echo("Put the stubs beside it, commit, and choose the repository as the assignment's template.")
    click.echo("Students can read the installed package: take `learn grade` for the official scores.")


@command.command("result", short_help="Judge files and hand the result to GitHub Classroom.")
@click.argument("places", metavar="[FILES]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--exercise", "exercises", multiple=True, metavar="NN", help="Only this exercise; may be repeated.")
@pack_option
@click.option("--seed", type=click.IntRange(0), default=None, help="Repeat a run with the seed that it named.")
@click.option(
    "--output", envvar="GITHUB_OUTPUT", type=click.Path(path_type=Path, dir_okay=False), default=None,
    help="The file of step outputs to add `result=…` to; GITHUB_OUTPUT if left out.",
)  # fmt: skip
def result(
    places: tuple[Path, ...], exercises: tuple[str, ...], pack: Path | None, seed: int | None, output: Path | None
) -> None:
    """Judge FILES (files or folders; the current folder if left out) and write the result for the reporter.

    Exits 0 when everything has a verdict, and 3 when something needs regrading.
    """
    from grader.desk import classroom
    from grader.desk.one_student import Assignment, judge_student

    # The code is the student's own, on a machine that is thrown away after it.
    judged = judge_student(places or (Path(),), Assignment(exercises, pack, seed, trust=True))
    told = classroom.result(judged)
    _show(judged, told)
    if output is not None:
        classroom.hand_over(told, output)
    else:
        click.echo("No step output was named (GITHUB_OUTPUT), so the result was only shown.", err=True)
    raise SystemExit(3 if judged.needs_regrading else 0)


def _show(judged: "Judged", told: dict[str, object]) -> None:
    """The messages, in such a way that a line of a student's is no command to the runner."""
    from grader.report.classroom import harmless

    word = secrets.token_hex(16)
    click.echo(f"::stop-commands::{word}")
    tests = told["tests"]
    assert isinstance(tests, list)
    for test in tests:
        click.echo(f"{test['status']:5} {test['score']:g}  {test['name']}")
        if test["message"]:
            click.echo("\n".join(f"      {line}" for line in test["message"].splitlines()))
    for one in judged.results.unreadable:
        if one.path.lower().endswith((".py", ".ipynb")):
            click.echo(harmless(f"not graded: {one.path}: {one.reason}", 1000))
    if told["message"]:
        click.echo(told["message"])
    results = judged.results
    click.echo(f"confined: {results.confinement}; seed {results.seed}; torch {results.torch}")
    click.echo(f"::{word}::")
