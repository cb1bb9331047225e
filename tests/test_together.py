"""Calls that are asked together: told apart as if each had been asked alone."""

import shutil
from dataclasses import replace

import pytest

from grader.catalogue import Catalogue
from grader.core.exchange import Outcome, Reply, Request, Word
from grader.core.verdict import Verdict
from grader.judge.judge import Judge
from grader.judge.settings import Settings
from grader.sandbox.client import ConfinedBackend
from grader.sandbox.session import Session, decode_reply, encode_request
from grader.sandbox.values import Encoder, Malformed

ONE_BY_ONE = """
    student.call("double", draw.normal(2, 3)).agrees()
    student.call("double", draw.normal(4)).agrees()
"""
TOGETHER = """
    student.calls("double", [draw.normal(2, 3)], [draw.normal(4)]).agree()
"""
SCENE = 'student.scene("twice", draw.normal(3)).agrees()'
SCENES = 'student.scenes("twice", [draw.normal(3)], [draw.normal(2, 2)]).agree()'
SECOND = "x * 2 if x.dim() == 2 else "


@pytest.fixture(scope="module")
def judge(probe, tmp_path_factory):
    pack = tmp_path_factory.mktemp("together") / "pack"
    shutil.copytree(probe.folder.parents[1], pack)
    checks = pack / "exercises/01_probe/checks.py"
    text = checks.read_text()
    assert ONE_BY_ONE in text
    assert SCENE in text
    text = text.replace(ONE_BY_ONE, TOGETHER).replace(SCENE, SCENES)
    checks.write_text(text)
    with Judge([Catalogue.load(pack).find("01")], Settings(seed=7)) as judge:
        yield judge


@pytest.fixture
def solution(probe):
    return probe.solution.read_text()


def told(attempt):
    return [replace(check, seconds=0.0) for check in attempt.checks]


def first_check(judge, submission, source):
    """The check of `double`, which comes to the same end when it is remembered."""
    attempt = judge.judge(submission(source))
    assert told(judge.judge(submission(source, student="s02"))) == told(attempt)
    return next(check for check in attempt.checks if check.id == "test_double"), attempt


def test_several_calls_are_one_question(judge, submission, solution, monkeypatch):
    asked = []
    hear = ConfinedBackend.hear
    monkeypatch.setattr(ConfinedBackend, "hear", lambda self, one: asked.append(one.word) or hear(self, one))
    assert judge.judge(submission(solution)).status is Verdict.PASSED
    assert asked.count(Word.EACH) == 2
    assert Word.SCENE not in asked


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (f"return {SECOND}x * 3", Verdict.FAILED, "right shape"),
        (f"return {SECOND}x @ undefined_name", Verdict.ERROR, "NameError"),
        (f"import os\n    return {SECOND}os._exit(3)", Verdict.CRASHED, "exit code 3"),
    ],
)
def test_the_case_that_went_wrong_is_told(judge, submission, solution, body, status, words):
    check, attempt = first_check(judge, submission, solution.replace("return x * 2", body))
    assert check.status is status
    assert words in check.message
    # The second case is the vector.
    assert check.given.startswith("double(tensor([")
    assert "[[" not in check.given
    assert next(one for one in attempt.checks if one.id == "test_counter").status is Verdict.PASSED


@pytest.mark.parametrize("then", ["os._exit(3)", "1 / 0"])
def test_of_two_faults_the_first_is_told(judge, submission, solution, then):
    body = f"import os\n    return x * 3 if x.dim() == 2 else {then}"
    check, _ = first_check(judge, submission, solution.replace("return x * 2", body))
    assert check.status is Verdict.FAILED
    assert "[[" in check.given


def test_a_case_without_end_costs_the_check_its_time_once(judge, probe, submission, solution):
    body = f"while x.dim() == 1: pass\n    return {SECOND}x * 2"
    attempt = judge.judge(submission(solution.replace("return x * 2", body)))
    check = next(one for one in attempt.checks if one.id == "test_double")
    assert check.status is Verdict.TIMEOUT
    assert check.seconds < 2 * probe.limits.seconds


def test_the_wrong_idea_is_named(judge, submission, solution):
    check, _ = first_check(judge, submission, solution.replace("x * 2", "x + 2.0"))
    assert check.misconception == "add-for-double"


def test_a_missing_function_is_told_as_ever(judge, submission, solution):
    check, _ = first_check(judge, submission, solution.replace("def double", "def halve"))
    assert check.status is Verdict.FAILED
    assert "double" in check.message


def test_each_part_has_its_seed_and_its_arguments(tmp_path):
    session = Session(str(tmp_path))
    source = "import torch\ndef noise(x): x += 1; return torch.rand(2)\n"
    session.answer(encode_request(Request(Word.LOAD, args=("a.py", source, None))))
    parts = [Request(Word.CALL, "noise", args=([1.0],), seed=seed) for seed in (3, 4)]
    together = Request(Word.EACH, "noise", args=tuple(parts))
    found = decode_reply(session.answer(encode_request(together)), together)
    alone = [decode_reply(session.answer(encode_request(part))) for part in parts]
    assert [reply.outcome for reply in found.value] == [Outcome.RAISED] * 2  # a list and a number do not add
    assert [reply.raised for reply in found.value] == [reply.raised for reply in alone]
    session.answer(encode_request(Request(Word.LOAD, args=("a.py", source.replace("x += 1; ", ""), None))))
    found = decode_reply(session.answer(encode_request(together)), together)
    alone = [decode_reply(session.answer(encode_request(part))) for part in parts]
    for mine, its in zip(found.value, alone, strict=True):
        assert mine.value.value.tolist() == its.value.value.tolist()
        assert mine.args == its.args == ([1.0],)
    assert found.value[0].value.value.tolist() != found.value[1].value.value.tolist()


@pytest.mark.parametrize("value", [[], [b"N"], [b"N", b"N", b"N"], ["x", "y"], (b"N", b"N"), None])
def test_what_is_no_reply_to_each_is_refused(value):
    encoder = Encoder()
    encoder.write(("returned", value, (), {}, None, ""))
    together = Request(Word.EACH, args=(Request(Word.CALL, "f"), Request(Word.CALL, "f")))
    with pytest.raises(Malformed):
        decode_reply(bytes(encoder.out), together)
    assert isinstance(decode_reply(bytes(encoder.out)), Reply)
