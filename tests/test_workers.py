"""Forks of a warm process and whole new processes say the same of every exercise, word for word."""

from dataclasses import replace

import pytest

from grader.catalogue import Catalogue, known_answers
from grader.core.submission import Submission, digest
from grader.core.verdict import Verdict
from grader.judge.judge import Judge
from grader.judge.settings import Settings

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="forks of a warm process are there on Linux only")
EXERCISES = Catalogue.load().names
WRONG_TOO = ("05_view_vs_reshape", "16_nonscalar_backward", "53_checkpoint_resume")
"""Of these a wrong answer as well: each suspect that it is compared with is a new process, of seconds."""


@pytest.fixture(scope="module")
def judges():
    exercises = list(Catalogue.load())
    with (
        Judge(exercises, Settings(seed=7, worker="fork")) as forks,
        Judge(exercises, Settings(seed=7, worker="spawn")) as spawned,
    ):
        yield forks, spawned


def told(judge, exercise, source):
    submission = Submission("s", exercise.name, exercise.file_name, source, digest(source.encode()))
    attempt = judge.judge(submission)
    return attempt.status, [replace(check, seconds=0.0) for check in attempt.checks]


@pytest.mark.parametrize("name", EXERCISES)
def test_both_workers_give_the_same_verdicts(judges, name):
    exercise = Catalogue.load().get(name)
    right = exercise.solution.read_text(encoding="utf-8")
    cases = [(right, Verdict.PASSED)]
    if name in WRONG_TOO:
        wrong = known_answers(exercise, "wrong")
        cases.append((wrong[len(wrong) // 2].source, Verdict.FAILED))
    for source, status in cases:
        by_forks, by_spawned = (told(judge, exercise, source) for judge in judges)
        assert by_forks == by_spawned
        assert by_forks[0] is status
