"""Every exercise proves itself: right answers are accepted, wrong ones rejected with their own message."""

import pytest

from grader.authoring.verify import verify
from grader.catalogue import Catalogue
from grader.judge.judge import Judge
from grader.judge.settings import Settings

EXERCISES = list(Catalogue.load())


@pytest.fixture(scope="module")
def judge_of_all():
    with Judge(EXERCISES, Settings(seed=0)) as judge:
        yield judge


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_kill_table_is_complete(judge_of_all, exercise):
    # One seed, so that the suite says the same each time; `learn author verify --seeds N` tries more.
    rows = list(verify(exercise, judge_of_all, (1,)))
    broken = [f"{row.answer}: {row.fault}" for row in rows if not row.holds]
    assert not broken, "\n".join(broken)
    assert sum(row.kind == "wrong" for row in rows) >= 6
    assert sum(row.kind == "right" for row in rows) >= 2
