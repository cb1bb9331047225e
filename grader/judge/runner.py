"""One pytest session that outlives many submissions.

Collecting checks and starting pytest cost more than most checks do, so both are done once: a thread runs
`pytest.main` with only our plugin, whose `pytest_runtestloop` waits for cases instead of walking through the
items. Each case runs the items of one exercise by pytest's own protocol, with fresh fixtures.
"""

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from grader.checks.draw import Draw
from grader.checks.failures import CheckFailed
from grader.checks.mark import Terms
from grader.checks.student import Student
from grader.core.errors import OurFault
from grader.core.exercise import Exercise

_OPTIONS = (
    "--import-mode=importlib",
    "--assert=plain",
    "--noconftest",
    *(
        option
        for plugin in (
            "cacheprovider", "capture", "doctest", "faulthandler", "junitxml", "logging", "nose", "pastebin",
            "setuponly", "setupplan", "stepwise", "terminal", "threadexception", "unraisableexception", "warnings",
            "debugging", "unittest", "skipping", "reports", "legacypath", "monkeypatch", "recwarn", "tmpdir",
        )
        for option in ("-p", f"no:{plugin}")
    ),
)  # fmt: skip


@dataclass(frozen=True)
class CheckItem:
    """A collected check."""

    id: str
    title: str
    terms: Terms
    item: pytest.Item = field(repr=False)


@dataclass
class CheckRun:
    """One check as it ran: what its fixtures were, and how it ended."""

    check: CheckItem
    student: Student | None = None
    error: BaseException | None = None
    seconds: float = 0.0


@dataclass
class Case:
    """One submission before the checks of its exercise."""

    exercise: Exercise
    make_student: Callable[[CheckItem], Student]
    make_reference: Callable[[CheckItem], Student]
    """The reference solution in the place of the learner's."""
    seed_of: Callable[[CheckItem], int]
    device: str
    after: Callable[[CheckRun], bool]
    """Told each check as it ended; False ends the case."""
    before: Callable[[CheckItem], bool]
    """Whether the check is to be run at all."""
    recall: Callable[[CheckItem], CheckRun | None] = lambda check: None
    """How the check ends, where that is known without running it."""


