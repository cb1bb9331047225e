"""`learn hint [NN]`: one hint more."""

import click

from grader.cli.common import Desk, number


@click.command(short_help="Show one more hint for an exercise.")
@click.argument("which", required=False, metavar="[NN]")
def command(which: str | None) -> None:
    """Show the next hint for an exercise (the current one if none is named), with those shown before."""
    from grader.core.exercise import in_language

    desk = Desk.here()
    exercise = desk.exercise(which)
    total = len(exercise.hints)
    if not total:
        click.echo(f"{exercise.name} has no hints. Its README says what is asked: `learn next`.")
        return
    shown = desk.progress.next_hint(exercise.name, total)
    for index in range(shown):
        click.echo(f"Hint {index + 1} of {total}: {in_language(exercise.hints[index], desk.workspace.language)}")
    if shown < total:
        click.echo(f"Another one: learn hint {number(exercise)}")
    else:
        click.echo(f"That was the last. The solution, if you want it: learn solution {number(exercise)}")
