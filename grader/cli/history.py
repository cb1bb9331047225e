"""`learn history`: everything that was ever graded of a student."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

    from grader.core.grade import Adjustment
    from grader.core.history import Past
    from grader.desk.records import Record


@click.command(short_help="Show every attempt of a student that was ever graded.")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.argument("student")
@click.argument("exercise", metavar="[NN]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it for programs.")
def command(out: Path, student: str, exercise: str | None, as_json: bool) -> None:
    """Show every attempt that was ever graded of STUDENT, in all exercises or in one, with what was given by hand.

    OUT is the folder that `learn grade` wrote to.
    """
    from grader.core.text import one_line
    from grader.desk.records import history
    from grader.report.to_json import dumps

    records = history(out, student, exercise)
    if as_json:
        click.echo(dumps([_record_as_json(record) for record in records]))
        return
    if not records:
        click.echo(f"Nothing of {one_line(student)} was ever graded.")
        return
    from rich.console import Console

    console = Console()
    for record in records:
        console.print(_table(record))
        console.print(_counts(record), markup=False, highlight=False)
        console.print()


def _table(record: "Record") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from grader.core.text import one_line

    title = Text(f"{one_line(record.grade.student)}, {record.grade.exercise}")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column, justify in (
        ("when", "left"),
        ("file", "left"),
        ("seed", "right"),
        ("points", "right"),
        ("what", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    rows = [(past.recorded, _attempt_row(past)) for past in record.attempts]
    rows += [(one.made, _adjustment_row(one)) for one in record.grade.adjustments]
    for when, row in sorted(rows, key=lambda one: datetime.fromisoformat(one[0])):
        shown = datetime.fromisoformat(when).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(*(Text(cell) for cell in (shown, *row)))
    return table


def _attempt_row(past: "Past") -> tuple[str, str, str, str]:
    from grader.report.results import number

    points = "–" if past.score is None else f"{number(past.score)} of {number(past.max_score)}"
    why = f"superseded: {past.superseded.words}" if past.superseded else "counts"
    return past.sha256[:10], str(past.seed), points, f"{past.status.words}; {why}"


def _adjustment_row(one: "Adjustment") -> tuple[str, str, str, str]:
    from grader.core.text import one_line
    from grader.report.results import number

    return "", "", f"{'+' if one.points > 0 else ''}{number(one.points)}", f"by hand: {one_line(one.reason)}"


def _counts(record: "Record") -> str:
    """How the grade comes about."""
    from grader.report.results import number

    grade = record.grade
    if grade.score is None:
        return "Needs regrading: run the same `learn grade` again."
    parts = [f"{number(grade.earned)} by the checks" if grade.attempt else "nothing handed in, as of the last run"]
    if grade.days_late:
        days = f"{grade.days_late} {'day' if grade.days_late == 1 else 'days'}"
        who = f", says {grade.handed_in.said_by.words}" if grade.handed_in else ""
        parts.append(f"less {number(grade.penalty)} for {days} late{who}")
    if grade.adjustments:
        parts.append(f"{number(grade.adjusted)} by hand")
    return f"Grade: {number(grade.score)} of {number(grade.possible)} ({'; '.join(parts)})."


def _record_as_json(record: "Record") -> dict[str, Any]:
    from dataclasses import asdict

    from grader.report.to_json import grade_as_json

    attempts = [asdict(past) | {"counts": past.counts} for past in record.attempts]
    return {
        "student": record.grade.student,
        "exercise": record.grade.exercise,
        "grade": grade_as_json(record.grade),
        "attempts": attempts,
    }
