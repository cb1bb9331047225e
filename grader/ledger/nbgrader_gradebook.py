"""The gradebook of a course of nbgrader: `COURSE/gradebook.db`, through nbgrader's own API.

What it holds of a student's notebook, and who writes it:

    auto_score             for each graded cell: nbgrader's autograde, or we
    manual_score           a person in formgrader, and nobody else: it goes before auto_score
    extra_credit           a person; we only where no other number was typed, for the adjustments of `learn adjust`
    needs_manual_grade     whether a person should look: what could not be graded, or was typed over and has changed
    auto_comment           of the solution cell: we; nbgrader's autograde takes it away again
    manual_comment         a person: it goes before auto_comment
    late_submission_penalty  nbgrader's plugin, or we: points that lateness costs

Nothing of another assignment is touched, and what is written twice is as if it had been written once.
"""

import os
import sysconfig
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from grader.core.errors import BadFile
from grader.core.grade import Grade
from grader.ledger.gradebook import _OURS

ANSWER = "answer"
"""The name of the solution cell in the notebooks that we make: comments are attached to it."""
_SQLITE = "sqlite:///"


class NbgraderGradebook:
    """An open gradebook. What `put` has written is kept when it is closed without an error, all of it or nothing."""

    def __init__(self, book: Any, url: str) -> None:
        self._book = book
        self._url = url

    @classmethod
    @contextmanager
    def open(cls, url: str, course: str) -> Iterator[Self]:
        """The gradebook at a database's address; it is made where there is none.

        course: the course's id; nbgrader calls one without a name "default_course".
        """
        from nbgrader.api import Gradebook, InvalidEntry
        from sqlalchemy.exc import SQLAlchemyError

        if url.startswith(_SQLITE) and _is_ours(file := Path(url.removeprefix(_SQLITE))):
            raise BadFile(
                f"{file} is a gradebook of `learn grade` and not of nbgrader; let `learn grade -o` have another folder."
            )
        try:
            with _programs():
                opened = Gradebook(url, course or "default_course")
            with opened as book:
                yield cls(book, url)
                book.db.commit()
        except (SQLAlchemyError, InvalidEntry) as error:
            told = str(getattr(error, "orig", None) or error).partition("\n")[0]
            raise BadFile(
                f"nbgrader's gradebook {url} can't be used: {told}. If another program is writing to it, wait; "
                "if nbgrader was updated, make a copy of it and run `nbgrader db upgrade`."
            ) from error

    @property
    def assignments(self) -> tuple[str, ...]:
        """The names of all that it knows."""
        return tuple(one.name for one in self._book.assignments)

    def notebooks(self, assignment: str) -> dict[str, dict[str, float]]:
        """The assignment's notebooks: for each the graded cells, with their points. Empty where it knows none."""
        from nbgrader.api import MissingEntry

        try:
            found = self._book.find_assignment(assignment)
        except MissingEntry:
            return {}
        return {
            notebook.name: {cell.name: float(cell.max_score) for cell in notebook.grade_cells}
            for notebook in found.notebooks
        }

    def create(self, assignment: str, notebooks: Mapping[str, Any], config: Any) -> None:
        """Make the assignment known, as `nbgrader generate_assignment` does: with the same steps, in its order.

        notebooks: nbformat's nodes of the source, by name. config: the course's.
        """
        from nbgrader import preprocessors as steps

        self._book.update_or_create_assignment(assignment)
        for name, notebook in notebooks.items():
            resources = {"nbgrader": {"assignment": assignment, "notebook": name, "db_url": self._url}}
            for step in (
                steps.LockCells,
                steps.ClearSolutions,
                steps.ClearOutput,
                steps.CheckCellMetadata,
                steps.ComputeChecksums,
                steps.SaveCells,
            ):
                notebook, resources = step(config=config).preprocess(notebook, resources)  # noqa: PLW2901
        self._book.db.expire_all()  # SaveCells has a connection of its own

    def put(
        self,
        assignment: str,
        grade: Grade,
        points: Mapping[str, float] | None,
        comment: str,
        handed_in: datetime | None = None,
    ) -> bool:
        """Write a student's grade in one notebook. Returns whether extra credit that was typed is in the way of ours.

        points: for each graded cell; None where they are not known, so that a person must look. Where nothing was
            handed in, they are put only where there is no score yet.
        handed_in: in UTC; for a submission that the gradebook does not know yet.
        """
        submission = self._submission(assignment, grade.student, handed_in)
        notebook = next(one for one in submission.notebooks if one.name == grade.exercise)
        cells = {cell.name: cell for cell in notebook.grades}
        if points is None:
            for cell in cells.values():
                cell.needs_manual_grade = True
        else:
            for name, value in points.items():
                _score(cells[name], value, only_empty=grade.attempt is None)
        for said in notebook.comments:
            if said.name == ANSWER:
                said.auto_comment = comment
        typed = False
        if points is not None and grade.attempt is not None:
            notebook.late_submission_penalty = grade.penalty or None
        if points:
            # Always the same cell, whatever the order of the checks.
            typed = not _give_extra(cells[min(points)], grade)
        return typed

    def _submission(self, assignment: str, student: str, handed_in: datetime | None) -> Any:
        from nbgrader.api import MissingEntry
        from sqlalchemy.exc import SAWarning

        try:
            return self._book.find_submission(assignment, student)
        except MissingEntry:
            self._book.update_or_create_student(student)
        with warnings.catch_warnings():
            # nbgrader puts a submission together in an order that SQLAlchemy does not like to see.
            warnings.simplefilter("ignore", SAWarning)
            return self._book.add_submission(assignment, student, timestamp=handed_in)


@contextmanager
def _programs() -> Iterator[None]:
    """nbgrader starts `alembic` by its name, which lies where `learn` does: not on the PATH of who never activated this
    environment.
    """
    before = os.environ.get("PATH")
    os.environ["PATH"] = os.pathsep.join((sysconfig.get_path("scripts"), before or os.defpath))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before


def _is_ours(file: Path) -> bool:
    """Whether it is a gradebook of `learn grade`: the two have the same name."""
    if not file.is_file():
        return False
    with open(file, "rb") as opened:
        return opened.read(72)[68:] == _OURS.to_bytes(4, "big")


def _score(cell: Any, value: float, *, only_empty: bool) -> None:
    if only_empty and cell.auto_score is not None:
        return
    if cell.manual_score is None:
        cell.needs_manual_grade = False
    elif cell.auto_score != value:
        # What a person has typed stands; that the answer or its verdict has changed since, they should know.
        cell.needs_manual_grade = True
    cell.auto_score = value


def _give_extra(cell: Any, grade: Grade) -> bool:
    """Put the adjustments where extra credit is kept, unless a person has typed a number there.

    Ours are recognised by their values: adjustments are only ever added, so what an earlier run has put there is the
    sum of the first few of them.
    """
    left = (grade.earned or 0.0) - grade.penalty
    wanted = max(grade.adjusted, -left)  # a grade never falls below 0
    ours = {sum(one.points for one in grade.adjustments[:count]) for count in range(len(grade.adjustments) + 1)}
    there = cell.extra_credit or 0.0
    if there != wanted and there not in ours and there != -left:
        return not wanted
    if there != wanted:
        cell.extra_credit = wanted or None
    return True
