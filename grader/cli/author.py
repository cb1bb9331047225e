"""`learn author`: for those who write exercises."""

from pathlib import Path

import click

from grader.cli.common import device_option, pack_option


@click.group(short_help="Prove exercises: author verify [NN ...]")
def command() -> None:
    """For those who write exercises."""


@command.command()
@click.argument("which", nargs=-1, metavar="[NN ...]")
@pack_option
@device_option
@click.option(
    "--seeds", default=3, show_default=True, type=click.IntRange(1), help="Judge each answer at so many seeds."
)
@click.option("--worker", type=click.Choice(["auto", "fork", "spawn"]), default="auto", show_default=True)
@click.option("--no-bubblewrap", is_flag=True, help="Confine without bubblewrap, even where it is installed.")
@click.option("--quiet", "-q", is_flag=True, help="Show only what does not hold.")
def verify(
    which: tuple[str, ...],
    pack: Path | None,
    device: str,
    seeds: int,
    worker: str,
    no_bubblewrap: bool,
    quiet: bool,
) -> None:
    """Judge every stub, solution, right and wrong answer, and print the kill table.

    Exits 0 when every row holds, 1 when one does not.
    """
    click.echo("Starting the judge …", err=True)
    from rich.console import Console
    from rich.table import Table

    from grader.authoring.verify import Proof
    from grader.authoring.verify import verify as prove
    from grader.catalogue import Catalogue
    from grader.judge.device import resolve
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    catalogue = Catalogue.load(pack, for_author=True)
    exercises = [catalogue.find(text) for text in which] or list(catalogue)
    settings = Settings(seed=0, device=resolve(device), worker=worker, bubblewrap=not no_bubblewrap)
    console = Console()
    rows = []
    if not which:
        faults = catalogue.broken.items()
        rows = [Proof(name, "folder", "contract", "", None, 0.0, str(fault)) for name, fault in faults]
    with Judge(exercises, settings) as judge:
        for exercise in exercises:
            with console.status(f"{exercise.name} …"):
                rows += list(prove(exercise, judge, tuple(range(1, seeds + 1))))
    table = Table("exercise", "answer", "kind", "points", "misconception: checks that fail", "", box=None)
    for row in rows:
        if quiet and row.holds:
            continue
        score = "" if row.score is None else f"{row.score:g}/{row.max_score:g}"
        table.add_row(
            row.exercise,
            row.answer,
            row.kind,
            score,
            row.told,
            "ok" if row.holds else f"[red]NO: {_plain(row.fault)}[/]",
        )
    if table.row_count:
        console.print(table)
    broken = sum(not row.holds for row in rows)
    killed = sum(row.kind == "wrong" and row.holds for row in rows)
    wrong = sum(row.kind == "wrong" for row in rows)
    right = sum(row.kind in ("right", "solution") for row in rows)
    accepted = sum(row.kind in ("right", "solution") and row.holds for row in rows)
    console.print(
        f"{len(exercises)} exercises at {seeds} seeds, {settings.device}: "
        f"{killed} of {wrong} wrong answers rejected with their own message, "
        f"{accepted} of {right} right answers accepted, {broken} rows do not hold."
    )
    raise SystemExit(1 if broken else 0)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
