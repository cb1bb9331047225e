"""GitHub Classroom: the workflow does what it says, and its result is what `learn grade` says."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from conftest import PACK
from test_report import HOSTILE_STUDENTS, hostile_class, made_up_class

from grader.catalogue import Catalogue
from grader.core.errors import WrongUsage
from grader.core.verdict import Verdict
from grader.desk import classroom as desk
from grader.desk.one_student import Assignment, judge_student
from grader.flow import Order, grade_batch
from grader.report import classroom

EXERCISE = Catalogue.load().find("04")
NAME = EXERCISE.name
SEED = 5

# -- the format, as the reporter reads it ---------------------------------------------------------------------

_STATUS = {"enum": ["pass", "fail", "error"]}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "status", "max_score", "tests"],
    "properties": {
        "version": {"type": "integer"},
        "status": _STATUS,
        "message": {"type": "string"},
        "max_score": {"type": "number", "minimum": 0},
        "tests": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "status", "score", "message"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "status": _STATUS,
                    "score": {"type": "number", "minimum": 0},
                    "message": {"type": "string"},
                    "test_code": {"type": "string"},
                    "filename": {"type": "string"},
                    "line_no": {"type": "integer", "minimum": 0},
                    "duration": {"type": "number", "minimum": 0},
                },
            },
        },
    },
}


def decoded(text):
    """What the reporter reads from an environment variable."""
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", text)
    assert len("AUTOGRADEBOOK_RESULTS=") + len(text) < 128 * 1024  # the most that one variable holds

    def no(word):
        raise AssertionError(word)

    told = json.loads(base64.b64decode(text, validate=True).decode("utf-8"), parse_constant=no)
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    return told


def reported(told):
    """The points that the reporter tells Classroom: the sum of the tests, or None where nothing can be earned."""
    if not told["max_score"]:
        return None
    return sum(test["score"] for test in told["tests"]), told["max_score"]


def is_command(line):
    """Whether the runner of GitHub Actions takes a line of a log for a command."""
    return line.strip().startswith("::") or "##[" in line


def test_the_schema_says_no():
    """A schema that accepts everything would prove nothing."""
    test = {"name": "a", "status": "pass", "score": 1, "message": ""}
    good = {"version": 1, "status": "pass", "max_score": 1, "tests": [test]}
    assert decoded(classroom.encoded(good)) == good
    for broken in (
        {**good, "status": "passed"},
        {**good, "tests": []},
        {**good, "max_score": None},
        {**good, "points": 1},
        {**good, "tests": [{**test, "score": None}]},
        {**good, "tests": [{**test, "line_no": "line 7"}]},
        {**good, "tests": [{**test, "status": "failed"}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            decoded(classroom.encoded(broken))


def test_every_student_of_a_class_gets_a_valid_result():
    results = made_up_class()
    regraded = 0
    for student in results.students:
        one = made_up_class(attempts=tuple(a for a in results.attempts if a.student == student))
        told = decoded(classroom.encoded(classroom.as_json(one, student)))
        if any(attempt.score is None for attempt in one.attempts):
            regraded += 1
            assert reported(told) is None
            assert told["status"] == "error"
            assert "regrading" in told["message"]
        else:
            standing = results.standings[student]
            assert reported(told) == (pytest.approx(standing.total), standing.max_total)
            assert (told["status"] == "pass") == (standing.total == standing.max_total)
    assert regraded


def test_strangers_text_is_no_command_to_the_runner():
    results = hostile_class()
    for student in HOSTILE_STUDENTS:
        one = made_up_class(attempts=tuple(a for a in results.attempts if a.student == student))
        told = decoded(classroom.encoded(classroom.as_json(one, student)))
        assert "\x1b" not in json.dumps(told, ensure_ascii=False)
    for text in ("::add-mask::x", "a\n  ::error::b", ":::c", "::::", "x ##[group]y", "\n::notice title=Points::9/9"):
        assert not any(map(is_command, classroom.harmless(text, 1000).splitlines())), text


def test_a_long_course_still_fits_into_a_variable():
    results = made_up_class(1)
    attempts = tuple(
        type(attempt)(
            attempt.student, attempt.exercise, attempt.path, attempt.sha256,
            tuple(
                type(check)(**{**vars(check), "status": Verdict.FAILED, "points": 0.0, "message": "é" * 4000,
                               "traceback": "x" * 9000})
                for _ in range(8) for check in attempt.checks
            ),
            1, "cpu", "full", "2",
        )
        for attempt in results.attempts
    )  # fmt: skip
    told = decoded(classroom.encoded(classroom.as_json(made_up_class(1, attempts=attempts), results.students[0])))
    assert reported(told)[0] == 0
    assert len(told["tests"]) > 100
    more = tuple(type(attempt)(**{**vars(attempt), "checks": attempt.checks * 40}) for attempt in attempts)
    told = decoded(classroom.encoded(classroom.as_json(made_up_class(1, attempts=more), results.students[0])))
    assert len(told["tests"]) == len(results.exercises)


# -- the command ----------------------------------------------------------------------------------------------


def learn(*words, cwd, **environment):
    kept = {key: value for key, value in os.environ.items() if key != "GITHUB_OUTPUT"}
    return subprocess.run(
        [sys.executable, "-m", "grader.cli", "classroom", *words],
        cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


RIGHT = EXERCISE.solution.read_text(encoding="utf-8")
WRONG = (EXERCISE.folder / "wrong" / "stack_for_cat.py").read_text(encoding="utf-8")
FORGED = RIGHT.replace(
    "def join_rows(tables):",
    "def join_rows(tables):\n"
    "    print('::notice title=Autograding report::{}')\n"
    "    raise ValueError('\\n::error::forged')",
)
assert FORGED != RIGHT
ANSWERS = {"right": RIGHT, "wrong": WRONG, "forged": FORGED, "broken": "def join_rows(:\n", "missing": None}


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    """A template repository with its workflow."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copy(EXERCISE.stub, folder / EXERCISE.file_name)
    (folder / "README.md").write_text("# An assignment\n")
    done = learn(str(folder), "--exercise", "04", "--install", 'grader @ file:///a "b" $(c)', cwd=folder)
    assert done.returncode == 0, done.stderr
    text = (folder / ".github" / "workflows" / "classroom.yml").read_text(encoding="utf-8")
    assert "@OPTIONS@" not in text
    return folder, yaml.safe_load(text)


