"""Carries grades out of a gradebook again: into a teacher's file of Canvas or Moodle, or as one of our reports.

Nothing is graded here. What a grade is comes from the gradebook, the exercises' titles from the catalogue; a file of a
teacher's is written beside the one that was given, whole or not at all.
"""

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.catalogue import Catalogue, templates
from grader.core.errors import BadFile, WrongUsage
from grader.core.grade import Grade
from grader.core.text import one_line
from grader.core.verdict import Verdict
from grader.flow import histories
from grader.intake.submissions import read_submissions
from grader.ledger import canvas, gradebook, moodle
from grader.ledger.filling import Filled, Score, listed
from grader.report import write_all
from grader.report.atomic import write_bytes
from grader.report.results import Results, Sources, finite, no_sources, number, well_confined

PLATFORMS = ("canvas", "moodle")
_TOTAL = "total"
"""Stands for the sum over all exercises where a column is asked for."""
_OF_MOODLE = "_assignsubmission_"
"""In the paths of what was downloaded from Moodle: its numbers for students are not those of Canvas."""


@dataclass(frozen=True)
class Wish:
    """What `learn export --to canvas|moodle` was asked for."""

    out: Path
    """The folder with the gradebook."""
    platform: str
    file: Path
    """The teacher's file."""
    new: Path | None = None
    """Where the filled one goes; None: beside it."""
    in_place: bool = False
    exercises: tuple[str, ...] = ()
    """As typed; none means all."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """As typed: for Canvas by exercise, for Moodle by what the column holds."""
    total: str | None = None
    """For Canvas: the column of the sum."""
    new_columns: bool = False
    overwrite: bool = False
    scale: bool = False
    feedback: bool = False
    pack: Path | None = None


@dataclass(frozen=True)
class Exported:
    """What became of it."""

    written: tuple[Path, ...]
    told: tuple[str, ...] = ()
    changed: int = 0
    matched: int = 0
    needs_regrading: int = 0


def fill_in(wish: Wish) -> Exported:
    """Fill the grades of a gradebook into a teacher's file, which itself stays as it is."""
    data = _read(wish.file)
    new = _where(wish)
    desk = _Desk.at(wish.out, wish.pack)
    names = desk.chosen(wish.exercises)
    grades = desk.grades(names)
    filled = (_canvas if wish.platform == "canvas" else _moodle)(wish, data, desk, names, grades)
    if not filled.matched:
        raise BadFile(
            f"None of the {len(grades)} students graded in {wish.out} is in {wish.file}, so nothing was written. Is it "
            "the file of this course?"
        )
    write_bytes(new, filled.data)
    waiting = sum(grade.score is None for of_one in grades.values() for grade in of_one.values())
    waiting += sum(name in names for _, name in desk.book.pending)
    return Exported((new,), (*filled.told, *desk.told), filled.changed, filled.matched, waiting)


def write_again(
    out: Path,
    formats: Sequence[str],
    folder: Path | None = None,
    *,
    pack: Path | None = None,
    submissions: Path | None = None,
    title: str = "",
) -> Exported:
    """Write reports of what stands in a gradebook; with the students' own code where SUBMISSIONS is still there."""
    desk = _Desk.at(out, pack, submissions, title)
    written = write_all(formats, desk.results, folder or out / "export", templates())
    told = list(desk.told)
    if submissions is None and "html" in formats:
        told.append("The pages are without the students' code. --submissions SUBMISSIONS puts it beside the verdicts.")
    waiting = sum(attempt.status is Verdict.INTERNAL_ERROR for attempt in desk.results.attempts)
    return Exported(tuple(written), tuple(told), needs_regrading=waiting)


# ------------------------------------------------------------------------------------------------- the platforms


