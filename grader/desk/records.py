"""What an instructor does with a gradebook that is there: give points by hand, and look at everything that was graded.

Nothing is judged here, and no report is written: these are derived from the gradebook, and the next `learn grade` of
the same submissions writes them again.
"""

import difflib
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.core.errors import WrongUsage
from grader.core.grade import Grade
from grader.core.history import Past
from grader.core.text import one_line
from grader.ledger.gradebook import Gradebook


@dataclass(frozen=True)
class Adjusted:
    """A grade before and after a person gave points or took them."""

    before: Grade
    after: Grade
    again: str | None
    """The command that writes the reports again; None where the gradebook does not say how they were made."""


@dataclass(frozen=True)
class Record:
    """All that was ever graded of one student's answers to one exercise."""

    grade: Grade
    """The one that counts now, with the adjustments."""
    attempts: tuple[Past, ...]
    """The oldest first."""


def adjust(out: Path, student: str, exercise: str, points: float, reason: str) -> Adjusted:
    """Give points beside those of the checks, or take them (below zero). None is ever removed: the opposite takes it
    back.
    """
    if not reason.strip():
        raise WrongUsage("An adjustment needs a reason: the student reads it. Say it with --reason.")
    if not math.isfinite(points) or points == 0:
        raise WrongUsage("The points must be a number other than 0, such as +1.5 or -2.")
    with _opened(out, write=True) as book:
        student = _one_of(student, book.students(), "student", out)
        exercise = _exercise(exercise, book.exercises(), out)
        before = book.grade(student, exercise)
        book.adjust(student, exercise, points, reason.strip())
        return Adjusted(before, book.grade(student, exercise), _again(book, out))


def history(out: Path, student: str, exercise: str | None = None) -> tuple[Record, ...]:
    """Every exercise of which something was ever recorded for the student."""
    with _opened(out, write=False) as book:
        student = _one_of(student, book.students(), "student", out)
        name = None if exercise is None else _exercise(exercise, book.exercises(), out)
        pasts = book.history(student, name)
        given = {one.exercise for one in book.adjustments() if one.student == student and name in (None, one.exercise)}
        return tuple(
            Record(book.grade(student, each), tuple(past for past in pasts if past.exercise == each))
            for each in sorted({past.exercise for past in pasts} | given)
        )


def _opened(out: Path, write: bool) -> Gradebook:
    return Gradebook.open(out, create=False, write=write)


def _again(book: Gradebook, out: Path) -> str | None:
    words = book.command
    return shlex.join(["learn", "grade", *words, "-o", str(out)]) if words else None


def _one_of(text: str, names: Sequence[str], what: str, out: Path) -> str:
    if text in names:
        return text
    folded = [name for name in names if name.casefold() == text.strip().casefold()]
    if len(folded) == 1:
        return folded[0]
    raise WrongUsage(f"{out} knows no {what} '{one_line(text, 60)}'. {_near(text, names)}")


def _near(text: str, names: Sequence[str]) -> str:
    """The names that may have been meant, as a sentence."""
    by_form = {name.casefold(): one_line(name, 60) for name in names}
    wanted = text.strip().casefold()
    near = difflib.get_close_matches(wanted, by_form, n=4, cutoff=0.5)
    near += [form for form in by_form if wanted and wanted in form and form not in near]
    if near:
        return f"Near are {', '.join(by_form[form] for form in near[:4])}."
    first = ", ".join(list(by_form.values())[:6])
    return f"Known are {first}{', …' if len(by_form) > 6 else ''}." if first else "None is known yet."


def _exercise(text: str, names: Sequence[str], out: Path) -> str:
    """By number or name, as the exercises are named everywhere."""
    wanted = text.strip().lower()
    if wanted.isdecimal():
        hits = [name for name in names if _number(name) == int(wanted)]
    else:
        hits = [name for name in names if wanted in (name, name.partition("_")[2])]
    if len(hits) > 1:
        raise WrongUsage(f"'{one_line(text, 60)}' could be {', '.join(hits)}. Say which one by its full name.")
    return hits[0] if hits else _one_of(text, names, "exercise", out)


def _number(name: str) -> int | None:
    digits = name.partition("_")[0]
    return int(digits) if digits.isdecimal() else None