def test_the_workflow_is_what_actions_and_the_reporter_want(workflow):
    _, told = workflow
    assert told["on"] == ["push", "workflow_dispatch", "repository_dispatch"]
    assert told["permissions"] == {"checks": "write", "actions": "read", "contents": "read"}
    ((name, job),) = told["jobs"].items()
    assert name == "run-autograding-tests"
    assert "github-classroom[bot]" in job["if"]
    steps = {step.get("id") or step["name"]: step for step in job["steps"]}
    assert all("uses" in step or "run" in step for step in job["steps"])
    install = steps["Install the grader"]
    # Whatever was asked for is one word to pip, and nothing to the shell.
    assert install["env"] == {"REQUIREMENT": 'grader @ file:///a "b" $(c)'}
    assert install["run"] == 'python -m pip install "$REQUIREMENT"'
    report = steps["Report to GitHub Classroom"]
    assert report["uses"] == "classroom-resources/autograding-grading-reporter@v1"
    (runner,) = report["with"]["runners"].split(",")
    # The reporter looks for RUNNER_RESULTS, and the step of that id fills it.
    assert report["env"] == {f"{runner.upper()}_RESULTS": f"${{{{ steps.{runner}.outputs.result }}}}"}
    assert steps[runner]["run"] == f"learn classroom result --exercise {NAME} ."


