"""`learn init [DIR]`: make a workspace."""

from pathlib import Path

import click

from grader.cli.common import pack_option


@click.command(short_help="Make a workspace: a folder with a file for each exercise.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@pack_option
def command(folder: Path, language: str, pack: Path | None) -> None:
    """Make a workspace in DIR (this folder if left out). What is already there is kept as it is."""
    from grader.catalogue import Catalogue
    from grader.intake.workspace import create

    catalogue = Catalogue.load(pack)
    stubs = [(exercise, exercise.stub.read_text(encoding="utf-8")) for exercise in catalogue]
    made = create(folder, stubs, language, str(pack.resolve()) if pack else None)
    kept = [path for path in made.kept if path.suffix == ".py"]
    click.echo(f"Workspace {made.workspace.folder}: {len(made.written)} files written, {len(kept)} kept as they were.")
    go = "" if made.workspace.folder == Path.cwd() else f"cd {folder} && "
    click.echo(f"Next: {go}learn next   (or, to work in Jupyter: {go}learn notebook --all)")
