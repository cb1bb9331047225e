"""GitHub Classroom's result: what a grader step hands to the reporter of classroom-resources.

`result` is base64 of one JSON object. The reporter takes each runner's from an environment variable, adds up the
scores of its tests, and reports the sum out of `max_score`; where that is 0 it reports nothing. So a result in which
anything needs regrading has a `max_score` of 0 and the status "error": no points arrive, and the run is red.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from grader.core.attempt import Attempt, CheckResult
from grader.core.exercise import Exercise, in_language
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.report.results import Results, finite, unsettled

VERSION = 1
# An environment variable holds at most 128 KiB with its name, and base64 makes 4 bytes of 3.
_MOST_BYTES = 90_000
_LIMITS = (4000, 1500, 600, 250, 100, 0)
_LINE = re.compile(r"line (\d+)")


def encoded(result: Mapping[str, Any]) -> str:
    """The result as the reporter takes it."""
    return base64.b64encode(_dumps(result)).decode("ascii")


def as_json(
    results: Results, student: str, *, fault: str = "", unread: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The result, with messages cut so far that all of it fits."""
    unknown = bool(fault) or any(unsettled(attempt) for attempt in results.attempts)
    for limit in _LIMITS:
        tests = _tests(results, student, unread or {}, limit)
        result = _whole(results, student, tests, fault, unknown)
        if len(_dumps(result)) <= _MOST_BYTES:
            return result
    # A course of hundreds of checks: one line for each exercise.
    return _whole(results, student, [_sum_of(results, student, one) for one in results.exercises], fault, unknown)


def _dumps(result: Mapping[str, Any]) -> bytes:
    return json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _whole(results: Results, student: str, tests: list[dict[str, Any]], fault: str, unknown: bool) -> dict[str, Any]:
    status = "pass" if all(test["status"] == "pass" for test in tests) else "fail"
    message = ""
    most = round(sum(results.max_score(student, exercise.name) for exercise in results.exercises), 4)
    if unknown:
        status, most = "error", 0
        message = harmless(f"Needs regrading: not all could be judged, and nothing is scored. {fault}".strip(), 1000)
        for test in tests:
            test["score"] = 0
    return {"version": VERSION, "status": status, "message": message, "max_score": most, "tests": tests}


def _tests(results: Results, student: str, unread: Mapping[str, str], limit: int) -> list[dict[str, Any]]:
    tests = []
    for exercise in results.exercises:
        attempt = results.attempt(student, exercise.name)
        if attempt is None:
            tests.append(_missing(exercise, unread.get(exercise.name, ""), limit))
        else:
            # What this machine cannot check is neither passed nor failed.
            tests += [_test(exercise, attempt, check, limit) for check in attempt.checks if check.counts]
    return tests


def _test(exercise: Exercise, attempt: Attempt, check: CheckResult, limit: int) -> dict[str, Any]:
    line = _LINE.search(check.where)
    parts = [check.message or check.status.words, check.where, check.traceback]
    message = "" if check.status is Verdict.PASSED else "\n".join(part for part in parts if part)
    return {
        "name": harmless(f"{exercise.number:02d} {check.title}", 200),
        "status": _status(check.status),
        "score": round(finite(check.points) or 0.0, 4),
        "message": harmless(message, limit),
        "test_code": "",  # hidden checks stay hidden
        "filename": harmless(one_line(attempt.path), 200),
        "line_no": int(line[1]) if line else 0,
        "duration": round(finite(check.seconds) or 0.0, 3),
    }


def _status(verdict: Verdict) -> str:
    if verdict is Verdict.PASSED:
        return "pass"
    return "error" if verdict is Verdict.INTERNAL_ERROR else "fail"


def _missing(exercise: Exercise, why: str, limit: int) -> dict[str, Any]:
    told = why or f"There is no file {exercise.file_name}."
    return {
        "name": harmless(f"{exercise.number:02d} {in_language(exercise.title)}", 200),
        "status": "fail",
        "score": 0,
        "message": harmless(told, limit),
        "test_code": "",
        "filename": exercise.file_name,
        "line_no": 0,
        "duration": 0,
    }


def _sum_of(results: Results, student: str, exercise: Exercise) -> dict[str, Any]:
    attempt = results.attempt(student, exercise.name)
    if attempt is None:
        return _missing(exercise, "", 0)
    return {
        **_missing(exercise, "", 0),
        "status": _status(attempt.status),
        "score": round(finite(attempt.score) or 0.0, 4),
        "filename": harmless(one_line(attempt.path), 200),
        "duration": round(finite(attempt.seconds) or 0.0, 3),
    }


def harmless(text: str, limit: int) -> str:
    """Text for a log of GitHub Actions, in which a line may be a command to the runner: such signs are parted."""
    return clean(text, limit).replace("::", ": :").replace("##[", "# #[") if limit else ""
