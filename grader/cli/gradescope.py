"""`learn gradescope ZIP`: an autograder for Gradescope, and what runs in it."""

from pathlib import Path

import click

from grader.cli._groups import WithDefault
from grader.cli.common import pack_option

_visibility_option = click.option(
    "--visibility",
    type=click.Choice(["visible", "hidden", "after_due_date", "after_published"]),
    default="visible",
    show_default=True,
    help="When students see the checks and their messages.",
)
_exercise_option = click.option(
    "--exercise", "exercises", multiple=True, metavar="NN", help="Only this exercise; may be repeated."
)
_trust_option = click.option(
    "--trust-submissions", is_flag=True, help="Run them even where the container cannot confine them."
)
_minutes_option = click.option(
    "--minutes",
    type=click.IntRange(2),
    default=10,
    show_default=True,
    help="The time limit that the assignment has in Gradescope.",
)


@click.group(cls=WithDefault, short_help="Make an autograder for Gradescope: gradescope ZIP")
def command() -> None:
    """Make an autograder for Gradescope: `learn gradescope autograder.zip --exercise 05`.

    Upload it under "Configure Autograder". NOTES.md in it says which container to choose, and why.
    """


@command.command("make", short_help="Write the autograder; meant when no word is said.")
@click.argument("zip_file", metavar="ZIP", type=click.Path(path_type=Path, dir_okay=False))
@_exercise_option
@pack_option
@_visibility_option
@_trust_option
@_minutes_option
def make(
    zip_file: Path,
    exercises: tuple[str, ...],
    pack: Path | None,
    visibility: str,
    trust_submissions: bool,
    minutes: int,
) -> None:
    """Write the autograder ZIP for the exercises that are named, or for all."""
    from grader.desk.gradescope import write_zip

    made = write_zip(zip_file, exercises, pack, visibility=visibility, trust=trust_submissions, minutes=minutes)
    click.echo(
        f"{made.path}: {len(made.exercises)} exercises, {made.points:g} points, {made.size / 1e6:.1f} MB. It holds "
        "the checks and the solutions: upload it, and give it to no student."
    )
    click.echo(
        "Torch does not fit Gradescope's smallest container (768 MB): choose one of at least 3 GB for the assignment. "
        "NOTES.md in the archive says how much is needed for what."
    )


@command.command("run", short_help="Judge a submission inside Gradescope's container.")
@click.option(
    "--root", default="/autograder", show_default=True, type=click.Path(path_type=Path, file_okay=False),
    help="Gradescope's folder, with submission/ and results/ in it.",
)  # fmt: skip
@_exercise_option
@pack_option
@_visibility_option
@_trust_option
@_minutes_option
@click.option("--seed", type=click.IntRange(0), default=None, help="Repeat a run with the seed that its result names.")
def run(
    root: Path,
    exercises: tuple[str, ...],
    pack: Path | None,
    visibility: str,
    trust_submissions: bool,
    minutes: int,
    seed: int | None,
) -> None:
    """Judge ROOT/submission and write ROOT/results/results.json.

    Exits 0 when everything has a verdict, and 3 when something needs regrading.
    """
    from grader.desk import gradescope
    from grader.desk.one_student import Assignment

    assignment = Assignment(exercises, pack, seed, trust_submissions, max(minutes * 60 - gradescope.SPARE_SECONDS, 0))
    told, judged = gradescope.run(root, assignment, visibility)
    click.echo(told["output"])
    if judged is not None:
        results = judged.results
        click.echo(f"confined: {results.confinement}; seed {results.seed}; torch {results.torch}")
    raise SystemExit(3 if told["extra_data"]["needs_regrading"] else 0)