def _canvas(
    wish: Wish, data: bytes, desk: "_Desk", names: Sequence[str], grades: Mapping[str, Mapping[str, Grade]]
) -> Filled:
    if wish.feedback:
        raise WrongUsage("A gradebook of Canvas has no column for feedback. Leave --feedback out.")
    columns = {desk.find(text): header for text, header in wish.columns.items()}
    if unasked := sorted(columns.keys() - set(names)):
        raise WrongUsage(f"--column names {', '.join(unasked)}, of which nothing is to be filled in.")
    scores: dict[str, dict[str, Score]] = {
        student: {name: _score(grade) for name, grade in of_one.items()} for student, of_one in grades.items()
    }
    if wish.total is not None:
        columns[_TOTAL] = wish.total
        for student, score in _totals(desk, names, grades).items():
            scores[student][_TOTAL] = score
    asked = canvas.Wish(
        titles={name: desk.results.title_of(name) for name in names},
        columns=columns,
        new_columns=wish.new_columns,
        overwrite=wish.overwrite,
        scale=wish.scale,
        quiet=wish.total is not None,
    )
    return canvas.fill(data, scores, asked, ids=desk.ids(of_moodle=False), name=str(wish.file))


def _moodle(
    wish: Wish, data: bytes, desk: "_Desk", names: Sequence[str], grades: Mapping[str, Mapping[str, Grade]]
) -> Filled:
    for said, option in ((wish.total, "--total"), (wish.new_columns, "--new-columns")):
        if said:
            raise WrongUsage(f"{option} is for Canvas. A worksheet of Moodle has one grade, the sum of the exercises.")
    asked = moodle.Wish(wish.columns, wish.overwrite, wish.scale, wish.feedback)
    scores = _totals(desk, names, grades)
    filled = moodle.fill(data, scores, asked, ids=desk.ids(of_moodle=True), name=str(wish.file))
    what = f"the sum of {listed(names)}; --exercise NN takes one of them" if len(names) > 1 else f"that of {names[0]}"
    return replace(filled, told=(f"The grade is {what}.", *filled.told))


def _score(grade: Grade) -> Score:
    return Score(finite(grade.score), grade.possible)


def _totals(desk: "_Desk", names: Sequence[str], grades: Mapping[str, Mapping[str, Grade]]) -> dict[str, Score]:
    """The sum over the exercises, of everyone who handed in one of them. What was not handed in counts nothing, and
    where something needs regrading, or was not graded yet, there is no sum.
    """
    totals = {}
    stopped = {student for student, name in desk.book.pending if name in names}
    for student, of_one in grades.items():
        points = [finite(grade.score) for grade in of_one.values()]
        known = [one for one in points if one is not None]
        whole = sum(known) if len(known) == len(points) and student not in stopped else None
        possible = sum(desk.results.max_score(student, name) for name in names)
        comment = "; ".join(_comment(desk, grade) for grade in of_one.values())
        totals[student] = Score(whole, possible, comment)
    return totals


def _comment(desk: "_Desk", grade: Grade) -> str:
    """One exercise in a few words. Moodle shows comments as HTML."""
    digits = grade.exercise.partition("_")[0]
    told = f"{digits} {one_line(desk.results.title_of(grade.exercise))}: {number(grade.score)} of {grade.possible:g}"
    parts = [grade.attempt.status.words] if grade.attempt is not None else ["not handed in"]
    if grade.penalty:
        parts.append(f"{number(-grade.penalty)} for {grade.days_late} {'day' if grade.days_late == 1 else 'days'} late")
    if grade.adjusted:
        parts.append(f"{'+' if grade.adjusted > 0 else ''}{number(grade.adjusted)} by hand")
    return html.escape(f"{told} ({', '.join(parts)})", quote=False)


# ----------------------------------------------------------------------------------------------- the gradebook


