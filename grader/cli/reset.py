"""`learn reset NN`: the file as it was given out; yours is kept."""

import click

from grader.cli.common import Desk


@click.command(short_help="Put the original file back; yours is kept beside.")
@click.argument("which", metavar="NN")
def command(which: str) -> None:
    """Put the original file of an exercise back. Your own is kept in the folder `kept`."""
    desk = Desk.here()
    exercise = desk.exercise(which)
    kept = desk.workspace.reset(exercise, exercise.stub.read_text(encoding="utf-8"))
    click.echo(f"{desk.workspace.file_for(exercise)} is as it was given out.")
    if kept is not None:
        click.echo(f"Your own is kept as {kept}.")