@pytest.mark.parametrize("who", ANSWERS)
def test_the_step_hands_over_what_learn_grade_says(workflow, tmp_path, who):
    _, told = workflow
    repository = tmp_path / "repository"
    shutil.copytree(workflow[0], repository)
    (repository / EXERCISE.file_name).unlink()
    if ANSWERS[who] is not None:
        (repository / EXERCISE.file_name).write_text(ANSWERS[who], encoding="utf-8")
    (step,) = (step for step in told["jobs"]["run-autograding-tests"]["steps"] if step.get("id") == "autogradebook")
    output = tmp_path / "output"
    output.write_text("earlier=1\n")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "learn").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grader.cli "$@" --seed {SEED}\n')
    (bin_folder / "learn").chmod(0o755)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=repository, capture_output=True, text=True, check=False,
        env={**os.environ, "GITHUB_OUTPUT": str(output), "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    first, line = output.read_text().splitlines()
    assert first == "earlier=1"
    result = decoded(line.removeprefix("result="))
    if ANSWERS[who] is None:
        assert reported(result) == (0, EXERCISE.points)
        assert NAME in result["tests"][0]["message"]
        return
    (tmp_path / "class" / "s").mkdir(parents=True)
    shutil.copy(repository / EXERCISE.file_name, tmp_path / "class" / "s")
    (attempt,) = grade_batch(
        Order(tmp_path / "class", tmp_path / "out", (NAME,), seed=SEED, formats=(), trust=True)
    ).results.attempts
    assert reported(result) == (attempt.score, attempt.max_score)
    assert (result["status"] == "pass") == (who == "right")
    for test, check in zip(result["tests"], attempt.checks, strict=True):
        assert test["score"] == check.points
        assert test["status"] == ("pass" if check.status is Verdict.PASSED else "fail")
        assert test["filename"] == EXERCISE.file_name
        assert test["test_code"] == ""
        assert test["line_no"] == int((re.findall(r"line (\d+)", check.where) or ["0"])[0])
        if check.status is not Verdict.PASSED:
            assert test["message"].startswith(check.message.splitlines()[0])
        assert not any(map(is_command, test["message"].splitlines()))
    # What is printed is fenced, and the fence cannot be guessed.
    lines = done.stdout.splitlines()
    word = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", lines[0])
    assert word is not None
    assert lines[-1] == f"::{word[1]}::"
    assert not any(map(is_command, lines[1:-1]))


def test_single_files_may_be_named_and_the_result_only_shown(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "04.py").write_text(RIGHT)
    done = learn("result", "deep/04.py", "--exercise", "04", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "only shown" in done.stderr
    points = re.findall(r"^pass +(\d+) ", done.stdout, re.MULTILINE)
    assert sum(map(int, points)) == EXERCISE.points
    done = learn("result", "nothing.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "There is no nothing.py" in done.stderr


def test_what_needs_regrading_reports_no_points(tmp_path, probe):
    pack = tmp_path / "pack"
    shutil.copytree(PACK, pack)
    (pack / "exercises" / "01_probe" / "checks.py").write_text("import no_such_module\n")
    (tmp_path / "01_probe.py").write_text(probe.solution.read_text())
    output = tmp_path / "output"
    done = learn("result", "01_probe.py", "--pack", str(pack), "--output", str(output), cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    told = decoded(output.read_text().removeprefix("result=").rstrip("\n"))
    assert reported(told) is None
    assert told["status"] == "error"


def test_nothing_is_overwritten(workflow, tmp_path):
    with pytest.raises(WrongUsage, match=r"classroom\.yml is there already"):
        desk.write_workflow(workflow[0], ["04"], requirement="autogradebook")
    with pytest.raises(WrongUsage, match="one requirement"):
        desk.write_workflow(tmp_path, ["04"], requirement="a\nb")
    assert not list(tmp_path.iterdir())


def test_two_files_of_one_name_are_told_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "01_probe.py").write_text("x = 1\n")
    judged = judge_student(
        [tmp_path / "a" / "01_probe.py", tmp_path / "b" / "01_probe.py"], Assignment(pack=PACK, trust=True)
    )
    assert "another file of this name" in judged.results.unreadable[0].reason
    assert Path(judged.results.unreadable[0].path).name == "01_probe.py"
