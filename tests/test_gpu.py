"""The same checks on CUDA. These run where a CUDA device is, and are skipped with a reason where none is."""

import json

import pytest
from click.testing import CliRunner

from grader.catalogue import Catalogue, known_answers
from grader.cli import cli
from grader.core.submission import Submission, digest
from grader.core.verdict import Verdict
from grader.flow import Order, grade_batch
from grader.judge.device import most_workers, resolve
from grader.judge.judge import Judge
from grader.judge.settings import Settings

pytestmark = pytest.mark.gpu
EXERCISES = list(Catalogue.load())
DEVICE = "cuda"


@pytest.fixture(scope="module")
def judge(probe):
    # Each submission is a new process of seconds: never a fork of one that touched CUDA.
    with Judge([probe, *EXERCISES], Settings(seed=3, device=DEVICE, worker="spawn")) as judge:
        yield judge


def judged(judge, exercise, source):
    attempt = judge.judge(Submission("s", exercise.name, exercise.file_name, source, digest(source.encode())))
    assert attempt.device == DEVICE
    told = [(check.id, str(check.status), check.message) for check in attempt.checks]
    assert attempt.status is not Verdict.INTERNAL_ERROR, told
    return attempt, told


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_right_answers_are_accepted(judge, exercise):
    sources = [exercise.solution.read_text(encoding="utf-8"), *(a.source for a in known_answers(exercise, "right"))]
    for source in sources:
        attempt, told = judged(judge, exercise, source)
        assert attempt.score == attempt.max_score, told


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_wrong_answers_are_rejected_with_their_own_message(judge, exercise):
    wrong = known_answers(exercise, "wrong")
    for answer in (wrong[0], wrong[len(wrong) // 2], wrong[-1]):
        attempt, told = judged(judge, exercise, answer.source)
        failed = {check.id: check for check in attempt.checks if check.counts and check.status is not Verdict.PASSED}
        assert set(answer.fails) <= failed.keys(), told
        assert {failed[name].misconception for name in answer.fails} == {answer.misconception}, told


def test_a_check_of_cuda_counts_there(judge, probe):
    attempt, told = judged(judge, probe, probe.solution.read_text(encoding="utf-8"))
    on_cuda = next(check for check in attempt.checks if check.id == "test_on_cuda")
    assert on_cuda.counts, told
    assert on_cuda.status is Verdict.PASSED, told


def test_tensors_are_made_on_the_device(judge, probe):
    """An answer that leaves the device is not what was asked for."""
    source = probe.solution.read_text(encoding="utf-8").replace("return x * 2", "return (x * 2).cpu()")
    attempt, told = judged(judge, probe, source)
    assert attempt.checks[0].status is Verdict.FAILED, told
    assert "cpu" in attempt.checks[0].message


def test_the_same_seed_says_the_same(judge, probe):
    source = probe.solution.read_text(encoding="utf-8").replace("x * 2", "x * 3")
    one, other = (judged(judge, probe, source)[1] for _ in range(2))
    assert one == other


def test_auto_finds_the_device_and_the_memory_bounds_the_judges():
    assert resolve("auto") == resolve(DEVICE) == DEVICE
    assert 1 <= most_workers(DEVICE, 1000) < 1000


def test_learn_check_runs_there(tmp_path, monkeypatch, probe_pack, probe):
    run = CliRunner().invoke
    assert run(cli, ["init", str(tmp_path / "w"), "--pack", str(probe_pack)]).exit_code == 0
    monkeypatch.chdir(tmp_path / "w")
    (tmp_path / "w" / "01_probe.py").write_text(probe.solution.read_text())
    told = run(cli, ["check", "01", "--device", "auto", "--json"])
    assert told.exit_code == 0, told.output
    assert {check["id"]: check["status"] for check in json.loads(told.stdout)["checks"]}["test_on_cuda"] == "passed"


def test_learn_grade_on_the_device_gives_the_points_of_the_cpu(tmp_path):
    exercise = next(one for one in EXERCISES if one.name == "05_view_vs_reshape")
    wrong = known_answers(exercise, "wrong")[0].source
    for student, source in (("ada", exercise.solution.read_text(encoding="utf-8")), ("bo", wrong)):
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / exercise.file_name).write_text(source)
    points = {}
    for device in ("cpu", DEVICE):
        graded = grade_batch(Order(tmp_path / "class", tmp_path / device, device=device, seed=3, formats=("json",)))
        assert {attempt.device for attempt in graded.results.attempts} == {device}
        points[device] = {attempt.student: attempt.score for attempt in graded.results.attempts}
    assert points["cpu"] == points[DEVICE]
