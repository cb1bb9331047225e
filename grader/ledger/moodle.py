"""Fills our grades into an assignment's grading worksheet, as Moodle hands it out and takes it back.

What such a file is: one row for each participant, and in the order of Moodle's grading table: Identifier ("Participant
12345"; the number also stands in the names of downloaded folders), Full name (not where marking is anonymous), columns
of the site's own (ID number, Email address), Status, Group, Marker, Grade, Maximum grade, Marking workflow state,
Grade can be changed, Last modified (submission), Online text, Last modified (grade), Feedback comments. Only the first,
the grade, its maximum and the last but one are always there, and all are named in the language of the site.

So columns are known by their English names, else by what stands in them: identifiers are one word with different
numbers, a maximum is the same number in every row and has the grade on its left, and the two times are headed by the
same words with something else in brackets. Where that leaves a doubt the teacher names the column.

What Moodle does with it: it changes a grade where the cell says another one than Moodle has, passes over one that is
empty or above the maximum, and compares "Last modified (grade)" with its own time, so that a grade given meanwhile is
not lost; that column is never touched here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.core.errors import BadFile, WrongUsage
from grader.core.text import one_line
from grader.ledger.filling import Filled, Person, Score, Style, Tally, listed, match, mismatch, number, plain, scaled
from grader.ledger.sheet import Sheet

ROLES = {
    "identifier": ("Identifier",),
    "name": ("Full name",),
    "grade": ("Grade",),
    "maximum": ("Maximum Grade", "Maximum grade"),
    "feedback": ("Feedback comments",),
}
"""What a teacher can name a column for, and what Moodle calls it in English."""
_IDENTIFIER = re.compile(r"(?P<word>.*?\D)(?P<number>\d+)", re.DOTALL)
_BRACKETS = re.compile(r"(?P<what>.+?)\s*[(（].+[)）]", re.DOTALL)


@dataclass(frozen=True)
class Wish:
    """What the teacher asked for beside the file itself."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Headers that the teacher named, by one of ROLES."""
    overwrite: bool = False
    scale: bool = False
    feedback: bool = False


def fill(
    data: bytes,
    scores: Mapping[str, Score],
    wish: Wish,
    *,
    ids: Mapping[str, str] | None = None,
    name: str = "the file",
) -> Filled:
    """`data` with scores in it, by student.

    ids: the numbers of Moodle's identifiers for our students, as the names of downloaded folders say them.
    """
    worksheet = _Worksheet(data, name, wish)
    roster = match(scores, ids or {}, worksheet.people, anonymous=True)
    mine = {student: score for student, score in scores.items() if student in roster.rows}
    there = worksheet.maximum()
    told = [worksheet.sheet.told, *roster.told]
    if not wish.scale and (words := mismatch(mine.values(), there)):
        told.append(f"The assignment {words}.")
    if wish.scale and not there:
        raise WrongUsage(f"{worksheet.name} names no maximum to scale to. Leave --scale out.")
    grades = Tally(worksheet.header("grade"))
    comments = Tally(worksheet.header("feedback")) if wish.feedback else Tally("")
    for student, score in mine.items():
        points = scaled(score, there if wish.scale else None)
        row = roster.rows[student].row
        worksheet.grade(row, student, points, there, grades)
        if wish.feedback and points is not None and score.comment:
            worksheet.comment(row, student, score.comment, comments)
    for tally in (grades, comments):
        told += tally.told(" (--overwrite replaces it)")
    changed = grades.changed + comments.changed
    return Filled(worksheet.sheet.data(), changed, len(mine), tuple(filter(None, told)))


