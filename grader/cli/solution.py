"""`learn solution [NN]`: how we would write it."""

import click

from grader.cli.common import Desk, number


@click.command(short_help="Show the solution, after a pass or on request.")
@click.argument("which", required=False, metavar="[NN]")
@click.option("--anyway", is_flag=True, help="Show it before you passed; your progress remembers that.")
def command(which: str | None, anyway: bool) -> None:
    """Show the solution of an exercise, beside which your own file stays as it is."""
    desk = Desk.here()
    if which is None:
        # The current exercise is by definition not passed: what a learner wants to see is the last one that is.
        done = [name for name in desk.catalogue.names if desk.progress.passed(name)]
        exercise = desk.exercise(max(done, key=lambda name: desk.progress.step(name).passed_at or "") if done else None)
    else:
        exercise = desk.exercise(which)
    if not desk.progress.passed(exercise.name) and not anyway:
        click.echo(
            f"{exercise.name} is not passed yet. `learn hint {number(exercise)}` helps without giving it away; "
            f"`learn solution {number(exercise)} --anyway` shows it, and your progress will say so."
        )
        raise SystemExit(1)
    desk.progress.saw_solution(exercise.name)
    source = exercise.solution.read_text(encoding="utf-8")

    from rich.console import Console
    from rich.syntax import Syntax

    console = Console()
    if console.is_terminal:
        console.print(Syntax(source, "python", theme="ansi_dark", background_color="default"))
    else:
        click.echo(source.rstrip())
