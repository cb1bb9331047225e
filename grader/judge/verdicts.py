"""Whose fault it was: the one place where the ending of a check becomes a verdict and a message."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.checks.failures import CheckFailed, StudentEnded
from grader.core.exchange import Outcome, Raised, Reply
from grader.core.submission import Submission
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict

CHECKS = "checks.py"


@dataclass(frozen=True)
class Ending:
    """A verdict with what the learner is told."""

    status: Verdict
    message: str = ""
    where: str = ""
    traceback: str = ""
    given: str = ""


def ending(error: BaseException | None, submission: Submission) -> Ending:
    """What it means that a check ended with `error` (None: it ran to its end)."""
    if error is None:
        return Ending(Verdict.PASSED)
    if isinstance(error, CheckFailed):
        return Ending(Verdict.FAILED, clean(error.message), given=clean(error.given, 1000))
    if isinstance(error, StudentEnded):
        return _student_ended(error, submission)
    if isinstance(error, pytest.skip.Exception):
        return Ending(Verdict.SKIPPED, clean(str(error.msg)))
    if isinstance(error, AssertionError) and _line_of(error) == CHECKS:
        # A bare assert of the author's: only a text that was written for it is told, never its line.
        return Ending(Verdict.FAILED, clean(str(error)) or "The answer is not right.")
    return Ending(Verdict.INTERNAL_ERROR, f"The check itself failed: {one_line(f'{type(error).__name__}: {error}')}")


def _line_of(error: BaseException) -> str:
    """The name of the file whose line raised."""
    name, step = "", error.__traceback__
    while step is not None:
        name, step = step.tb_frame.f_code.co_filename, step.tb_next
    return Path(name).name


def load_failed(reply: Reply, submission: Submission) -> Ending:
    """What it means that the file could not even be loaded."""
    return _reply(reply, submission, "Your file could not be loaded. ")


def _student_ended(error: StudentEnded, submission: Submission) -> Ending:
    told = _reply(error.reply, submission, "")
    return Ending(told.status, told.message, told.where, told.traceback, clean(error.given, 1000))


def _reply(reply: Reply, submission: Submission, lead: str) -> Ending:
    if reply.outcome is Outcome.TIMEOUT:
        return Ending(Verdict.TIMEOUT, f"{lead}It took too long: {clean(reply.reason)}. Is there a loop without end?")
    if reply.outcome is Outcome.CRASHED:
        return Ending(Verdict.CRASHED, f"{lead}The process ended: {clean(reply.reason)}.")
    if reply.outcome is Outcome.REFUSED or reply.raised is None:
        return Ending(Verdict.FAILED, f"{lead}{_sentence(clean(reply.reason))}")
    raised = reply.raised
    if raised.kind == "NotImplementedError" and raised.own:
        return Ending(Verdict.NOT_ATTEMPTED, "Still to be written.")
    if "SyntaxError" in raised.kinds and raised.own:
        return _syntax(raised, submission)
    said = f"{raised.kind}: {raised.message}" if raised.message else raised.kind
    where = submission.where(raised.lines[-1][0]) if raised.lines else ""
    if not raised.lines:
        lead += "The check could not use what your code gave: "
    return Ending(Verdict.ERROR, lead + clean(said, 1500), where, _frames(raised, submission))


def _syntax(raised: Raised, submission: Submission) -> Ending:
    line = raised.lines[0][0] if raised.lines else 1
    where = submission.where(line)
    source = _line(submission, line)
    caret = " " * (raised.column - 1) + "^" if raised.column and 0 < raised.column <= len(source) + 1 else ""
    # The caret must stand under its sign: the line is shown as it is, with its tabs as single spaces.
    shown = "\n".join(part for part in (source.replace("\t", " "), caret) if part)
    return Ending(
        Verdict.ERROR, f"{raised.kind} in {where}: {clean(raised.message, 300)}. Python cannot read the file.",
        where, shown,
    )  # fmt: skip


def _frames(raised: Raised, submission: Submission) -> str:
    lines = []
    for number, function in raised.lines:
        lines.append(f"{submission.where(number)}, in {one_line(function)}")
        if source := _line(submission, number).strip():
            lines.append(f"    {source}")
    return "\n".join(lines)


def _line(submission: Submission, number: int) -> str:
    """From the judge's own copy: what the sandbox says is only a number."""
    lines = submission.source.splitlines()
    return clean(lines[number - 1], 300) if 0 < number <= len(lines) else ""


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else text + "."
