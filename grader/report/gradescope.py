"""Gradescope's results.json: one test for each check of one student's submission.

Gradescope adds up the tests' scores; an unknown score has no form of its own there. So a result in which anything
needs regrading carries no score at all, neither in a test nor above them: Gradescope, which wants one or the other,
then has no total to record, and what the student reads says that this was not their fault. A sum without the part
that we failed to judge would be a silent zero.
"""

import math
from collections.abc import Mapping
from typing import Any

from grader.core.attempt import Attempt, CheckResult
from grader.core.exercise import Exercise, in_language
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.report.results import Results, finite, number, unsettled

VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")
"""When a student sees a test: always, never, after the due date, once grades are published."""

_MOST_LISTED = 20
_REGRADE = (
    "This submission needs regrading: the autograder could not judge all of it, which is not the student's fault. "
    "It has no score yet. The instructor can run the autograder again."
)


def as_json(
    results: Results,
    student: str,
    *,
    visibility: str = "visible",
    seconds: float = 0.0,
    fault: str = "",
    unread: Mapping[str, str] | None = None,
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of results.json.

    fault: why something could not be judged. unread: by exercise, why a file of its name does not count.
    about: facts to store beside the result.
    """
    tests: list[dict[str, Any]] = []
    for exercise in results.exercises:
        attempt = results.attempt(student, exercise.name)
        if attempt is None:
            tests.append(_missing(exercise, (unread or {}).get(exercise.name, ""), visibility))
        else:
            tests += [_test(exercise, attempt, place, visibility) for place in range(len(attempt.checks))]
    unknown = bool(fault) or any(unsettled(attempt) for attempt in results.attempts)
    if unknown:
        # Added up without the part that is lacking, they would be a total.
        tests = [_notice(fault), *({key: test[key] for key in test if key != "score"} for test in tests)]
    return {
        "output": _summary(results, student, visibility, unknown),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "execution_time": round(max(seconds, 0.0), 2) if math.isfinite(seconds) else 0.0,
        "tests": tests,
        "extra_data": {
            "grader": f"autogradebook {results.grader}",
            "torch": results.torch,
            "confinement": results.confinement,
            "trusted": results.trusted,
            "seed": results.seed,
            "needs_regrading": unknown,
            **(about or {}),
        },
    }


def not_graded(why: str) -> dict[str, Any]:
    """The result of a run that came to nothing: no score, and the reason."""
    return {
        "output": f"{_REGRADE}\n\n{clean(why)}",
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "tests": [_notice(why)],
        "extra_data": {"needs_regrading": True},
    }


def _test(exercise: Exercise, attempt: Attempt, place: int, visibility: str) -> dict[str, Any]:
    check = attempt.checks[place]
    test: dict[str, Any] = {
        "name": one_line(f"{in_language(exercise.title)}: {check.title}"),
        "number": f"{exercise.number}.{place + 1}",
        "score": _points(check, check.points),
        "max_score": _points(check, check.max_points),
        "output": _told(attempt, check),
        "visibility": visibility,
        "tags": [*exercise.topics, *([check.misconception] if check.misconception else [])],
        "extra_data": {
            "exercise": exercise.name,
            "check": check.id,
            "verdict": str(check.status),
            "seconds": round(finite(check.seconds) or 0.0, 3),
            "file": one_line(attempt.path, 400),
            "sha256": attempt.sha256,
        },
    }
    if check.counts:
        # What this machine could not check is neither passed nor failed.
        test["status"] = "passed" if check.status is Verdict.PASSED else "failed"
    return test


def _points(check: CheckResult, points: float) -> float:
    return round(finite(points) or 0.0, 4) if check.counts else 0.0


def _told(attempt: Attempt, check: CheckResult) -> str:
    parts = [
        "" if check.status is Verdict.PASSED else f"{check.status.words.capitalize()}.",
        check.message,
        f"The input was:\n{check.given}" if check.given else "",
        f"In your file:\n{check.traceback}" if check.traceback else "",
        f"What your code printed:\n{clean(check.printed, 2000)}" if check.printed else "",
        attempt.note,
    ]
    return clean("\n\n".join(part for part in parts if part), 8000)


def _missing(exercise: Exercise, why: str, visibility: str) -> dict[str, Any]:
    told = f"Not handed in. Expected is a file {exercise.file_name} (or .ipynb)."
    if why:
        told = f"No file that can be graded was handed in.\n{clean(why)}"
    return {
        "name": one_line(f"{in_language(exercise.title)}: not handed in"),
        "number": str(exercise.number),
        "score": 0.0,
        "max_score": round(finite(exercise.points) or 0.0, 4),
        "status": "failed",
        "output": told,
        "visibility": visibility,
        "tags": list(exercise.topics),
        "extra_data": {"exercise": exercise.name, "verdict": "missing"},
    }


def _notice(why: str) -> dict[str, Any]:
    return {
        "name": "Needs regrading",
        "status": "failed",
        "output": "\n\n".join(part for part in (_REGRADE, clean(why)) if part),
        "visibility": "visible",
    }


def _summary(results: Results, student: str, visibility: str, unknown: bool) -> str:
    lines = []
    for exercise in results.exercises:
        attempt = results.attempt(student, exercise.name)
        told = f"{exercise.number:02d} {in_language(exercise.title)}: "
        if attempt is None:
            told += "no file that can be graded"
        elif visibility != "visible":
            # The score would tell what the tests are not yet to tell.
            told += f"received {one_line(attempt.path, 400)}"
        else:
            told += f"{attempt.status.words}, {number(attempt.score)} of {number(attempt.max_score)} points"
        lines.append(told)
    if results.unreadable:
        lines += ["", "Not graded:"]
        lines += [f"{one.path}: {one.reason}" for one in results.unreadable[:_MOST_LISTED]]
        if len(results.unreadable) > _MOST_LISTED:
            lines.append(f"and {len(results.unreadable) - _MOST_LISTED} more files.")
    if results.trusted:
        lines += ["", "The container could not confine the code; the instructor vouched for the submissions."]
    if unknown:
        lines = [_REGRADE, "", *lines]
    return clean("\n".join(lines), 20_000)
