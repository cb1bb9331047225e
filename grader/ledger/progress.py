"""A learner's progress: `.learn/progress.json` in the workspace, by the names of the exercises.

Every change is made on top of what the file says at that moment and is saved at once, so that `learn watch`
in one terminal and `learn hint` in another do not undo each other.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from types import NoneType
from typing import Any, Self

from grader.core.attempt import Attempt
from grader.core.errors import BadFile
from grader.core.text import one_line
from grader.core.verdict import Verdict
from grader.ledger.lock import Lock, Taken

FOLDER = ".learn"
FILE = "progress.json"
FORMAT = 1
_PATIENCE = 5.0
"""Seconds to wait for another command that is just saving."""

# What costs the learner nothing: our own fault, an untouched stub, a machine without the device.
_NO_ATTEMPT = (Verdict.INTERNAL_ERROR, Verdict.NOT_ATTEMPTED, Verdict.SKIPPED)


@dataclass(frozen=True)
class Step:
    """What is known of one exercise. Times are ISO 8601 with the offset from UTC."""

    best: Verdict | None = None
    best_score: float = 0.0
    passed_at: str | None = None
    """When it was passed for the first time."""
    attempts: int = 0
    hints: int = 0
    """How many hints were shown."""
    solution_seen_at: str | None = None
    solution_before_pass: bool = False
    last: Verdict | None = None
    last_at: str | None = None
    last_score: float | None = None
    last_max_score: float = 0.0

    @property
    def passed(self) -> bool:
        return self.passed_at is not None


_KINDS: Mapping[str, tuple[type, ...]] = {
    "best": (str, NoneType),
    "best_score": (int, float),
    "passed_at": (str, NoneType),
    "attempts": (int,),
    "hints": (int,),
    "solution_seen_at": (str, NoneType),
    "solution_before_pass": (bool,),
    "last": (str, NoneType),
    "last_at": (str, NoneType),
    "last_score": (int, float, NoneType),
    "last_max_score": (int, float),
}


class _Broken(Exception):
    """The file is not what this program writes."""


class Progress:
    """The progress in one workspace. Every method that changes it saves it."""

    def __init__(self, folder: Path, steps: Mapping[str, Step], note: str = "") -> None:
        self._folder = folder
        self._steps = dict(steps)
        self.note = note
        """What the learner must be told of the file: that a broken one was put aside."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The progress in the workspace `folder`; empty where there is none yet."""
        path = folder / FOLDER / FILE
        try:
            return cls(folder, _read(path))
        except _Broken:
            with _locked(path):
                return cls(folder, *_read_or_put_aside(path))

    def step(self, name: str) -> Step:
        """What is known of an exercise."""
        return self._steps.get(name, Step())

    def passed(self, name: str) -> bool:
        return self.step(name).passed

    def current(self, names: Iterable[str]) -> str | None:
        """The first exercise that was not passed; None where all were."""
        return next((name for name in names if not self.passed(name)), None)

    def record(self, attempt: Attempt, when: datetime | None = None) -> Step:
        """Remember an attempt. What was passed once stays passed."""
        now = _moment(when)

        def after(step: Step) -> Step:
            passed = attempt.status is Verdict.PASSED
            score = attempt.score or 0.0
            if attempt.status not in _NO_ATTEMPT:
                step = replace(step, attempts=step.attempts + 1)
                if passed or (not step.passed and (step.best is None or score > step.best_score)):
                    step = replace(step, best=attempt.status, best_score=score)
            return replace(
                step,
                passed_at=step.passed_at or (now if passed else None),
                last=attempt.status,
                last_at=now,
                last_score=attempt.score,
                last_max_score=attempt.max_score,
            )

        with self._change():
            step = self._steps[attempt.exercise] = after(self.step(attempt.exercise))
        return step

    def next_hint(self, name: str, total: int) -> int:
        """The number of the hint to show, from 1, of `total`; after the last it stays the last."""
        with self._change():
            step = self.step(name)
            number = min(step.hints + 1, total)
            self._steps[name] = replace(step, hints=max(number, step.hints))
        return number

    def saw_solution(self, name: str, when: datetime | None = None) -> Step:
        """Remember that the solution was shown, and whether that was before the exercise was passed."""
        with self._change():
            step = self.step(name)
            if step.solution_seen_at is None:
                step = replace(step, solution_seen_at=_moment(when), solution_before_pass=not step.passed)
            self._steps[name] = step
        return step

    @contextmanager
    def _change(self) -> Iterator[None]:
        path = self._folder / FOLDER / FILE
        with _locked(path):
            self._steps, note = _read_or_put_aside(path)
            self.note = note or self.note
            yield
            _write(path, self._steps)


def _moment(when: datetime | None) -> str:
    return (when or datetime.now()).astimezone().isoformat(timespec="seconds")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(exist_ok=True)
        with Lock(path.with_name("lock"), _PATIENCE):
            yield
    except Taken:
        raise BadFile(f"{path} is being written by another `learn`. Wait for it or stop it, then try again.") from None
    except OSError as error:
        raise BadFile(f"Progress can't be saved in {path}: {error.strerror or error}.") from error


def _read(path: Path) -> dict[str, Step]:
    try:
        said = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadFile(f"{path} can't be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise _Broken(one_line(str(error))) from error
    if not isinstance(said, dict) or not isinstance(said.get("exercises"), dict):
        raise _Broken("it is no record of progress")
    if said.get("format") != FORMAT:
        if isinstance(said.get("format"), int):
            raise BadFile(f"{path} was written by another version of Autogradebook; update it, then go on.")
        raise _Broken("it names no format")
    return {name: _step(name, fields) for name, fields in said["exercises"].items()}


def _step(name: str, said: Any) -> Step:
    if not isinstance(said, dict):
        raise _Broken(f"{one_line(name)} is no record")
    for key, kinds in _KINDS.items():
        # JSON's true is an int to Python, but no number of attempts.
        if key in said and type(said[key]) not in kinds:
            raise _Broken(f"{key} of {one_line(name)} is {one_line(repr(said[key]), 40)}")
    fields = {key: said[key] for key in _KINDS if key in said}
    try:
        for key in ("best", "last"):
            if fields.get(key) is not None:
                fields[key] = Verdict(fields[key])
    except ValueError as error:
        raise _Broken(str(error)) from error
    return Step(**fields)


def _read_or_put_aside(path: Path) -> tuple[dict[str, Step], str]:
    """The steps; those of a broken file are none, and it is kept under another name. To be called under the lock."""
    try:
        return _read(path), ""
    except _Broken as why:
        number = 1
        while os.path.lexists(aside := path.with_name(f"{path.name}.broken-{number}")):
            number += 1
        os.replace(path, aside)
        return {}, f"{path} can't be read ({why}). It was kept as {aside.name}, and progress starts anew."


def _write(path: Path, steps: Mapping[str, Step]) -> None:
    exercises = {name: asdict(step) for name, step in sorted(steps.items())}
    text = json.dumps({"format": FORMAT, "exercises": exercises}, indent=1, ensure_ascii=False)
    fresh = path.with_name(f"{path.name}.new")
    with open(fresh, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
