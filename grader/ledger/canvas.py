"""Fills our grades into a gradebook that a teacher exported from Canvas.

What such a file is: the first row names the columns: Student (or LastName, FirstName), ID, SIS User ID, SIS Login ID,
Integration ID, Root Account (each of them only where the school has it), Section, columns of the school's own, one
`Title (number)` for each assignment, and sums that Canvas computes. Between it and the students stand a row that says
"Manual Posting" (once "Muted") where grades are not shown to students yet, and a row "    Points Possible", in which
"(read only)" marks what Canvas does not take back. Canvas changes an assignment's points where that row does,
and makes a new assignment of a column whose number it doesn't know; neither happens here unless it is asked for.

A cell says a number, "EX" (excused) or "N/A" (not assigned to this student); "-" and nothing mean no grade.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.core.errors import BadFile, WrongUsage
from grader.core.text import one_line
from grader.ledger.filling import (
    Filled,
    Person,
    Roster,
    Score,
    Style,
    Tally,
    listed,
    match,
    mismatch,
    number,
    plain,
    scaled,
    words_of,
)
from grader.ledger.sheet import Sheet

_ASSIGNMENT = re.compile(r"(?P<title>.*?)\s*\((?P<number>\d+)\)", re.DOTALL)
# Canvas takes a column whose name holds one of these for its own, be it an assignment's.
_COMPUTED = re.compile(r"(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)")
_ABOUT_STUDENTS = ("Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID",
                   "Root Account", "Section")  # fmt: skip
_STANDING = ("SIS User ID", "SIS Login ID", "Integration ID")
_HIDDEN = re.compile(r"(?:Muted|Manual Posting.*)?", re.IGNORECASE)
_SPECIAL = {"EX": "excused in Canvas, left so", "N/A": "not assigned to them in Canvas, left so"}
_NO_GRADE = ("", "-")
_TEST_STUDENT = "student test"


@dataclass(frozen=True)
class Wish:
    """What the teacher asked for beside the file itself."""

    titles: Mapping[str, str]
    """Of everything that has scores: by the exercise's name ("05_view_vs_reshape") its title."""
    columns: Mapping[str, str]
    """Columns that the teacher named, by what is to be filled in."""
    new_columns: bool = False
    overwrite: bool = False
    scale: bool = False
    quiet: bool = False
    """Whether exercises without a column need no word, since their sum has one."""


def fill(
    data: bytes,
    scores: Mapping[str, Mapping[str, Score]],
    wish: Wish,
    *,
    ids: Mapping[str, str] | None = None,
    name: str = "the file",
) -> Filled:
    """`data` with scores in it: by student, then by exercise (or whatever else `wish.columns` names a column for).

    ids: what Canvas calls our students, as the names of downloaded files say it.
    """
    book = _Book(data, name)
    roster = match(scores, ids or {}, book.people, silent=book.silent)
    columns = book.columns(wish)
    tallies = [book.fill(what, column, scores, roster, wish) for what, column in columns.items()]
    lacking = [what for what in wish.titles if what not in columns]
    added = book.add(lacking, scores, roster, wish) if wish.new_columns and lacking else []
    said = [*book.told, *roster.told]
    said += _lacking(lacking, wish) if not added else []
    for tally in (*tallies, *added):
        said += tally.told(" (--overwrite replaces it)")
    changed = sum(tally.changed for tally in (*tallies, *added))
    return Filled(book.sheet.data(), changed, len(roster.rows), tuple(filter(None, said)))


def _lacking(lacking: Sequence[str], wish: Wish) -> list[str]:
    if not lacking or wish.quiet:
        return []
    example = lacking[0].partition("_")[0]
    return [
        f"No column in the file for {listed(lacking)}. Name one with --column {example}='Title (1234)', or let Canvas "
        "make new assignments with --new-columns."
    ]


