"""`learn watch [NN]`: a verdict for each save."""

import click

from grader.cli._ears import Leaving, signals
from grader.cli.common import Desk, bubblewrap_option, device_option, worker_option


@click.command(short_help="Keep checking: a verdict for each save.")
@click.argument("which", required=False, metavar="[NN]")
@click.option(
    "--poll",
    is_flag=True,
    help="Look at the file ten times a second: for WSL, Docker and network drives, where news of a save comes late.",
)
@device_option
@worker_option
@bubblewrap_option
def command(which: str | None, poll: bool, device: str, worker: str, no_bubblewrap: bool) -> None:
    """Check the current exercise, or the one that is named, each time its file is saved.

    Keys: n next (after a pass), h hint, l list, c check again, r reset, q quit. Nothing goes on by itself.
    Without a terminal there are no keys; it ends when its input or the process that started it does.
    """
    desk = Desk.here()
    exercise = desk.exercise(which)
    leaving = Leaving()
    with signals(leaving):
        # At once, before torch and all else is imported: silence looks like a broken install.
        click.echo(f"Watching {desk.workspace.file_for(exercise)}. Starting the judge …")

        from grader.cli._bench import Wishes
        from grader.cli._watching import Watch

        Watch(desk, exercise, Wishes(device, worker, not no_bubblewrap, poll), leaving).run()