@dataclass(frozen=True)
class _Desk:
    """A gradebook and the exercises that it is about."""

    book: gradebook.Results
    catalogue: Catalogue
    results: Results
    told: tuple[str, ...]

    @classmethod
    def at(cls, out: Path, pack: Path | None, submissions: Path | None = None, title: str = "") -> "_Desk":
        with gradebook.Gradebook.open(out, create=False, write=False) as opened:
            book = opened.results()
        if book.info is None or not book.attempts:
            raise BadFile(f"Nothing in {out} is graded yet. `learn grade SUBMISSIONS -o {out}` does that.")
        catalogue = Catalogue.load(pack)
        told = []
        graded = {attempt.exercise for attempt in book.attempts}
        if unknown := sorted(graded - set(catalogue.names)):
            told.append(f"Not among the exercises here: {listed(unknown)}. Name the pack that they are of with --pack.")
        if book.pending:
            waiting = listed([f"{student} ({exercise})" for student, exercise in book.pending])
            told.append(f"Handed in and not graded yet, since the run was stopped: {waiting}.")
        if book.unreadable:
            files = f"{len(book.unreadable)} files" if len(book.unreadable) > 1 else "One file"
            told.append(f"{files} could not be graded and count nothing; the report of the class says why.")
        return cls(book, catalogue, _results(out, book, catalogue, submissions, title), tuple(told))

    def find(self, text: str) -> str:
        """The exercise that a person means, by number or name."""
        there = self.results.exercise_names
        hits = [name for name in there if text.strip().lower() in (name, name.partition("_")[2])]
        if text.strip().isdecimal():
            hits = [name for name in there if name.partition("_")[0].lstrip("0") == text.strip().lstrip("0")]
        if len(hits) == 1:
            return hits[0]
        raise WrongUsage(f"'{one_line(text)}' is {'none' if not hits else 'more than one'} of the exercises that were "
                         f"graded: {listed(there)}.")  # fmt: skip

    def chosen(self, asked: Sequence[str]) -> tuple[str, ...]:
        named = {self.find(text) for text in asked}
        return tuple(name for name in self.results.exercise_names if not named or name in named)

    def ids(self, of_moodle: bool) -> Mapping[str, str]:
        """What the platform calls our students, where it is the one that they were downloaded from."""
        paths = [one.path for one in self.book.attempts] + [one.path for one in self.book.unreadable]
        from_moodle = any(_OF_MOODLE in path for path in paths)
        return self.book.platform_ids if from_moodle is of_moodle else {}

    def grades(self, names: Sequence[str]) -> dict[str, dict[str, Grade]]:
        """By student and exercise, wherever something was handed in or given by hand."""
        waiting = set(self.book.pending)
        grades: dict[str, dict[str, Grade]] = {}
        for student in self.results.everyone:
            for name in names:
                grade = self.results.grade(student, name)
                if (grade.attempt is not None or grade.adjustments) and (student, name) not in waiting:
                    grades.setdefault(student, {})[name] = grade
        return grades


def _results(out: Path, book: gradebook.Results, catalogue: Catalogue, submissions: Path | None, title: str) -> Results:
    """The gradebook as reports take it."""
    assert book.info is not None
    graded = {one.exercise for one in book.attempts} | {one.exercise for one in book.adjustments}
    sources: Sources = no_sources
    if submissions is not None:
        files = {(one.student, one.exercise): one for one in read_submissions(submissions, catalogue.names).submissions}
        sources = lambda student, exercise: files.get((student, exercise))  # noqa: E731
    return Results(
        attempts=book.attempts,
        exercises=tuple(exercise for exercise in catalogue if exercise.name in graded),
        students=book.students,
        unreadable=book.unreadable,
        grader=book.info.grader,
        torch=book.info.torch,
        device=book.info.device,
        confinement=book.info.confinement,
        seed=book.info.seed,
        created=datetime.now(UTC),
        # Nothing is judged unconfined unless the instructor vouches for it.
        trusted=not well_confined(book.info.confinement),
        title=title,
        sources=sources,
        policy=book.policy,
        due=book.due,
        handed_in=book.handed_in,
        adjustments=book.adjustments,
        histories=lambda: histories(out),
    )


# --------------------------------------------------------------------------------------------------- the files


def _where(wish: Wish) -> Path:
    """Where the filled file goes: never over another, but for the teacher's own where that was said."""
    if wish.in_place:
        if wish.new is not None:
            raise WrongUsage("Say either --in-place or where the filled file goes with -o.")
        return wish.file.resolve()  # of a link, the file and not the link
    if wish.new is not None:
        if wish.new.exists():
            same = wish.file.exists() and os.path.samefile(wish.new, wish.file)
            how = "--in-place writes over it" if same else "Move it away, or name another with -o"
            raise WrongUsage(f"{wish.new} is there already. {how}.")
        return wish.new
    count = 1
    while True:
        more = "" if count == 1 else f"-{count}"
        new = wish.file.with_name(f"{wish.file.stem}-graded{more}{wish.file.suffix}")
        if not new.exists():
            return new
        count += 1


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise BadFile(f"There is no {file}. Name the file that you exported from your course with --fill.") from None
    except OSError as error:
        raise BadFile(f"{file} can't be read: {error.strerror or error}.") from error