class _Book:
    """The file, and where things are in it."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = one_line(name)
        self.sheet = self._reading(data, name)
        self.told = [self.sheet.told]
        self.head = next(at for at, cells in enumerate(self.sheet.rows) if cells)
        self._headers = [cell.text.strip() for cell in self.sheet.rows[self.head]]
        self._possible = next((row for row in self._below() if "Points Possible" in self.sheet.text(row, 0)), None)
        self.people = self._people()
        self.silent = frozenset(one.row for one in self.people if " ".join(sorted(words_of(one.name))) == _TEST_STUDENT)
        if not self.people:
            raise BadFile(f"{self.name} names no students. Export the gradebook from Canvas once more.")

    def _reading(self, data: bytes, name: str) -> Sheet:
        for sheet in Sheet.readings(data, name):
            headers = [cell.text.strip() for cell in next(filter(None, sheet.rows))]
            if ("Student" in headers or {"LastName", "FirstName"} <= set(headers)) and "ID" in headers:
                return sheet
        raise BadFile(
            f"{self.name} is no gradebook of Canvas: its first row should name the columns Student, ID, Section and "
            "the assignments. In Canvas: Grades, Export, Export Entire Gradebook."
        )

    def _below(self) -> range:
        return range(self.head + 1, len(self.sheet.rows))

    def _at(self, header: str) -> int | None:
        return self._headers.index(header) if header in self._headers else None

    def _said(self, row: int, header: str) -> str:
        column = self._at(header)
        return "" if column is None else self.sheet.text(row, column)

    def _people(self) -> list[Person]:
        people = []
        for row in self._below():
            cells = self.sheet.rows[row]
            if row == self._possible or "Points Possible" in self.sheet.text(row, 0):
                continue
            if all(_HIDDEN.fullmatch(cell.text.strip()) for cell in cells):
                continue
            parts = [self._said(row, "LastName"), self._said(row, "FirstName")]
            name = self._said(row, "Student") or ", ".join(filter(None, parts))
            words = frozenset(plain(word) for header in ("ID", *_STANDING) if (word := self._said(row, header)))
            people.append(Person(row, name, self._said(row, "ID"), words))
        return people

    def _grades(self) -> list[int]:
        """The columns of assignments that Canvas takes back."""
        return [
            at
            for at, header in enumerate(self._headers)
            if _ASSIGNMENT.fullmatch(header)
            and header not in _ABOUT_STUDENTS
            and not _COMPUTED.search(header)
            and "read only" not in self._points_cell(at)
        ]

    def _points_cell(self, column: int) -> str:
        return "" if self._possible is None else self.sheet.text(self._possible, column)

    # ------------------------------------------------------------------------------------------- which column

    def columns(self, wish: Wish) -> dict[str, int]:
        """What goes where: what the teacher named, then what fits by name. Raises WrongUsage where two fit."""
        chosen = {what: self._named(what, text) for what, text in wish.columns.items()}
        for what in wish.titles:
            if what in chosen:
                continue
            hits = [at for at in self._grades() if _fits(self._headers[at], what, wish.titles[what])]
            if len(hits) > 1:
                headers = " and ".join(one_line(self._headers[at]) for at in hits)
                raise WrongUsage(f"{what} fits the columns {headers} of {self.name}. {self._say_which(what, hits[0])}")
            if hits:
                chosen[what] = hits[0]
        takers: dict[int, str] = {}
        for what, at in chosen.items():
            if at in takers:
                header = one_line(self._headers[at])
                raise WrongUsage(
                    f"The column {header} of {self.name} fits {takers[at]} and {what}. {self._say_which(what, at)}"
                )
            takers[at] = what
        return chosen

    def _say_which(self, what: str, at: int) -> str:
        return f"Say which with --column {what.partition('_')[0]}='{one_line(self._headers[at])}'."

    def _named(self, what: str, text: str) -> int:
        grades = self._grades()
        wanted = text.strip()
        hits = [at for at in grades if self._headers[at] == wanted]
        hits = hits or [at for at in grades if wanted in (_title(self._headers[at]), _number(self._headers[at]))]
        if len(hits) == 1:
            return hits[0]
        shown = f"'{one_line(wanted)}', named for {what},"
        if len(hits) > 1:
            raise WrongUsage(f"{shown} is the title of {len(hits)} columns of {self.name}; name it with its number.")
        if wanted in self._headers:
            raise WrongUsage(f"{shown} is a column of {self.name} that Canvas does not take grades from.")
        there = listed([self._headers[at] for at in grades]) or "none"
        raise WrongUsage(f"{shown} is no assignment of {self.name}; there are: {there}.")

    # ------------------------------------------------------------------------------------------------- filling

    def fill(
        self, what: str, column: int, scores: Mapping[str, Mapping[str, Score]], roster: Roster, wish: Wish
    ) -> Tally:
        tally = Tally(self._headers[column])
        there = number(self._points_cell(column))
        rows = {person.row for person in self.people}
        near = [self.sheet.text(row, column) for row in rows]
        far = [text for at in self._grades() for text in (self._points_cell(at), *self._column(at))]
        if not any(number(text) is not None for text in near):
            near = [self._points_cell(column)]
        style = Style.of(near, far, self.sheet.delimiter)
        to = self._scale_to(column, there) if wish.scale else None
        mine = {student: per[what] for student, per in scores.items() if what in per and student in roster.rows}
        if not wish.scale and (words := mismatch(mine.values(), there)):
            self.told.append(f"The column {one_line(self._headers[column])} {words}.")
        for student, score in mine.items():
            self._one(roster.rows[student].row, column, student, scaled(score, to), style, wish, tally)
        return tally

    def _column(self, column: int) -> list[str]:
        return [self.sheet.text(person.row, column) for person in self.people]

    def _scale_to(self, column: int, there: float | None) -> float:
        if there is None or there <= 0:
            raise WrongUsage(
                f"The column {one_line(self._headers[column])} of {self.name} has no points possible to scale to. "
                "Leave --scale out, or give the assignment points in Canvas and export again."
            )
        return there

    def _one(
        self, row: int, column: int, student: str, points: float | None, style: Style, wish: Wish, tally: Tally
    ) -> None:
        if column >= len(self.sheet.rows[row]):
            tally.other["the row is too short in the file, so not filled in"].append(student)
            return
        now = self.sheet.text(row, column)
        if points is None:
            tally.regrade.append(student)
        elif now.upper() in _SPECIAL:
            tally.other[_SPECIAL[now.upper()]].append(student)
        elif number(now) == number(style.write(points)):
            return
        elif now not in _NO_GRADE and not wish.overwrite:
            tally.kept.append(f"{student} ({now}, here {style.write(points)})")
        else:
            self.sheet.fill(row, column, style.write(points))
            tally.changed += 1

    def add(
        self, lacking: Sequence[str], scores: Mapping[str, Mapping[str, Score]], roster: Roster, wish: Wish
    ) -> list[Tally]:
        """A column at the end for each, without a number: Canvas makes a new assignment of it."""
        rows = [row for row in (self.head, *self._below()) if self.sheet.rows[row]]
        if self._possible is None or any(len(self.sheet.rows[row]) != len(self._headers) for row in rows):
            raise BadFile(
                f"{self.name} has rows of different lengths or no row 'Points Possible', so no column can be added. "
                "Export it from Canvas once more."
            )
        far = [text for at in self._grades() for text in (self._points_cell(at), *self._column(at))]
        style = Style.of((), far, self.sheet.delimiter)
        students = {person.row: student for student, person in roster.rows.items()}
        tallies = []
        for what in lacking:
            header = f"{what.partition('_')[0]} {one_line(wish.titles[what])}"
            tally = Tally(header)
            possible = max((per[what].possible for per in scores.values() if what in per), default=0.0)
            for row in rows:
                score = scores.get(students.get(row, ""), {}).get(what)
                points = scaled(score, None) if score else None
                if row == self.head:
                    self.sheet.add(row, header)
                elif row == self._possible:
                    self.sheet.add(row, style.write(possible))
                else:
                    self.sheet.add(row, "" if points is None else style.write(points))
                    tally.changed += points is not None
                    if score and points is None:
                        tally.regrade.append(students[row])
            self.told.append(f"New column: {header}. Canvas will offer to make an assignment of it.")
            tallies.append(tally)
        return tallies


def _title(header: str) -> str:
    found = _ASSIGNMENT.fullmatch(header)
    return found["title"] if found else header


def _number(header: str) -> str:
    found = _ASSIGNMENT.fullmatch(header)
    return found["number"] if found else ""


def _fits(header: str, name: str, title: str) -> bool:
    """Whether a column is this exercise's: by its name, its number and title, or its title alone."""
    words = words_of(_title(header))
    digits, _, slug = name.partition("_")
    if not slug or not digits.isdecimal():
        return words in (words_of(name), words_of(title))
    while words and words[0] in ("exercise", "ex", "homework", "hw", "assignment", "task"):
        words = words[1:]
    if words and words[0].isdecimal() and int(words[0]) == int(digits):
        words = words[1:]
    # Another exercise's number stays in front, and fits nothing.
    return bool(words) and words in (words_of(slug), words_of(title))