class CheckRunner:
    """The pytest session. `run` may be called from one thread at a time."""

    def __init__(self, exercises: Sequence[Exercise]) -> None:
        self._exercises = {str(exercise.checks.resolve()): exercise for exercise in exercises}
        self.checks: dict[str, tuple[CheckItem, ...]] = {exercise.name: () for exercise in exercises}
        self.faults: dict[str, str] = {}
        """Why the checks of an exercise could not be collected, by its name."""
        self._cases: queue.Queue[Case | None] = queue.Queue()
        self._done: queue.Queue[BaseException | None] = queue.Queue()
        self._thread = threading.Thread(target=self._pytest, name="checks", daemon=True)
        self._current: CheckRun | None = None
        self._case: Case | None = None
        self._make_student: Callable[[CheckItem], Student]

    def start(self) -> None:
        """Collect; waits until the checks are ready."""
        self._thread.start()
        if (fault := self._done.get()) is not None:
            raise OurFault(f"the checks could not be collected: {fault}")

    def run(self, case: Case) -> None:
        """Run the checks of the case's exercise, in order."""
        self._cases.put(case)
        if (fault := self._done.get()) is not None:
            raise fault

    def close(self) -> None:
        self._cases.put(None)
        self._thread.join(10)

    # -- the session's own thread

    def _pytest(self) -> None:
        # No plugin that happens to be installed, and no option from the environment, has a say in a verdict.
        kept = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
        before = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        ini = Path(__file__).with_name("pytest.ini")
        # Checks may lie in a folder that is not ours to write to.
        writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        self._forget()
        try:
            code = pytest.main(
                ["-c", str(ini), f"--rootdir={ini.parent}", *_OPTIONS, *self._exercises], plugins=[_Plugin(self)]
            )
            self._done.put(OurFault(f"pytest ended with code {int(code)}"))
        except BaseException as error:  # noqa: BLE001 - reported to the thread that waits
            self._done.put(error)
        finally:
            sys.dont_write_bytecode = writes
            for name, value in kept.items():
                if value is not None:
                    os.environ[name] = value
            if before is None:
                os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)

    def _forget(self) -> None:
        """An earlier runner of this process may have imported the checks before they were changed."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and file.endswith("checks.py") and str(Path(file).resolve()) in self._exercises:
                del sys.modules[name]

    def collected(self, items: Sequence[pytest.Item]) -> None:
        found: dict[str, list[CheckItem]] = {}
        for item in items:
            exercise = self._exercises[str(item.path.resolve())]
            mark = item.get_closest_marker("graded")
            if mark is None:
                self.faults[exercise.name] = f"{item.name} is not marked with @check"
                continue
            doc = (getattr(item, "function", None) and item.function.__doc__) or item.name  # type: ignore[attr-defined]
            title = doc.strip().splitlines()[0].rstrip(".")
            found.setdefault(exercise.name, []).append(CheckItem(item.name, title, mark.args[0], item))
        for name, checks in found.items():
            self.checks[name] = tuple(checks)

    def collect_failed(self, path: str, text: str) -> None:
        for place, exercise in self._exercises.items():
            if (path and place.endswith(path.replace("/", os.sep))) or exercise.name in text:
                self.faults[exercise.name] = text[-800:]

    def loop(self) -> None:
        self._done.put(None)
        while (case := self._cases.get()) is not None:
            try:
                self._run(case)
                self._done.put(None)
            except BaseException as error:  # noqa: BLE001 - reported to the thread that waits
                self._done.put(error)

    def _run(self, case: Case) -> None:
        self._case = case
        checks = self.checks[case.exercise.name]
        try:
            for index, check in enumerate(checks):
                if not case.before(check):
                    continue
                # `nextitem` decides which fixtures are torn down: an item of the same file, so that the
                # function's are and the file's are not.
                other = checks[index - 1] if len(checks) > 1 else None
                run = case.recall(check) or self._run_check(check, other, case.make_student)
                if _unforeseen(run.error, case.exercise) and self._passes(check, other, case.make_reference):
                    run.error = CheckFailed("Your answer does not have the form that was asked for.")
                if not case.after(run):
                    break
        finally:
            # The next case may be of another exercise: pytest insists that this one's file is left first.
            checks[0].item.session._setupstate.teardown_exact(None)
            self._case = self._current = None

    def _run_check(
        self, check: CheckItem, other: CheckItem | None, make_student: Callable[[CheckItem], Student]
    ) -> CheckRun:
        self._current = run = CheckRun(check)
        self._make_student = make_student
        started = time.perf_counter()
        runtestprotocol(check.item, log=False, nextitem=other.item if other else None)
        run.seconds = time.perf_counter() - started
        return run

    def _passes(self, check: CheckItem, other: CheckItem | None, make_student: Callable[[CheckItem], Student]) -> bool:
        return self._run_check(check, other, make_student).error is None

    def ended(self, error: BaseException) -> None:
        assert self._current is not None
        if self._current.error is None:
            self._current.error = error

    def student(self) -> Student:
        assert self._current is not None
        self._current.student = self._make_student(self._current.check)
        return self._current.student

    def draw(self) -> Draw:
        assert self._case is not None
        assert self._current is not None
        return Draw(self._case.seed_of(self._current.check))

    def device(self) -> str:
        assert self._case is not None
        return self._case.device


def _unforeseen(error: BaseException | None, exercise: Exercise) -> bool:
    """Whether a check stumbled in its own lines over a value: over an answer of a form that its author did not
    think of, or over a mistake of the author's. If it runs through with the reference, it was the answer.
    """
    if not isinstance(
        error, ArithmeticError | AttributeError | LookupError | MemoryError | RuntimeError | TypeError | ValueError
    ):
        return False
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(exercise.checks):
            return True
        step = step.tb_next
    return False


class _Plugin:
    """All that pytest is told."""

    def __init__(self, runner: CheckRunner) -> None:
        self._runner = runner

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "graded(terms): a graded check")

    @pytest.fixture
    def student(self) -> Student:
        """The learner's code, behind the wall."""
        return self._runner.student()

    @pytest.fixture
    def draw(self) -> Draw:
        """Fresh inputs from the run's seed."""
        return self._runner.draw()

    @pytest.fixture
    def device(self) -> str:
        """The name of the run's device, "cpu" or "cuda"."""
        return self._runner.device()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._runner.collect_failed(report.nodeid, str(report.longrepr))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._runner.collected(session.items)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._runner.loop()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> pytest.TestReport:
        # Written here because pytest's own renders the traceback of every failure, which nobody reads.
        assert call.when != "collect"
        if call.excinfo is not None:
            self._runner.ended(call.excinfo.value)
        return pytest.TestReport(
            item.nodeid, item.location, {}, "failed" if call.excinfo else "passed", None, call.when,
            duration=call.duration, start=call.start, stop=call.stop,
        )  # fmt: skip
