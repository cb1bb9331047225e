"""`learn nbgrader`: exercises into a course of nbgrader, and our scores into its gradebook."""

from pathlib import Path

import click

from grader.cli.common import device_option, pack_option

_folder = click.Path(path_type=Path, file_okay=False)


@click.group(short_help="Work with a course of nbgrader: nbgrader source, nbgrader scores")
def command() -> None:
    """Carry exercises into a course of nbgrader, and grades into its gradebook.

    Needs nbgrader: pip install 'autogradebook[nbgrader]'
    """


@command.command()
@click.argument("course", type=_folder)
@click.argument("assignment")
@click.option("--exercise", "which", multiple=True, metavar="NN", help="Only this one; say it again for more.")
@pack_option
@device_option
@click.option("--force", is_flag=True, help="Replace notebooks that are there and differ.")
def source(
    course: Path, assignment: str, which: tuple[str, ...], pack: Path | None, device: str, force: bool
) -> None:  # fmt: skip
    """Make COURSE/source/ASSIGNMENT: a notebook for each exercise, with a cell of points for each check.

    The cells ask the judge when nbgrader autogrades; the checks themselves are in no notebook.
    """
    click.echo("Reading the checks …", err=True)
    from grader.catalogue import Catalogue
    from grader.desk.nbgrader_course import make_source
    from grader.judge.device import resolve

    catalogue = Catalogue.load(pack)
    exercises = list({(found := catalogue.find(text)).name: found for text in which}.values()) or list(catalogue)
    made = make_source(course, assignment, exercises, pack=pack, device=resolve(device), force=force)
    for file in made.written:
        click.echo(f"written  {file}")
    for file in made.same:
        click.echo(f"as it is {file}")
    if made.advice:
        click.echo("\nnbgrader waits 30 seconds for a cell, and a judge may need longer. Add to nbgrader_config.py:\n")
        click.echo(made.advice)
    click.echo(f"next  in {course}: nbgrader generate_assignment {assignment}")


@command.command()
@click.argument("out", type=_folder)
@click.argument("course", type=_folder)
@click.argument("assignment")
def scores(out: Path, course: Path, assignment: str) -> None:
    """Write the grades that `learn grade COURSE -o OUT` has found into COURSE/gradebook.db.

    Scores and comments that a person has typed in formgrader stay. Exits 3 where some of them need regrading.
    """
    from grader.desk.nbgrader_course import write_scores

    told = write_scores(out, course, assignment)
    click.echo(f"{told.notebooks} notebooks of {told.students} students have their scores in {assignment}.")
    for line in told.typed:
        click.echo(f"{line}: extra credit was typed in formgrader and stays; the adjustment was not added.")
    if told.elsewhere:
        click.echo(f"Not in {assignment}, so not written: {', '.join(told.elsewhere)}.")
    for line in told.unknown:
        click.echo(f"Not scored: {line}")
    if told.unknown:
        raise SystemExit(3)
