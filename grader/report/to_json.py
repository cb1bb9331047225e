"""results.json: everything that was found, for programs.

Text stays what it was, character for character; what would steer a terminal or turn the direction of writing
is written as an escape, so that the file is safe to print and still says exactly the same.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from grader.core.text import clean
from grader.report.atomic import write_text
from grader.report.results import Results

FORMAT = 1
_UNUSUAL = re.compile(r"[^\x20-\x7e\n]")


def write(results: Results, out: Path, templates: Path) -> list[Path]:
    return [write_text(out / "results.json", dumps(as_json(results)) + "\n")]


def as_json(results: Results) -> dict[str, Any]:
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
        "submissions": [attempt.as_json() for attempt in results.attempts],
        "unreadable": [{"path": entry.path, "reason": entry.reason} for entry in results.unreadable],
    }


def dumps(value: Any) -> str:
    """JSON that any parser reads (no NaN) and any terminal survives."""
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=1)
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
