"""Options and helpers that several verbs share."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.core.errors import WrongUsage

if TYPE_CHECKING:
    from grader.catalogue import Catalogue
    from grader.core.exercise import Exercise
    from grader.intake.workspace import Workspace
    from grader.ledger.progress import Progress

pack_option = click.option(
    "--pack",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder with exercises/ and solutions/ to use in the place of the installed ones.",
)
device_option = click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="cpu|cuda|auto",
    help="Where the exercises' tensors are made; auto is CUDA where there is one.",
)
worker_option = click.option(
    "--worker",
    type=click.Choice(["auto", "fork", "spawn"]),
    default="auto",
    hidden=True,
    help="fork: from a warm process (Linux, CPU); spawn: a new process each time.",
)
bubblewrap_option = click.option(
    "--no-bubblewrap", is_flag=True, hidden=True, help="Confine without bubblewrap, even where it is installed."
)


class Desk:
    """A learner's workspace with its exercises and progress: what most verbs begin with."""

    def __init__(self, workspace: "Workspace", catalogue: "Catalogue", progress: "Progress") -> None:
        self.workspace = workspace
        self.catalogue = catalogue
        self.progress = progress

    @classmethod
    def here(cls) -> "Desk":
        """The workspace around the current folder. Raises WrongUsage with the next step where there is none."""
        from grader.catalogue import Catalogue
        from grader.intake.workspace import find
        from grader.ledger.progress import Progress

        workspace = find(Path.cwd())
        if workspace is None:
            raise WrongUsage(
                "There is no workspace here or above. Make one with `learn init pytorch`, then `cd pytorch`."
            )
        catalogue = Catalogue.load(Path(workspace.pack) if workspace.pack else None)
        progress = Progress.load(workspace.folder)
        if progress.note:
            click.echo(progress.note, err=True)
        return cls(workspace, catalogue, progress)

    def exercise(self, which: str | None) -> "Exercise":
        """The exercise that was named, else the current one. Raises WrongUsage when all are passed."""
        if which is not None:
            return self.catalogue.find(which)
        name = self.progress.current(self.catalogue.names)
        if name is None:
            raise WrongUsage(f"All {len(self.catalogue)} exercises are passed. Name one: `learn check 05`.")
        found = self.catalogue.get(name)
        assert found is not None
        return found


def number(exercise: "Exercise") -> str:
    """An exercise's number as it is typed: "05"."""
    return exercise.name.partition("_")[0]
