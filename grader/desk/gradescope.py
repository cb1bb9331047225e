"""Gradescope: the autograder that an instructor uploads, and what runs in its container.

`write_zip` makes the archive: `setup.sh` and `run_autograder` at its root, the engine with the chosen exercises as
a wheel beside them, and NOTES.md. `run` is what `run_autograder` calls for each submission: it judges the folder
`submission` and writes `results/results.json`, whatever happens.
"""

import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.catalogue import templates
from grader.core.attempt import Attempt
from grader.core.errors import BadFile, WrongUsage
from grader.core.exercise import Exercise
from grader.core.text import one_line
from grader.desk.carry import packed, wheel
from grader.desk.one_student import STUDENT, Assignment, Judged, chosen, judge_student
from grader.report import gradescope
from grader.report.atomic import write_text
from grader.report.results import number
from grader.report.to_json import dumps

SPARE_SECONDS = 45
"""What is kept of the container's time for the exercise that is under way when no other is begun."""
_MOST_METADATA = 16 << 20


@dataclass(frozen=True)
class Made:
    """An autograder that was written."""

    path: Path
    size: int
    exercises: tuple[Exercise, ...]

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises)


def write_zip(
    path: Path,
    exercises: Sequence[str] = (),
    pack: Path | None = None,
    *,
    visibility: str = "visible",
    trust: bool = False,
    minutes: int = 10,
) -> Made:
    """Write the autograder for these exercises (none: all) to `path`. The same content gives the same bytes."""
    if path.is_dir() or path.suffix.lower() != ".zip":
        raise WrongUsage(f"{path} is to be a file that ends with .zip, such as autograder.zip.")
    wanted = chosen(exercises, pack)
    options = [f"--exercise {exercise.name}" for exercise in wanted]
    options += [f"--visibility {visibility}", f"--minutes {minutes}", *(["--trust-submissions"] if trust else [])]
    name, content = wheel(wanted)
    files = {name: content}
    for script in ("setup.sh", "run_autograder", "NOTES.md"):
        text = (templates() / "gradescope" / script).read_text(encoding="utf-8").replace("\r\n", "\n")
        text = text.replace("@OPTIONS@", " \\\n  ".join(options)).replace("@WHEEL@", name)
        text = text.replace("@EXERCISES@", "\n".join(_line(exercise) for exercise in wanted))
        text = text.replace("@POINTS@", number(sum(exercise.points for exercise in wanted)))
        files[script] = text.encode()
    data = packed(files, executable=("setup.sh", "run_autograder"))
    _write(path, data)
    return Made(path, len(data), wanted)


def run(root: Path, assignment: Assignment, visibility: str) -> tuple[dict[str, Any], Judged | None]:
    """Judge `root`/submission and write `root`/results/results.json; answers with what it says.

    None in the place of what was judged means that nothing could be, and the result says why.
    """
    results = root / "results" / "results.json"
    # Should this process be killed, this is what is found.
    _answer(results, gradescope.not_graded("The autograder was stopped before it was done."))
    judged = None
    try:
        about = _about(root / "submission_metadata.json")
        judged = judge_student([root / "submission"], assignment, _tell)
        told = gradescope.as_json(
            judged.results,
            STUDENT,
            visibility=visibility,
            seconds=judged.seconds,
            fault=judged.fault,
            unread=judged.unread,
            about=about,
        )
        _answer(results, told)
    except Exception as error:  # noqa: BLE001 - Gradescope must find a result whatever happens
        why = str(error) if isinstance(error, (BadFile, WrongUsage)) else f"{type(error).__name__}: {error}"
        told = gradescope.not_graded(one_line(why, 1000))
        _answer(results, told)
        return told, None
    return told, judged


def _answer(path: Path, result: dict[str, Any]) -> None:
    write_text(path, dumps(result) + "\n")


def _tell(attempt: Attempt) -> None:
    """For the instructor, who alone sees what is printed: what was done before it came to an end."""
    print(f"{attempt.exercise}: {attempt.status.words}", flush=True)


def _about(path: Path) -> dict[str, Any]:
    """Who handed in, as Gradescope tells it; nothing where it does not."""
    try:
        if path.stat().st_size > _MOST_METADATA:
            return {}
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    facts = facts if isinstance(facts, dict) else {}
    users = facts.get("users")
    names = [user.get("name") for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    told: dict[str, Any] = {"students": [one_line(name) for name in names if isinstance(name, str)]}
    for key in ("id", "created_at"):
        if isinstance(facts.get(key), str | int):
            told["submission" if key == "id" else "handed_in"] = one_line(str(facts[key]))
    return told


def _line(exercise: Exercise) -> str:
    return f"- {exercise.name}: {number(exercise.points)} points"


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name[:60]}.{secrets.token_hex(6)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise BadFile(f"{path} cannot be written: {error.strerror or error}. Name another place.") from error
