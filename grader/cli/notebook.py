"""`learn notebook NN`: an exercise as a Jupyter notebook."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.common import Desk
from grader.core.errors import BadFile, WrongUsage

if TYPE_CHECKING:
    from grader.core.exercise import Exercise


@click.command(short_help="Get an exercise as a Jupyter notebook: notebook [NN]")
@click.argument("which", required=False, metavar="[NN]")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Where; else in the workspace.")
@click.option("--all", "every", is_flag=True, help="Every exercise of the workspace; those that are there are kept.")
def command(which: str | None, out: Path | None, every: bool) -> None:
    """Write the current exercise, or the one that is named, as a notebook that checks itself. It replaces no file.

    Open it in Jupyter or in your editor: running the answer's cell checks it, and so does `learn check`.
    """
    if every and (which or out):
        raise WrongUsage("Say --all alone, or an exercise and its file.")
    try:
        desk = Desk.here()
    except WrongUsage:
        # With both said nothing of a workspace is needed.
        if which is None or out is None:
            raise
        desk = None
    if every:
        assert desk is not None
        places = [(exercise, desk.workspace.notebook_for(exercise)) for exercise in desk.catalogue]
        new = [place for place in places if not os.path.lexists(place[1])]
        for exercise, file in new:
            _write(exercise, file, desk.workspace.language)
        click.echo(f"{desk.workspace.folder}: {len(new)} notebooks written, {len(places) - len(new)} kept.")
        return
    exercise = desk.exercise(which) if desk else _installed(which or "")
    file = out or (desk.workspace.notebook_for(exercise) if desk else Path(f"{exercise.name}.ipynb"))
    _write(exercise, file, desk.workspace.language if desk else "en")
    click.echo(f"{file} is written. Open it in Jupyter or in your editor, and run its cells.")


def _installed(which: str) -> "Exercise":
    from grader.catalogue import Catalogue

    return Catalogue.load().find(which)


def _write(exercise: "Exercise", file: Path, language: str) -> None:
    from grader.desk.notebook import notebook_of
    from grader.intake.workspace import write_new

    if file.suffix.lower() != ".ipynb":
        raise WrongUsage(f"{file} is no name of a notebook: let it end in .ipynb.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_new(file, notebook_of(exercise, language).encode())
    except FileExistsError:
        raise BadFile(
            f"{file} is there already, and was left as it is. Rename it if you want to begin anew, "
            "or name another file: `-o FILE`."
        ) from None
    except OSError as error:
        raise BadFile(f"{file} can't be written: {error.strerror or error}.") from error