class _Worksheet:
    """The file, and where things are in it."""

    def __init__(self, data: bytes, name: str, wish: Wish) -> None:
        self.name = one_line(name)
        self._wish = wish
        self.sheet = self._reading(data, name)
        self._head = next(at for at, cells in enumerate(self.sheet.rows) if cells)
        self._headers = [cell.text.strip() for cell in self.sheet.rows[self._head]]
        self._rows = [row for row in range(self._head + 1, len(self.sheet.rows)) if self.sheet.rows[row]]
        if not self._rows:
            raise BadFile(f"{self.name} names no participants. Download the grading worksheet from Moodle once more.")
        self._column = {role: self._named(role, text) for role, text in wish.columns.items()}
        if "identifier" not in self._column:
            self._column["identifier"] = self._find_identifier()
        self._find_grade()
        if wish.feedback and "feedback" not in self._column:
            self._column["feedback"] = self._find_feedback()
        self.people = self._people()
        samples = self._cells(self._column["grade"])
        if not any(number(text) is not None for text in samples):
            samples = self._cells(self._column["maximum"])
        self._style = Style.of(samples, self._cells(self._column["maximum"]), self.sheet.delimiter)

    def header(self, role: str) -> str:
        return self._headers[self._column[role]]

    def _reading(self, data: bytes, name: str) -> Sheet:
        """The reading with the most columns: what separates others is in the cells of those."""
        found = list(Sheet.readings(data, name))
        if not found:
            raise BadFile(
                f"{self.name} can't be read as CSV: its first row has one column, or a quote in it is never closed. "
                "Download the grading worksheet from Moodle once more."
            )
        return max(found, key=lambda sheet: len(next(filter(None, sheet.rows))))

    def _cells(self, column: int) -> list[str]:
        return [self.sheet.text(row, column) for row in self._rows]

    # ------------------------------------------------------------------------------------------- which column

    def _named(self, role: str, text: str) -> int:
        if role not in ROLES:
            raise WrongUsage(f"--column {one_line(role)}=…: for Moodle a column can be named for {', '.join(ROLES)}.")
        hits = [at for at, header in enumerate(self._headers) if header == text.strip()]
        if len(hits) == 1:
            return hits[0]
        count = "no column" if not hits else f"{len(hits)} columns"
        raise WrongUsage(
            f"'{one_line(text)}', named for the {role}, is {count} of {self.name}; there are: {listed(self._headers)}."
        )

    def _by_header(self, role: str) -> int | None:
        hits = [at for at, header in enumerate(self._headers) if header in ROLES[role]]
        return hits[0] if len(hits) == 1 else None

    def _find_identifier(self) -> int:
        by_header = self._by_header("identifier")
        # Of several that look like identifiers ("s1234567" may be a school's number) Moodle's comes first.
        for at in [by_header] if by_header is not None else range(len(self._headers)):
            found = [_IDENTIFIER.fullmatch(text) for text in self._cells(at)]
            words = {one["word"] for one in found if one}
            numbers = {one["number"] for one in found if one}
            if all(found) and len(words) == 1 and len(numbers) == len(found):
                return at
        raise BadFile(
            f"{self.name} is no grading worksheet of Moodle, as far as can be seen: no column holds identifiers such "
            "as 'Participant 12345'. In Moodle: the assignment, View all submissions, Download grading worksheet. If "
            "it is one, name the column with --column identifier='its header'."
        )

    def _find_grade(self) -> None:
        """The grade and its maximum, which stand side by side."""
        for role in ("grade", "maximum"):
            by_header = self._by_header(role)
            if role not in self._column and by_header is not None:
                self._column[role] = by_header
        known = self._column
        if "grade" in known and "maximum" not in known:
            known["maximum"] = known["grade"] + 1
        elif "maximum" in known and "grade" not in known:
            known["grade"] = known["maximum"] - 1
        elif "grade" not in known:
            pairs = [at for at in range(known["identifier"] + 1, len(self._headers) - 1) if self._is_grade(at)]
            if len(pairs) != 1:
                doubt = " or ".join(one_line(self._headers[at]) for at in pairs) or "none of the columns"
                raise BadFile(
                    f"{self.name} does not show which column is the grade ({doubt}). Say which with --column "
                    "grade='its header'. An assignment that is graded in words, by a scale, can't be filled in."
                )
            known["grade"], known["maximum"] = pairs[0], pairs[0] + 1
        if not self._is_grade(known["grade"]) or known["maximum"] != known["grade"] + 1:
            raise BadFile(
                f"The column {one_line(self._headers[known['grade']])} of {self.name} holds no grades in numbers, or "
                "no maximum in numbers stands beside it. An assignment that is graded by a scale can't be filled in."
            )

    def _is_grade(self, at: int) -> bool:
        """Whether a column holds nothing but grades, with their maximum on the right."""
        if not 0 <= at < len(self._headers) - 1 or at == self._column["identifier"]:
            return False
        highest = {number(text) for text in self._cells(at + 1)}
        grades = [text for text in self._cells(at) if text not in ("", "-")]
        return len(highest) == 1 and None not in highest and all(number(text) is not None for text in grades)

    def _find_feedback(self) -> int:
        by_header = self._by_header("feedback")
        if by_header is not None:
            return by_header
        after = self._after_times()
        if len(after) != 1:
            raise WrongUsage(
                f"{self.name} does not show which column is for feedback. Say which with --column "
                f"feedback='its header', or leave --feedback out. There are: {listed(self._headers)}."
            )
        return after[0]

    def _after_times(self) -> list[int]:
        """The columns behind the time of the grade: those of feedback."""
        heads = {at: found["what"] for at, text in enumerate(self._headers) if (found := _BRACKETS.fullmatch(text))}
        pairs = [
            (first, last)
            for first in heads
            for last in heads
            if self._column["maximum"] < first < last and heads[first] == heads[last]
        ]
        return list(range(pairs[0][1] + 1, len(self._headers))) if len(pairs) == 1 else []

    # ------------------------------------------------------------------------------------------------- filling

    def _people(self) -> list[Person]:
        first = self._column["identifier"]
        name = self._find_name()
        about = range(first + 1, self._column["grade"])
        people = []
        for row in self._rows:
            found = _IDENTIFIER.fullmatch(self.sheet.text(row, first))
            words = frozenset(plain(word) for at in about if at != name and (word := self.sheet.text(row, at)))
            shown = "" if name is None else self.sheet.text(row, name)
            people.append(Person(row, shown or found[0] if found else shown, found["number"] if found else "", words))
        return people

    def _find_name(self) -> int | None:
        """The column of full names: it follows the identifier, unless marking is anonymous and the status does."""
        known = self._column.get("name", self._by_header("name"))
        after = self._column["identifier"] + 1
        if known is not None or after >= self._column["grade"]:
            return known
        cells = self._cells(after)
        return after if all(cells) and len(set(cells)) > len(cells) * 0.8 else None

    def maximum(self) -> float | None:
        return number(self._cells(self._column["maximum"])[0])

    def grade(self, row: int, student: str, points: float | None, there: float | None, tally: Tally) -> None:
        column = self._column["grade"]
        now = self.sheet.text(row, column)
        written = "" if points is None else self._style.write(points)
        if points is None:
            tally.regrade.append(student)
        elif number(now) == number(written):
            return
        elif there is not None and (number(written) or 0.0) > there:
            tally.other[f"above the maximum of {there:g}, which Moodle does not take, so not filled in"].append(
                f"{student} ({written})"
            )
        elif now not in ("", "-") and not self._wish.overwrite:
            tally.kept.append(f"{student} ({now}, here {written})")
        else:
            self.sheet.fill(row, column, written)
            tally.changed += 1

    def comment(self, row: int, student: str, text: str, tally: Tally) -> None:
        column = self._column["feedback"]
        if column >= len(self.sheet.rows[row]):
            tally.other["the row is too short in the file, so not filled in"].append(student)
            return
        now = self.sheet.text(row, column)
        if now == text:
            return
        if now and not self._wish.overwrite:
            tally.kept.append(student)
        else:
            self.sheet.fill(row, column, text)
            tally.changed += 1
