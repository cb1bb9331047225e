"""`Judge`: one submission in, one `Attempt` out."""

import gc
import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from grader.catalogue.known import known_answers
from grader.checks.failures import CheckFailed
from grader.checks.student import Student
from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import OurFault
from grader.core.exchange import Backend, Reply, Request, Word
from grader.core.exercise import Exercise, in_language
from grader.core.submission import Submission
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.judge.known import KnownAnswers, Replay
from grader.judge.opening import start_host
from grader.judge.recall import End, Recall
from grader.judge.runner import Case, CheckItem, CheckRun, CheckRunner
from grader.judge.settings import Settings
from grader.judge.verdicts import Ending, ending, load_failed
from grader.sandbox.client import ConfinedBackend, Heard, Host, LocalBackend
from grader.sandbox.session import encode_request


class Judge:
    """Judges submissions to some exercises. A context manager; not for use by several threads."""

    def __init__(self, exercises: Sequence[Exercise], settings: Settings, host: Host | None = None) -> None:
        """host: where `opening.open_judge` started it before this module was imported."""
        self._settings = settings
        self._exercises = {exercise.name: exercise for exercise in exercises}
        self._host = host or start_host(exercises, settings)
        self._runner = CheckRunner(exercises)
        self._known: dict[str, KnownAnswers] = {}
        self._recalls: dict[str, Recall] = {}
        self._stubs: dict[str, list[str]] = {}

    def __enter__(self) -> "Judge":
        try:
            self._runner.start()
            self._host.ready()
            # What torch and pytest brought stays as long as the judge does: looking through it for garbage, once
            # now (a tenth of a second, and there is none to speak of) or again and again, would cost too much.
            gc.freeze()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._runner.close()
        self._host.close()

    @property
    def confinement(self) -> str:
        return self._host.confinement

    @property
    def torch_version(self) -> str:
        return self._host.torch_version

    @property
    def stages(self) -> dict[str, float]:
        """Seconds spent so far by stage; for benchmarks."""
        return self._host.stages

    def checks(self, exercise: str) -> tuple[CheckItem, ...]:
        """The collected checks of an exercise, in order."""
        return self._runner.checks[exercise]

    def reseed(self, seed: int) -> None:
        """Go on with another seed."""
        self._settings = replace(self._settings, seed=seed)
        self.forget()

    def forget(self) -> None:
        """Forget how checks ended for the answers that they heard."""
        self._recalls.clear()

    def unable(self, exercise: str) -> str:
        """Why this exercise cannot be judged here, or ""."""
        if fault := self._runner.faults.get(exercise):
            return f"Its checks could not be collected: {clean(fault, 800)}"
        if not self._runner.checks.get(exercise):
            return "It has no checks."
        for module in self._exercises[exercise].needs:
            if reason := self._host.missing.get(module):
                return (
                    f"It needs {module}, which cannot be imported beside torch {self.torch_version} ({reason[:300]}). "
                    f"Install the {module} that matches: pip install --upgrade torch {module}"
                )
        return ""

    def judge(self, submission: Submission, progress: Callable[[CheckResult], None] | None = None) -> Attempt:
        """Run every check of the submission's exercise. Never raises for what the learner's code does.

        progress: told of each check as it ends.
        """
        for again in (False, True):
            try:
                if again:
                    self._host.restart()
                return self._judge(submission, progress)
            except OurFault as fault:
                if again:
                    return self._our_fault(submission, str(fault))
            except Exception as error:  # noqa: BLE001 - one submission must not end the grading of a class
                told = one_line(f"{type(error).__name__}: {error}")
                return self._our_fault(submission, f"The judge stumbled: {told}")
        raise AssertionError("unreachable")

    def rehearse(self, submission: Submission, goes_on: Callable[[], bool]) -> None:
        """Make ready, in idle time, for the next check of this exercise with the seed as it is now.

        The reference is judged in the place of the learner, and the known wrong answers are asked what it was asked:
        what they say is remembered, so the learner will wait for their own code alone. No verdict depends on it.

        submission: the last one; the next may be like it. goes_on: asked again and again whether there is time yet.
        """
        exercise = self._exercises[submission.exercise]
        if self.unable(exercise.name):
            return
        known = self.known(exercise)
        known.forget()
        solution = replace(submission, source=exercise.solution.read_text(encoding="utf-8"))
        hearing = _Hearing(self, exercise, solution, None)
        try:
            with closing(hearing.backend):
                self._runner.run(hearing.case)
            known.ask_ahead(hearing.asked, submission.source, goes_on)
        except OurFault:
            # Not in the way of anybody: the next check meets it again and deals with it.
            return

    # ------------------------------------------------------------------------------------------- one submission

    def _judge(self, submission: Submission, progress: Callable[[CheckResult], None] | None) -> Attempt:
        exercise = self._exercises[submission.exercise]
        started = time.perf_counter()
        if reason := self.unable(exercise.name):
            return self._our_fault(submission, reason)
        if self._unchanged(exercise, submission):
            told = Ending(Verdict.NOT_ATTEMPTED, "The file is still as it was given out.")
            return self._attempt(submission, self._all(exercise, told), started)
        hearing = _Hearing(self, exercise, submission, progress)
        try:
            self._runner.run(hearing.case)
        finally:
            hearing.backend.close()
        if hearing.fault is not None:
            raise hearing.fault
        return self._attempt(submission, tuple(hearing.results), started)

    def _attempt(self, submission: Submission, results: tuple[CheckResult, ...], started: float) -> Attempt:
        return Attempt(
            submission.student, submission.exercise, submission.path, submission.sha256, results,
            self._settings.seed, self._settings.device, self.confinement, self.torch_version,
            time.perf_counter() - started, "\n".join(submission.notes),
        )  # fmt: skip

    def _our_fault(self, submission: Submission, reason: str) -> Attempt:
        exercise = self._exercises[submission.exercise]
        results = self._all(exercise, Ending(Verdict.INTERNAL_ERROR, f"Not judged, and not scored. {reason}"))
        if not results:
            results = (
                CheckResult("checks", exercise.title["en"], Verdict.INTERNAL_ERROR, 0.0, exercise.points, reason),
            )
        return self._attempt(submission, results, time.perf_counter())

    def _all(self, exercise: Exercise, told: Ending) -> tuple[CheckResult, ...]:
        return tuple(
            CheckResult(check.id, check.title, told.status, 0.0, check.terms.points, told.message, where=told.where,
                        traceback=told.traceback)
            for check in self._runner.checks[exercise.name]
        )  # fmt: skip

    def _unchanged(self, exercise: Exercise, submission: Submission) -> bool:
        if exercise.name not in self._stubs:
            self._stubs[exercise.name] = _essence(exercise.stub.read_text(encoding="utf-8"))
        mine = _essence(submission.source)
        return not mine or mine == self._stubs[exercise.name]

    def known(self, exercise: Exercise) -> KnownAnswers:
        if exercise.name not in self._known:
            wrong = known_answers(exercise, "wrong")
            self._known[exercise.name] = KnownAnswers(exercise, wrong, self._host)
        return self._known[exercise.name]

    def recall(self, exercise: Exercise) -> Recall:
        return self._recalls.setdefault(exercise.name, Recall())

    def seed_of(self, exercise: str, check: str, index: int = -1) -> int:
        """A seed of its own for each check, and for each request in it, from the seed of the run."""
        text = f"{self._settings.seed}/{exercise}/{check}/{index}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "little")


