"""What is known of a check from other submissions spares work and never changes a verdict."""

import shutil
from dataclasses import replace

import pytest

from grader.catalogue import Catalogue
from grader.core.exchange import Word
from grader.core.verdict import Verdict
from grader.judge.judge import Judge
from grader.judge.settings import Settings
from grader.sandbox.client import ConfinedBackend

RIGHT_IN_ANOTHER_STYLE = ("x * 2", "x + x")
WRONG = ("x * 2", "x * 3")
LATE = ("self.value += self.step", "self.value += self.step + (self.value > 0)")
"""Right in the first two answers of the counter, wrong in the third."""


@pytest.fixture(scope="module")
def judge(probe):
    with Judge([probe], Settings(seed=7)) as judge:
        yield judge


@pytest.fixture
def solution(probe):
    return probe.solution.read_text()


@pytest.fixture
def traffic(judge, monkeypatch):
    """Counts what was asked of the learner's code, and the checks that ran."""
    counts = {"asked": [], "ran": []}
    hear, run = ConfinedBackend.hear, judge._runner._run_check

    def hear_and_count(self, request):
        counts["asked"].append(request.word)
        return hear(self, request)

    def run_and_count(check, *rest):
        counts["ran"].append(check.id)
        return run(check, *rest)

    monkeypatch.setattr(ConfinedBackend, "hear", hear_and_count)
    monkeypatch.setattr(judge._runner, "_run_check", run_and_count)
    return counts


def told(attempt):
    return [replace(check, seconds=0.0) for check in attempt.checks]


def fresh(judge, submission):
    """What a judge says who remembers nothing."""
    judge.forget()
    return told(judge.judge(submission))


def test_a_check_does_not_run_again_for_the_same_answers(judge, submission, solution, traffic):
    first = judge.judge(submission(solution))
    asked = list(traffic["asked"])
    traffic["asked"].clear()
    traffic["ran"].clear()
    again = judge.judge(submission(solution.replace(*RIGHT_IN_ANOTHER_STYLE), student="s02"))
    assert told(again) == told(first)
    assert traffic["ran"] == []
    # The learner's code was asked everything nevertheless.
    assert traffic["asked"] == asked
    assert Word.CALL in asked


@pytest.mark.parametrize("change", [WRONG, LATE, ("return x * 2", "print('hi')\n    return x * 2"), ("x * 2", "1 / 0")])
def test_what_is_remembered_changes_no_verdict(judge, submission, solution, change):
    wrong = submission(solution.replace(*change), student="s02")
    alone = fresh(judge, wrong)
    judge.forget()
    judge.judge(submission(solution))
    assert told(judge.judge(wrong)) == alone
    assert told(judge.judge(wrong)) == alone


def test_a_check_that_must_run_asks_nothing_twice(judge, submission, solution, traffic):
    judge.forget()
    judge.judge(submission(solution))
    traffic["asked"].clear()
    traffic["ran"].clear()
    attempt = judge.judge(submission(solution.replace(*LATE)))
    assert next(c for c in attempt.checks if c.id == "test_counter").status is Verdict.FAILED
    assert traffic["ran"] == ["test_counter"]
    # One object, and three calls of `next`: the first two were heard before the check ran.
    assert traffic["asked"].count(Word.NEW) == 1
    assert traffic["asked"].count(Word.METHOD) == 3


def test_a_death_is_not_remembered(judge, submission, solution, traffic):
    crash = submission(solution.replace("return x * 2", "import os; os._exit(3)"))
    for _ in range(2):
        traffic["ran"].clear()
        attempt = judge.judge(crash)
        assert attempt.checks[0].status is Verdict.CRASHED
        assert "test_double" in traffic["ran"]


def test_another_seed_asks_other_questions(judge, submission, solution, traffic):
    judge.judge(submission(solution))
    judge.reseed(8)
    traffic["ran"].clear()
    assert judge.judge(submission(solution)).status is Verdict.PASSED
    assert "test_double" in traffic["ran"]
    judge.reseed(7)


def test_a_check_that_is_moved_by_something_else_is_run_every_time(probe, submission, solution, tmp_path):
    """Its author broke a rule; the learner must not pay for it."""
    pack = tmp_path / "pack"
    shutil.copytree(probe.folder.parents[1], pack)
    checks = pack / "exercises" / probe.name / "checks.py"
    text = checks.read_text().replace("draw.normal(2, 3)", "draw.normal(2, 3) + next(COUNT)")
    checks.write_text("import itertools\n\nCOUNT = itertools.count()\n" + text)
    with Judge([Catalogue.load(pack).find("01")], Settings(seed=7)) as judge:
        for _ in range(3):
            attempt = judge.judge(submission(solution))
            assert attempt.status is Verdict.PASSED
        wrong = judge.judge(submission(solution.replace(*WRONG)))
        assert wrong.checks[0].status is Verdict.FAILED
