"""The same checks without any wall: the learner's file is loaded in the process that judges it.

This is what the peers do, so it is what they are given to run: pytest and nbgrader in `throughput.py` judge the
same seven exercises by the same `checks.py` with the same words, only in one process. It is also the floor that
our own isolation is measured against. Not for grading: the learner's code could read every answer.
"""

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.catalogue import Catalogue
from grader.checks import Draw, Student
from grader.core.exchange import Reply, Request
from grader.core.exercise import Exercise
from grader.judge.known import Replay, scenes_of
from grader.sandbox.client import LocalBackend

SEED = 7


def reference(exercise: Exercise) -> Replay:
    source = exercise.solution.read_text(encoding="utf-8")
    return Replay({}, lambda: LocalBackend(exercise.file_name, source, scenes_of(exercise)))


def student(exercise: Exercise, source: str) -> tuple[Student, Callable[[], None]]:
    """A student whose code runs here, and what closes it."""
    backend = LocalBackend(exercise.file_name, source, scenes_of(exercise))
    oracle = reference(exercise)

    def reply(requests: list[Request]) -> Reply:
        return oracle.reply(requests)

    def close() -> None:
        backend.close()
        oracle.close()

    return Student(backend, reply, lambda index: SEED + index, "cpu"), close


class Plugin:
    """For `pytest checks.py -p benchmarks.inprocess`: the fixtures, for the file SUBMISSION/NN_name.py."""

    def __init__(self, submission: Path) -> None:
        self._submission = submission
        self._exercises = {str(e.folder): e for e in Catalogue.load()}

    @pytest.fixture
    def student(self, request):
        exercise = self._exercises[str(request.path.parent)]
        made, close = student(exercise, (self._submission / exercise.file_name).read_text(encoding="utf-8"))
        yield made
        close()

    @pytest.fixture
    def draw(self):
        return Draw(SEED)

    @pytest.fixture
    def device(self):
        return "cpu"


def check_in_notebook(name: str, source: str) -> None:
    """Run the checks of an exercise on a cell's source; raises for the first that fails."""
    exercise = Catalogue.load().get(name)
    module = types.ModuleType(f"checks_{name}")
    exec(compile(exercise.checks.read_text(encoding="utf-8"), str(exercise.checks), "exec"), module.__dict__)
    for check, function in list(vars(module).items()):
        if not check.startswith("test_"):
            continue
        made, close = student(exercise, source)
        try:
            names = function.__code__.co_varnames[: function.__code__.co_argcount]
            function(**{n: {"student": made, "draw": Draw(SEED), "device": "cpu"}[n] for n in names})
        finally:
            close()


def main() -> None:
    """`python -m benchmarks.inprocess SUBMISSION`: one pytest process for one student's seven files."""
    submission = Path(sys.argv[1])
    checks = [str(exercise.checks) for exercise in Catalogue.load() if (submission / exercise.file_name).is_file()]
    options = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-c", "/dev/null"]
    raise SystemExit(pytest.main([*options, *checks], plugins=[Plugin(submission)]))


if __name__ == "__main__":
    main()
