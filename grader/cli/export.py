"""`learn export`: grades into the gradebook of the course that is there already."""

from pathlib import Path

import click

from grader.cli.common import pack_option
from grader.core.errors import WrongUsage


@click.command(short_help="Fill grades into a file of Canvas or Moodle, or write reports again.")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--to", "target", required=True, metavar="canvas|moodle|FORMAT", help="Whose file; or formats, with commas."
)
@click.option(
    "--fill", "file", type=click.Path(path_type=Path), metavar="CSV", help="The file that you exported from the course."
)
@click.option(
    "-o", "--output", "new", type=click.Path(path_type=Path), metavar="PATH",
    help="The filled file, else beside yours with -graded in its name; for reports a folder, else OUT/export.",
)  # fmt: skip
@click.option("--in-place", is_flag=True, help="Write over your file itself.")
@click.option("--exercise", "exercises", multiple=True, metavar="NN", help="Only this exercise; may be repeated.")
@click.option(
    "--column", "columns", multiple=True, metavar="NN='Title (1234)'",
    help="The column of an exercise; for Moodle identifier, name, grade, maximum or feedback='header'.",
)  # fmt: skip
@click.option("--total", metavar="'Title (1234)'", help="Canvas: fill the sum of the exercises into this column.")
@click.option("--new-columns", is_flag=True, help="Canvas: add a column for each exercise that has none.")
@click.option("--overwrite", is_flag=True, help="Replace grades that are there already.")
@click.option("--scale", is_flag=True, help="Fit points to the maximum in the file.")
@click.option("--feedback", is_flag=True, help="Moodle: say in a few words what became of each exercise.")
@click.option(
    "--submissions", type=click.Path(path_type=Path), help="Reports: what was graded, to show students' code again."
)
@click.option("--title", default="", help="Reports: what the class report is called.")
@pack_option
def command(
    out: Path,
    target: str,
    file: Path | None,
    new: Path | None,
    in_place: bool,
    exercises: tuple[str, ...],
    columns: tuple[str, ...],
    total: str | None,
    new_columns: bool,
    overwrite: bool,
    scale: bool,
    feedback: bool,
    submissions: Path | None,
    title: str,
    pack: Path | None,
) -> None:
    """Carry the grades in OUT, which `learn grade` made, to the course; nothing is graded again.

    \b
    learn export OUT --to canvas --fill grades.csv      the gradebook that you exported from Canvas
    learn export OUT --to moodle --fill worksheet.csv   an assignment's grading worksheet from Moodle
    learn export OUT --to csv,html                      our own reports once more

    Your file is not changed; a new one has the grades in it, and is the same in everything else. Grades that are there
    already are kept. Exits 3 when something needs regrading; its cell stays as it was.
    """
    from grader.desk.export import PLATFORMS, Exported, Wish, fill_in, write_again

    platform = target.strip().lower()
    if platform in PLATFORMS:
        if file is None:
            raise WrongUsage(f"--to {platform} fills in a file that you exported from the course. Name it with --fill.")
        wish = Wish(
            out, platform, file, new, in_place, exercises, _pairs(columns), total, new_columns, overwrite, scale,
            feedback, pack,
        )  # fmt: skip
        exported: Exported = fill_in(wish)
    else:
        from grader.report import parse_formats

        if file is not None:
            raise WrongUsage("--fill is for a file of Canvas or Moodle: say --to canvas or --to moodle.")
        exported = write_again(out, parse_formats(target), new, pack=pack, submissions=submissions, title=title)
    for sentence in exported.told:
        click.echo(sentence)
    if platform in PLATFORMS:
        click.echo(
            f"{exported.changed} cells filled in for {exported.matched} students. Written: {exported.written[0]}"
        )
    else:
        click.echo(f"Written to {new or out / 'export'}: {', '.join(sorted({path.name for path in exported.written}))}")
    raise SystemExit(3 if exported.needs_regrading else 0)


def _pairs(columns: tuple[str, ...]) -> dict[str, str]:
    """ "05=Title (1234)" -> by what stands before the first "="."""
    pairs = {}
    for text in columns:
        what, sign, header = text.partition("=")
        if not sign or not what.strip() or not header.strip():
            raise WrongUsage(f"--column '{text}' should be as in --column 05='Title (1234)'.")
        if what.strip() in pairs:
            raise WrongUsage(f"--column names two columns for {what.strip()}.")
        pairs[what.strip()] = header
    return pairs
