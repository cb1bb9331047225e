"""grades.csv: one row for each student, for spreadsheets and other gradebooks.

Columns: student, one for each exercise, total, max, needs_regrading, not_handed_in. The numbers are grades: points
of the checks, less what lateness costs, with what a person gave or took. A cell without a number is one of the last
two columns, which name it. The total of a student of whom something needs regrading is empty, since an unknown score
is not a zero.

UTF-8 with a byte order mark: without it Excel shows every name beyond ASCII wrong, and pandas, R, LibreOffice
and Python's "utf-8-sig" take it off again.
"""

import csv
import io
from pathlib import Path

from grader.core.text import clean
from grader.report.atomic import write_text
from grader.report.results import Results, finite

# A cell that begins with one of these is a formula to some spreadsheet, also after white space, and also in
# the wide forms that East Asian versions accept.
_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")


def write(results: Results, out: Path, templates: Path) -> list[Path]:
    return [write_text(out / "grades.csv", as_csv(results), encoding="utf-8-sig")]


def as_csv(results: Results) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    names = results.exercise_names
    rows.writerow(["student", *map(safe, names), "total", "max", "needs_regrading", "not_handed_in"])
    for student, standing in results.standings.items():
        grades = (results.grade(student, name) for name in names)
        rows.writerow(
            [
                safe(student),
                *(_plain(grade.score if grade.attempt or grade.adjustments else None) for grade in grades),
                _plain(standing.total),
                _plain(standing.max_total),
                safe(";".join(standing.regrade)),
                safe(";".join(standing.missing)),
            ]
        )
    return text.getvalue()


def safe(text: str) -> str:
    """`text` as a cell that no spreadsheet computes."""
    shown = clean(text, 1000)
    return f"'{shown}" if shown.startswith(_FORMULA) or shown.lstrip().startswith(_FORMULA) else shown


def _plain(value: float | None) -> str:
    known = finite(value)
    return "" if known is None else f"{known:.4f}".rstrip("0").rstrip(".")
