"""`learn next`: where was I, and what comes now."""

import click

from grader.cli.common import Desk, number


@click.command(short_help="Show the exercise that comes next.")
def command() -> None:
    """Show the first exercise that is not passed yet: its task, its file, and what to type."""
    desk = Desk.here()
    name = desk.progress.current(desk.catalogue.names)
    passed = sum(desk.progress.passed(each) for each in desk.catalogue.names)
    if name is None:
        click.echo(f"All {passed} exercises are passed. Well done. `learn list` shows them, `learn report` a page.")
        return
    exercise = desk.exercise(name)
    language = desk.workspace.language
    readme = exercise.readme.with_name(f"README.{language}.md")
    task = (readme if readme.is_file() else exercise.readme).read_text(encoding="utf-8")

    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    if console.is_terminal:
        console.print(Markdown(task))
    else:
        click.echo(task.rstrip())
    file, notebook = desk.workspace.file_for(exercise), desk.workspace.notebook_for(exercise)
    click.echo()
    click.echo(
        f"{passed} of {len(desk.catalogue)} passed. About {exercise.minutes} minutes, {exercise.points:g} points."
    )
    if not file.exists() and not notebook.exists():
        click.echo(f"The file is missing; `learn reset {number(exercise)}` writes it anew.")
    first, *more = [path for path in (file, notebook) if path.exists()] or [file]
    click.echo(f"Edit   {first}")
    for path in more:
        click.echo(f"  or   {path}")
    if not notebook.exists():
        click.echo(f"  or   learn notebook {number(exercise)}   (the same as a Jupyter notebook)")
    click.echo(f"Check  learn check {number(exercise)}")
    click.echo(f"Stuck  learn hint {number(exercise)}   ({len(exercise.hints)} hints, from a nudge to nearly the line)")