def _essence(source: str) -> list[str]:
    """What is left of a file without what nobody sees."""
    return [stripped for line in source.splitlines() if (stripped := line.rstrip())]


_WRONG = (Verdict.FAILED, Verdict.ERROR, Verdict.TIMEOUT, Verdict.CRASHED)


class _Astray(OurFault):
    """A check asked something else than before, having heard the same: the ways kept for it are worth nothing."""


class _Asking:
    """The learner's file as a check asks it: what was heard already is not asked again."""

    def __init__(
        self, backend: ConfinedBackend, given: list[tuple[Request, Heard]], asked: list[tuple[Request, Heard]]
    ) -> None:
        self._backend = backend
        self._given = given
        self._asked = asked

    def ask(self, request: Request) -> Reply:
        if self._given:
            wanted, heard = self._given.pop(0)
            if not _same(wanted, request):
                raise _Astray(f"the check asked {request.name or request.word} where it asked {wanted.name} before")
        else:
            heard = self._backend.hear(request)
        self._asked.append((request, heard))
        return self._backend.read(heard, request)


def _same(one: Request, other: Request) -> bool:
    return (
        one.word is other.word
        and one.seconds == other.seconds
        and (one.word is Word.RESTART or encode_request(one) == encode_request(other))
    )


def _bare(error: BaseException | None) -> CheckFailed | None:
    """Without the frames that it went through, and all that they hold."""
    return CheckFailed(error.message, error.given) if isinstance(error, CheckFailed) else None


