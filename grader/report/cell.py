"""A learner's verdict as a page beneath a notebook's cell: the words of `terminal.py`, in the same order.

The page stands among others' pages, so every rule of its style begins with a class of ours, and its colours bring
their own background. It is no format of `learn grade`: that is why this file is not called `to_cell`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.core.attempt import Attempt, CheckResult
from grader.core.exercise import Exercise
from grader.core.submission import Submission
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.report import terminal
from grader.report.to_html import _Press


@dataclass(frozen=True)
class _View:
    """A check that is told in full."""

    check: CheckResult
    texts: tuple[str, ...]
    idea: str
    quoted: str
    caret: str
    given: str
    printed: str


def cell_html(
    attempt: Attempt,
    exercise: Exercise,
    templates: Path,
    language: str = "en",
    submission: Submission | None = None,
) -> str:
    """What `terminal.show_attempt` shows, as HTML that may stand in a page of others."""
    blank = attempt.status is Verdict.NOT_ATTEMPTED
    told, left = ([], "") if blank else terminal.explained(attempt, exercise, language)
    return _press(templates).part(
        "cell.html.j2",
        "cell.css",
        attempt=attempt,
        title=terminal.title_of(exercise, language),
        score=terminal.score_of(attempt),
        note=clean(attempt.note, terminal.MAX_MESSAGE),
        nothing_yet=terminal.nothing_yet(attempt) if blank else "",
        told=[_view(check, said, submission) for check, said in told],
        left=left,
        steps=terminal.next_steps(attempt, exercise),
        signs=terminal.SIGNS,
        points_of=terminal.points_of,
        one_line=one_line,
        COMMON=terminal.COMMON,
        PRINTED=terminal.PRINTED,
        WELL_DONE=terminal.WELL_DONE,
    )


def _view(check: CheckResult, said: str, submission: Submission | None) -> _View:
    ours = check.status is Verdict.INTERNAL_ERROR
    idea = said if check.misconception else ""
    texts = [terminal.OUR_FAULT] if ours else []
    if said and not idea:
        texts.append(said)
    elif not said and not ours:
        texts.append(terminal.unsaid(check))
    caret = check.traceback if terminal.has_caret(check) else ""
    return _View(
        check, tuple(texts), idea,
        quoted="" if caret else terminal.quoted_line(check, submission),
        caret=clean(caret, 1000),
        given=terminal.few_lines(check.given),
        printed=terminal.few_lines(check.printed) if check.printed.strip() else "",
    )  # fmt: skip


@cache
def _press(templates: Path) -> _Press:
    return _Press(templates)
