"""results.json: everything that was found, for programs.

Text stays what it was, character for character; what would steer a terminal or turn the direction of writing
is written as an escape, so that the file is safe to print and still says exactly the same.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.core.attempt import Attempt
from grader.core.grade import Grade
from grader.core.text import clean
from grader.report.atomic import write_parts
from grader.report.results import Results

FORMAT = 1
_UNUSUAL = re.compile(r"[^\x20-\x7e\n]")


def write(results: Results, out: Path, templates: Path) -> list[Path]:
    return [write_parts(out / "results.json", (line.encode() for line in lines(results)))]


def lines(results: Results) -> Iterator[str]:
    """The file, piece by piece: a class of thousands is not held in memory as text. A submission has a line."""
    before = "{\n"
    for name, value in _as_json(results).items():
        if isinstance(value, Iterator):
            yield f'{before}"{name}": ['
            between = "\n"
            for item in value:
                yield f"{between} {dumps(item, indent=None)}"
                between = ",\n"
            yield "\n]"
        else:
            yield f'{before}"{name}": {dumps(value, indent=None)}'
        before = ",\n"
    yield "\n}\n"


def _as_json(results: Results) -> dict[str, Any]:
    """What the file holds, by its names; the submissions one after the other."""
    return {
        "format": FORMAT,
        "grader": results.grader,
        "torch": results.torch,
        "device": results.device,
        "confinement": results.confinement,
        "trusted": results.trusted,
        "seed": results.seed,
        "created": results.created.isoformat(timespec="seconds"),
        "students": list(results.everyone),
        "exercises": list(results.exercise_names),
        "due": _due(results),
        "late": str(results.policy),
        "submissions": (_submission(results, attempt) for attempt in results.attempts),
        "adjusted_without_submission": [
            {"student": student, "exercise": exercise, "grade": grade_as_json(results.grade(student, exercise))}
            for student, exercise in dict.fromkeys((one.student, one.exercise) for one in results.adjustments)
            if results.attempt(student, exercise) is None
        ],
        "unreadable": [{"path": entry.path, "reason": entry.reason} for entry in results.unreadable],
    }


def _due(results: Results) -> dict[str, str]:
    """The due date of each exercise that has one."""
    dates = ((name, results.due.of(name)) for name in results.exercise_names)
    return {name: when.isoformat(timespec="seconds") for name, when in dates if when is not None}


def _submission(results: Results, attempt: Attempt) -> dict[str, Any]:
    """What the checks said, and beside it the grade: `score` stays the attempt's."""
    return {**attempt.as_json(), "grade": grade_as_json(results.grade(attempt.student, attempt.exercise))}


def grade_as_json(grade: Grade) -> dict[str, Any]:
    said = grade.handed_in
    # When it was handed in is told where it matters, so that the same files give the same results wherever they lie.
    told = said is not None and (grade.due is not None or said.marked_late)
    return {
        "score": _points(grade.score),
        "days_late": grade.days_late,
        "penalty": _points(grade.penalty),
        "adjustments": [{"points": one.points, "reason": one.reason, "made": one.made} for one in grade.adjustments],
        "handed_in": {
            "at": said.at.isoformat(timespec="seconds") if said.at else None,
            "said_by": str(said.said_by),
            "marked_late": said.marked_late,
        }
        if said is not None and told
        else None,
    }


def _points(value: float | None) -> float | None:
    """Without the tail that shares in binary fractions leave."""
    return None if value is None or not math.isfinite(value) else round(value, 6)


def dumps(value: Any, *, indent: int | None = 1) -> str:
    """JSON that any parser reads (no NaN) and any terminal survives."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return _UNUSUAL.sub(_escaped, text)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if clean(character) == character:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