class _Hearing:
    """One submission before the checks."""

    def __init__(
        self,
        judge: Judge,
        exercise: Exercise,
        submission: Submission,
        progress: Callable[[CheckResult], None] | None,
    ) -> None:
        self._judge = judge
        self._exercise = exercise
        self._submission = submission
        self._progress = progress
        self._known = judge.known(exercise)
        self._reference: Replay | None = None
        self._twin: LocalBackend | None = None
        self._recall = judge.recall(exercise)
        self._asked: list[tuple[Request, Heard]] = []
        """What the check that is running has asked, and what was heard."""
        self._end: End | None = None
        """How it ended, where that was known."""
        self.results: list[CheckResult] = []
        self.asked: dict[str, list[Request]] = {}
        """What each check asked."""
        self.fault: OurFault | None = None
        self.backend = ConfinedBackend(
            judge._host, exercise.file_name, submission.source, self._known.scenes, exercise.limits
        )
        self.case = Case(
            exercise, self._student, self._reference_as_student, lambda check: judge.seed_of(exercise.name, check.id),
            judge._settings.device, self._after, self._before, self._recalled,
        )  # fmt: skip

    def _recalled(self, check: CheckItem) -> CheckRun | None:
        started = time.perf_counter()
        self._end, self._asked = self._recall.follow(check.id, self.backend.hear)
        if self._end is None:
            return None
        return CheckRun(check, error=self._end.error, seconds=time.perf_counter() - started)

    def _student(self, check: CheckItem) -> Student:
        given, self._asked = self._asked, []
        return self._student_of(check, _Asking(self.backend, given, self._asked))

    def _reference_as_student(self, check: CheckItem) -> Student:
        """The solution in the place of what was handed in; in this process, since it is our own code."""
        self._twin = self._known.reference_backend()
        return self._student_of(check, self._twin)

    def _student_of(self, check: CheckItem, backend: Backend) -> Student:
        if self._reference is not None:
            self._reference.close()  # or its folder would wait for the garbage collector
        self._reference = self._known.reference()
        return Student(
            backend,
            self._reference.reply,
            lambda index: self._judge.seed_of(self._exercise.name, check.id, index),
            self._judge._settings.device,
        )

    def _before(self, check: CheckItem) -> bool:
        device = self._judge._settings.device
        if check.terms.device is not None and check.terms.device != device:
            told = Ending(Verdict.SKIPPED, f"This check needs the device {check.terms.device}; the run is on {device}.")
            self._add(check, told, counts=False)
            return False
        passed = {result.id for result in self.results if result.status is Verdict.PASSED}
        for needed in check.terms.needs:
            if needed not in passed:
                title = next((c.title for c in self._judge.checks(self._exercise.name) if c.id == needed), needed)
                self._add(check, Ending(Verdict.SKIPPED, f"It waits for: {title}."))
                return False
        return True

    def _after(self, run: CheckRun) -> bool:
        for ours in (self._reference, self._twin):
            if ours is not None:
                ours.close()
        self._twin = None
        if isinstance(run.error, OurFault):
            if isinstance(run.error, _Astray):
                self._recall.forget(run.check.id)
            self.fault = run.error
            return False
        if self.backend.load_failure is not None:
            told = load_failed(self.backend.load_failure, self._submission)
        else:
            told = ending(run.error, self._submission)
        self.asked[run.check.id] = [request for request, _ in self._asked]
        printed = clean("".join(heard.printed for _, heard in self._asked), 4000)
        slug = None
        if self._end is not None:
            slug = self._end.misconception
        elif told.status in _WRONG and run.student is not None:
            try:
                slug = self._known.misconception(run.check.id, run.student.log, self._submission.source)
            except OurFault as fault:
                self.fault = fault
                return False
        if self._end is None and (run.error is None or isinstance(run.error, CheckFailed)):
            self._recall.keep(run.check.id, self._asked, End(_bare(run.error), slug))
        self._add(run.check, told, slug=slug, printed=printed, seconds=run.seconds)
        return True

    def _add(
        self,
        check: CheckItem,
        told: Ending,
        *,
        slug: str | None = None,
        printed: str = "",
        seconds: float = 0.0,
        counts: bool = True,
    ) -> None:
        message = told.message
        if slug is not None and slug in self._exercise.misconceptions:
            message = in_language(self._exercise.misconceptions[slug], self._judge._settings.language)
            # The idea comes first; what was seen stays beneath it.
            message = f"{message}\n{told.message}" if told.message else message
        result = CheckResult(
            check.id, check.title, told.status, check.terms.points if told.status is Verdict.PASSED else 0.0,
            check.terms.points, message, slug, told.where, told.traceback, printed, told.given, counts, seconds,
        )  # fmt: skip
        self.results.append(result)
        if self._progress is not None:
            self._progress(result)
