"""`learn release OUT`: what students receive."""

from pathlib import Path

import click

from grader.cli.common import pack_option
from grader.core.errors import WrongUsage


@click.command(short_help="Write what students receive: release OUT")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--exercise", "which", multiple=True, metavar="NN", help="Only this one; may be given again.")
@pack_option
@click.option("--title", default="Exercises", show_default=True, help="The heading of its README.")
@click.option("--due", metavar="WHEN", help="2026-12-01 (the end of that day) or 2026-12-01T18:00, in local time.")
@click.option(
    "--late", metavar="none|zero|10%", help="What is handed in later: counts in full, nothing, less each day."
)
@click.option("--notebooks", is_flag=True, help="Each exercise as a Jupyter notebook too.")
@click.option("--notebooks-only", is_flag=True, help="Notebooks in the place of the .py files.")
@click.option("--zip", "zipped", is_flag=True, help="An archive of it all in OUT, to be handed on as one file.")
def command(
    out: Path,
    which: tuple[str, ...],
    pack: Path | None,
    title: str,
    due: str | None,
    late: str | None,
    notebooks: bool,
    notebooks_only: bool,
    zipped: bool,
) -> None:
    """Write stubs and READMEs, points and due date into the folder OUT: no checks, no answers, no hints.

    OUT is new or empty, or a former release: then what is different is changed, and files of others stay.
    """
    from grader.catalogue import Catalogue
    from grader.core.grade import LatePolicy, moment
    from grader.desk.release import Release, are_installed, write

    if late is not None and due is None:
        raise WrongUsage("--late says what comes after the due date: say --due too.")
    catalogue = Catalogue.load(pack)
    chosen = {catalogue.find(text).name for text in which}
    exercises = tuple(exercise for exercise in catalogue if not chosen or exercise.name in chosen)
    release = Release(
        exercises,
        title,
        moment(due) if due is not None else None,
        LatePolicy.parse(late) if late is not None else None,
        scripts=not notebooks_only,
        notebooks=notebooks or notebooks_only,
        zipped=zipped,
        installed=are_installed(exercises),
    )
    done = write(release, out)
    points = sum(exercise.points for exercise in exercises)
    click.echo(f"{out}: {len(exercises)} exercise{'s' if len(exercises) != 1 else ''}, {points:g} points.")
    click.echo(f"{len(done.written)} files written, {len(done.kept)} as they were, {len(done.removed)} removed.")
    for path in done.left:
        click.echo(f"{path} is released no more, but was changed by somebody: it is left there.", err=True)
    if not release.installed:
        click.echo("Students can't check these exercises themselves: they are not among the installed ones.")
