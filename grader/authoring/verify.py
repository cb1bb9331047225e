"""`learn author verify`: every known answer gets the verdict that it deserves, or the exercise is not written yet.

Each answer is judged exactly as a learner's would be, at several seeds:

* the stub earns nothing and is `not_attempted`, and so is it with a line added;
* the solution and every file of `right/` earn full marks;
* every file of `wrong/` fails the checks that it names and passes all others, and each failed check speaks
  the misconception's own message;
* a file that only raises passes nothing (a judge that grades the wrong file would pass it).
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from grader.catalogue import known_answers
from grader.core.attempt import Attempt
from grader.core.exercise import Exercise, KnownAnswer, in_language
from grader.core.submission import Submission, digest
from grader.core.verdict import Verdict
from grader.judge.judge import Judge

LEAST_WRONG, LEAST_RIGHT, LEAST_HINTS = 6, 2, 3


@dataclass(frozen=True)
class Proof:
    """One row of the kill table: an answer, what it is, and what went wrong with its verdict ("" if nothing)."""

    exercise: str
    answer: str
    kind: str
    """"stub", "solution", "right", "wrong", "canary" or "contract"."""
    told: str
    """The misconception, and the checks that fail."""
    score: float | None
    max_score: float
    fault: str = ""

    @property
    def holds(self) -> bool:
        return not self.fault


def verify(exercise: Exercise, judge: Judge, seeds: tuple[int, ...]) -> Iterator[Proof]:
    """Judge every known answer of the exercise at every seed; a row for each answer, and one for the folder."""
    wrong = known_answers(exercise, "wrong")
    right = known_answers(exercise, "right")
    fault = _contract(exercise, judge, wrong, right)
    checks = judge.checks(exercise.name)
    yield Proof(exercise.name, "folder", "contract", f"{len(checks)} checks", None, exercise.points, fault)
    if not checks:
        return
    stub = exercise.stub.read_text(encoding="utf-8")
    solution = exercise.solution.read_text(encoding="utf-8")
    yield _prove(exercise, judge, seeds, "stub.py", "stub", stub, None)
    yield _prove(exercise, judge, seeds, "stub.py + a line", "stub", stub + "\nNOTHING = None\n", None)
    yield _prove(exercise, judge, seeds, exercise.solution.name, "solution", solution, None)
    for answer in right:
        yield _prove(exercise, judge, seeds, answer.path.name, "right", answer.source, answer)
    for answer in wrong:
        yield _prove(exercise, judge, seeds, answer.path.name, "wrong", answer.source, answer)
    yield _prove(exercise, judge, seeds, "a file that raises", "canary", "raise RuntimeError('canary')\n", None)


def _prove(
    exercise: Exercise,
    judge: Judge,
    seeds: tuple[int, ...],
    name: str,
    kind: str,
    source: str,
    answer: KnownAnswer | None,
) -> Proof:
    fault, attempt = "", None
    for seed in seeds:
        judge.reseed(seed)
        attempt = judge.judge(Submission("author", exercise.name, name, source, digest(source.encode())))
        fault = _fault(exercise, kind, attempt, answer)
        if fault:
            fault = f"seed {seed}: {fault}"
            break
    assert attempt is not None
    told = f"{answer.misconception}: {', '.join(answer.fails)}" if answer is not None and answer.misconception else ""
    return Proof(exercise.name, name, kind, told, attempt.score, attempt.max_score, fault)


def _fault(  # noqa: PLR0911 - one way out for each kind
    exercise: Exercise, kind: str, attempt: Attempt, answer: KnownAnswer | None
) -> str:
    """What is wrong with the verdict, or ""."""
    told = "; ".join(
        f"{check.id} {check.status}: {' '.join(check.message.split())[:300]}"
        for check in attempt.checks
        if check.status is not Verdict.PASSED and check.counts
    )
    if kind in ("solution", "right"):
        return "" if attempt.status is Verdict.PASSED else f"must earn full marks, but {told}"
    if kind == "stub":
        earned = [check.id for check in attempt.checks if check.status is Verdict.PASSED]
        if earned:
            return f"a stub must earn nothing, but passes {', '.join(earned)}"
        return "" if attempt.status is Verdict.NOT_ATTEMPTED else f"must be not_attempted, is {attempt.status}: {told}"
    if kind == "canary":
        return "" if attempt.status is Verdict.ERROR and not attempt.score else f"must fail, is {attempt.status}"
    assert answer is not None
    assert answer.misconception is not None
    failing = (Verdict.FAILED, Verdict.ERROR, Verdict.TIMEOUT, Verdict.CRASHED)
    failed = {check.id for check in attempt.checks if check.status in failing}
    if failed != set(answer.fails):
        seen = ", ".join(sorted(failed)) or "none"
        return f"must fail {', '.join(answer.fails)} and pass the rest; fails {seen}. {told}"
    message = in_language(exercise.misconceptions[answer.misconception])
    for check in attempt.checks:
        if check.id in failed and (check.misconception != answer.misconception or message not in check.message):
            return f"{check.id} must say '{answer.misconception}', says '{check.misconception}': {check.message[:300]}"
    return ""


def _contract(  # noqa: PLR0911 - one way out for each fault
    exercise: Exercise, judge: Judge, wrong: tuple[KnownAnswer, ...], right: tuple[KnownAnswer, ...]
) -> str:
    """What the folder lacks, or ""."""
    if reason := judge.unable(exercise.name):
        return reason
    checks = judge.checks(exercise.name)
    total = sum(check.terms.points for check in checks)
    if total != exercise.points:
        return f"exercise.toml says {exercise.points:g} points, the checks add up to {total:g}"
    if len(wrong) < LEAST_WRONG or len(right) < LEAST_RIGHT or len(exercise.hints) < LEAST_HINTS:
        return (
            f"{len(wrong)} wrong, {len(right)} right, {len(exercise.hints)} hints; "
            f"at least {LEAST_WRONG}, {LEAST_RIGHT} and {LEAST_HINTS} are wanted"
        )
    names = {check.id for check in checks}
    for answer in wrong:
        if answer.misconception not in exercise.misconceptions:
            return f"{answer.path.name} names the misconception {answer.misconception}, which exercise.toml lacks"
        if unknown := set(answer.fails) - names:
            return f"{answer.path.name} names a check that is not there: {', '.join(unknown)}"
    if unused := set(exercise.misconceptions) - {answer.misconception for answer in wrong}:
        return f"no wrong answer holds the misconception {', '.join(sorted(unused))}"
    unguarded = names - {name for answer in wrong for name in answer.fails}
    if unguarded:
        return f"no wrong answer fails {', '.join(sorted(unguarded))}: nothing shows that it can fail"
    for check in checks:
        if missing := set(check.terms.needs) - names:
            return f"{check.id} waits for {', '.join(missing)}, which is not there"
        if check.title == check.id:
            return f"{check.id} has no docstring: it is the sentence that the learner reads"
    imported = (
        {
            module.name.split(".")[0]
            for node in ast.walk(ast.parse(exercise.scenes.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import)
            for module in node.names
        }
        if exercise.scenes.is_file()
        else set()
    )
    if "grader" in imported:
        return "scenes.py imports grader, which the sandbox does not hold"
    return ""
