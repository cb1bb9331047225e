"""Gradescope: the archive is unpacked, set up and run as Gradescope does it, and says what `learn grade` says."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import jsonschema
import pytest
from conftest import PACK, do_without
from hypothesis import given, settings
from hypothesis import strategies as st
from test_report import HOSTILE_STUDENTS, hostile_class, made_up_class, steers

from grader.catalogue import Catalogue
from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import BadFile, WrongUsage
from grader.core.verdict import Verdict
from grader.desk import gradescope as desk
from grader.desk.one_student import Assignment, judge_student
from grader.flow import Order, expected_confinement, grade_batch
from grader.report import gradescope

EXERCISE = Catalogue.load().find("04")
NAME = EXERCISE.name
SEED = 11
linux = pytest.mark.skipif(sys.platform != "linux", reason="Gradescope's containers run Linux")

# -- the format, as Gradescope documents it -------------------------------------------------------------------

_VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
_SCORE = {"type": "number", "minimum": 0}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number", "minimum": 0},
        "output": {"type": "string"},
        "output_format": _FORMAT,
        "test_output_format": _FORMAT,
        "test_name_format": _FORMAT,
        "visibility": _VISIBILITY,
        "stdout_visibility": _VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": _SCORE,
                    "max_score": _SCORE,
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": _FORMAT,
                    "number": {"type": "string", "pattern": r"^\d+(\.\d+)*$"},
                    "output": {"type": "string"},
                    "output_format": _FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": _VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}
# A score is wanted above the tests or in each of them.
SCORED = {
    **SCHEMA,
    "anyOf": [
        {"required": ["score"]},
        {
            "required": ["tests"],
            "properties": {"tests": {"minItems": 1, "items": {"required": ["score", "max_score", "name", "output"]}}},
        },
    ],
}
# Ours, for what needs regrading: a score nowhere, and a notice that everybody sees.
UNSCORED = {
    **SCHEMA,
    "required": ["tests", "output"],
    "not": {"required": ["score"]},
    "properties": {
        **SCHEMA["properties"],
        "output": {"pattern": "needs regrading"},
        "tests": {
            "items": {**SCHEMA["properties"]["tests"]["items"], "not": {"required": ["score"]}},
            "contains": {"properties": {"name": {"const": "Needs regrading"}, "visibility": {"const": "visible"}}},
        },
    },
}


def valid(result, schema=SCORED):
    # As another program reads it: what is no JSON, such as NaN, fails here.
    def no(word):
        raise AssertionError(word)

    told = json.loads(result if isinstance(result, str) else json.dumps(result), parse_constant=no)
    jsonschema.Draft202012Validator(schema).validate(told)
    return told


GOOD = {"tests": [{"score": 1, "max_score": 2, "name": "a", "output": "b", "status": "failed", "number": "5.2"}]}


def test_the_schema_says_no():
    """A schema that accepts everything would prove nothing."""
    assert valid(GOOD)
    test = GOOD["tests"][0]
    for broken in (
        {"tests": []},
        {},
        {"tests": [{**test, "score": None}]},
        {"tests": [{**test, "score": "1"}]},
        {"tests": [{key: value for key, value in test.items() if key != "score"}]},
        {"tests": [{**test, "status": "error"}]},
        {"tests": [{**test, "visibility": "later"}]},
        {"tests": [{**test, "points": 3}]},
        {"tests": [{**test, "number": 5.2}]},
        {"tests": [{**test, "tags": "tensors"}]},
        {**GOOD, "stdout_visibility": True},
        {**GOOD, "execution_time": "1 s"},
        {**GOOD, "verdict": "passed"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            valid(broken)
    for broken in (GOOD, {**gradescope.not_graded("x"), "score": 0}, {**gradescope.not_graded("x"), "tests": []}):
        with pytest.raises(jsonschema.ValidationError):
            valid(broken, UNSCORED)


# -- the result -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("visibility", gradescope.VISIBILITIES)
def test_every_student_of_a_class_gets_a_valid_result(visibility):
    results = made_up_class()
    regraded = 0
    for student in results.students:
        one = made_up_class(attempts=tuple(a for a in results.attempts if a.student == student))
        told = gradescope.as_json(one, student, visibility=visibility, seconds=1.234)
        unsettled = any(attempt.score is None for attempt in one.attempts)
        regraded += unsettled
        valid(told, UNSCORED if unsettled else SCORED)
        if not unsettled:
            assert sum(test["score"] for test in told["tests"]) == pytest.approx(results.standings[student].total)
            assert sum(test["max_score"] for test in told["tests"]) == results.standings[student].max_total
            assert {test["visibility"] for test in told["tests"]} == {visibility}
        # What is shown to nobody yet must not stand above the tests.
        assert ("points" in told["output"]) == (visibility == "visible" and bool(one.attempts))
    assert regraded


def test_strangers_text_stays_text():
    results = hostile_class()
    for student in HOSTILE_STUDENTS:
        one = made_up_class(attempts=tuple(a for a in results.attempts if a.student == student))
        told = gradescope.as_json(one, student, seconds=float("nan"))
        text = desk.dumps(told)
        valid(text, UNSCORED if told["extra_data"]["needs_regrading"] else SCORED)
        assert not steers(text)
        text.encode("utf-8")  # no lone surrogates


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            CheckResult,
            st.just("test_x"),
            st.text(max_size=20),
            st.sampled_from(list(Verdict)),
            st.sampled_from([0, 1.5]),
            st.just(1.5),
            st.text(st.characters(exclude_categories=()), max_size=30),
            printed=st.text(max_size=30),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_verdicts_give_a_valid_result(checks):
    results = made_up_class(1)
    attempt = Attempt("s", results.exercises[0].name, "a.py", "0", tuple(checks), 1, "cpu", "full", "2")
    one = made_up_class(1, attempts=(attempt,), students=("s",))
    told = gradescope.as_json(one, "s")
    if any(check.status is Verdict.INTERNAL_ERROR for check in checks):
        valid(desk.dumps(told), UNSCORED)
    else:
        valid(desk.dumps(told))
        assert len(told["tests"]) == len(checks) + len(results.exercises) - 1


# -- the archive ----------------------------------------------------------------------------------------------


def test_the_archive_is_what_gradescope_wants(tmp_path):
    made = desk.write_zip(tmp_path / "a.zip", ["04"], visibility="after_published")
    again = desk.write_zip(tmp_path / "deeper" / "b.zip", [NAME], visibility="after_published")
    assert made.path.read_bytes() == again.path.read_bytes()
    with zipfile.ZipFile(made.path) as archive:
        files = {entry.filename: entry for entry in archive.infolist()}
        assert set(files) == {"setup.sh", "run_autograder", "NOTES.md", next(n for n in files if n.endswith(".whl"))}
        for name in ("setup.sh", "run_autograder"):
            assert (files[name].external_attr >> 16) & 0o777 == 0o755
            text = archive.read(name).decode()
            assert text.startswith("#!/usr/bin/env bash\n")
            assert "\r" not in text
            assert "@" not in text.replace("[@]", "").replace('"$@"', "")
            assert "://" not in text
            assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0
        assert f"--exercise {NAME}" in archive.read("run_autograder").decode()
        assert "--visibility after_published" in archive.read("run_autograder").decode()
        notes = archive.read("NOTES.md").decode()
        assert f"- {NAME}: 10 points" in notes
        assert "768 MB" in notes


def test_only_the_chosen_exercises_are_carried(tmp_path):
    made = desk.write_zip(tmp_path / "a.zip", pack=PACK)
    assert [exercise.name for exercise in made.exercises] == ["01_probe"]
    with zipfile.ZipFile(made.path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".whl"))
        archive.extract(name, tmp_path)
    content = {line for line in zipfile.ZipFile(tmp_path / name).namelist() if "/content/" in line}
    assert {line.split("/")[3].removesuffix(".py") for line in content if "templates" not in line} == {"01_probe"}
    assert "grader/content/exercises/01_probe/checks.py" in content
    assert "grader/content/solutions/01_probe.py" in content


@pytest.mark.parametrize("name", ["autograder", "a.tar.gz", "."])
def test_another_name_is_refused(name, tmp_path):
    with pytest.raises(WrongUsage, match=r"\.zip"):
        desk.write_zip(tmp_path / name, ["04"])


def test_the_command_says_what_it_wrote(tmp_path):
    told = subprocess.run(
        [sys.executable, "-m", "grader.cli", "gradescope", "--exercise", "04", "a.zip"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "1 exercises, 10 points" in told.stdout
    assert (tmp_path / "a.zip").is_file()
    told = subprocess.run(
        [sys.executable, "-m", "grader.cli", "gradescope", "b.zip", "--exercise", "9999"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 2
    assert "no exercise '9999'" in told.stderr


# -- set up and run as Gradescope does it ---------------------------------------------------------------------


def environment(root, **more):
    """A container's: nothing of ours, and no index. Dependencies are those of this environment."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nowhere", "LANG": "C.UTF-8", "AUTOGRADER_ROOT": str(root),
            **more}  # fmt: skip


def set_up(root, archive):
    """Unpack and run setup.sh as the build of the image does."""
    (root / "source").mkdir(parents=True)
    with zipfile.ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            path = Path(zipped.extract(entry, root / "source"))
            path.chmod(entry.external_attr >> 16 & 0o777)
    # The dependencies, which pip would bring: they are found by a path, and its .pth files are not followed, so
    # that the package under test is not among them.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = root / "venv" / "lib" / version / "site-packages"
    (site / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    done = subprocess.run(
        ["bash", root / "source" / "setup.sh"],
        env=environment(
            root,
            AUTOGRADER_PYTHON=sys.executable,
            AUTOGRADER_APT="no",
            AUTOGRADER_PIP_OPTIONS="--no-index --no-deps --ignore-installed --quiet",
        ),
        cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "setup.sh: done." in done.stdout
    assert (site / "grader" / "content" / "exercises").is_dir()
    # Gradescope copies it there.
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
    return root


def autograde(root, files, *words, metadata=None, **more):
    """What Gradescope does for a submission; answers with the result and how it ended."""
    for name in ("submission", "results"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    for name, content in files.items():
        path = root / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (root / "submission_metadata.json").unlink(missing_ok=True)
    if metadata is not None:
        (root / "submission_metadata.json").write_text(metadata)
    done = subprocess.run(
        [root / "run_autograder", *words],
        env=environment(root, **more), cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    text = (root / "results" / "results.json").read_text(encoding="utf-8")
    assert os.listdir(root / "results") == ["results.json"]
    return text, done


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    if sys.platform != "linux":
        pytest.skip("Gradescope's containers run Linux")
    if expected_confinement() not in ("full", "landlock+seccomp"):
        do_without("bubblewrap", "this machine cannot confine submissions")
    folder = tmp_path_factory.mktemp("gradescope")
    desk.write_zip(folder / "autograder.zip", [NAME])
    return set_up(folder / "autograder", folder / "autograder.zip")


RIGHT = EXERCISE.solution.read_text(encoding="utf-8")
WRONG = (EXERCISE.folder / "wrong" / "stack_for_cat.py").read_text(encoding="utf-8")
PARTIAL = RIGHT.replace("    return torch.stack(samples)", "    raise NotImplementedError('TODO')\n    #")
CRASH = RIGHT.replace("    return torch.cat(tables, dim=1)", "    import os; os.abort()\n    #")
assert PARTIAL != RIGHT != CRASH
SUBMISSIONS = {
    "right": {f"{NAME}.py": RIGHT},
    "wrong": {f"deep/in/a folder/{NAME}.py": WRONG, "notes.txt": "not an answer"},
    "partial": {"04.py": PARTIAL},
    "syntax": {f"{NAME}.py": RIGHT.replace("def interleave(tables):", "def interleave(tables:")},
    "crash": {f"{NAME}.py": CRASH},
    "stub": {f"{NAME}.py": EXERCISE.stub.read_text(encoding="utf-8")},
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The same files, by `learn grade`."""
    folder = tmp_path_factory.mktemp("class")
    for student, files in SUBMISSIONS.items():
        for name, content in files.items():
            path = folder / "class" / student / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    done = grade_batch(Order(folder / "class", folder / "out", (NAME,), seed=SEED, formats=()))
    return {attempt.student: attempt for attempt in done.results.attempts}


@linux
@pytest.mark.parametrize("who", SUBMISSIONS)
def test_it_says_what_learn_grade_says(container, graded, who):
    text, done = autograde(container, SUBMISSIONS[who], "--seed", str(SEED))
    assert done.returncode == 0, done.stdout + done.stderr
    told, attempt = valid(text), graded[who]
    assert len(told["tests"]) == len(attempt.checks) > 0
    assert sum(test["score"] for test in told["tests"]) == attempt.score
    assert sum(test["max_score"] for test in told["tests"]) == attempt.max_score == EXERCISE.points
    for place, (test, check) in enumerate(zip(told["tests"], attempt.checks, strict=True), 1):
        assert test["number"] == f"4.{place}"
        assert test["score"] == check.points
        assert test["extra_data"]["verdict"] == str(check.status)
        assert test["status"] == ("passed" if check.status is Verdict.PASSED else "failed")
        # What was raised may name an address; that apart, the same seed gives the same words.
        assert check.message.splitlines()[:1] == [] or check.message.splitlines()[0] in test["output"]
        if check.traceback:
            assert check.traceback in test["output"]
        assert "checks.py" not in test["output"]
    assert told["extra_data"]["seed"] == SEED
    assert told["extra_data"]["confinement"] == attempt.confinement
    assert (who == "right") == (attempt.score == EXERCISE.points)
    assert {"right": 10, "stub": 0, "syntax": 0}.get(who, attempt.score) == attempt.score
    if who == "wrong":
        assert "notes.txt: It is not a .py or .ipynb file." in told["output"]


@linux
@pytest.mark.parametrize("files", [{}, {".DS_Store": "x"}, {"essay.docx": "x"}, {f"{NAME}.ipynb": "no notebook"}])
def test_what_is_not_handed_in_earns_nothing_and_is_said(container, files):
    text, done = autograde(container, files)
    assert done.returncode == 0, done.stdout + done.stderr
    (test,) = valid(text)["tests"]
    assert (test["score"], test["max_score"], test["status"]) == (0, 10, "failed")
    told = "not a notebook" if f"{NAME}.ipynb" in files else "Not handed in"
    assert told in test["output"] or "No file that can be graded" in test["output"]
    assert f"{NAME}.ipynb" not in files or f"{NAME}.ipynb: " in test["output"]


@linux
def test_who_handed_in_is_remembered(container):
    users = [{"name": "Ada \x1b[31m", "id": 1, "email": "a@example.com"}, {"name": "Bo"}, 7, {"name": None}]
    text, _ = autograde(container, {}, metadata=json.dumps({"users": users, "id": 12}))
    told = valid(text)
    assert told["extra_data"]["students"] == ["Ada \N{REPLACEMENT CHARACTER}[31m", "Bo"]
    assert told["extra_data"]["submission"] == "12"
    for broken in ("", "[1, 2", "[" * 100_000, '{"users": 3}', "null"):
        text, done = autograde(container, {}, metadata=broken)
        assert valid(text)
        assert done.returncode == 0, done.stderr


LOOKING = """
import os

def join_rows(tables):
    found = []
    for root in (%r, "/autograder"):
        for folder, _, names in os.walk(root):
            found += [os.path.join(folder, name) for name in names]
    for name in %r:
        try:
            found.append("READ " + repr(open(name, "rb").read(10)))
        except OSError:
            pass
    raise ValueError("FOUND " + " ".join(found))
"""


@linux
def test_submitted_code_finds_neither_checks_nor_other_results(container):
    root = str(container)
    wheel = next((container / "source").glob("*.whl"))
    aims = [str(wheel), f"{root}/results/results.json", f"{root}/submission_metadata.json", f"{root}/run_autograder"]
    aims += [str(path) for path in (container / "venv").rglob("checks.py") if "content" in path.parts]
    assert len(aims) == 5
    text, _ = autograde(container, {f"{NAME}.py": LOOKING % (root, aims)}, metadata='{"users": [{"name": "Ada"}]}')
    test = valid(text)["tests"][0]
    assert "FOUND" in test["output"]
    assert "READ" not in test["output"]
    assert ".whl" not in test["output"]
    assert "checks.py" not in test["output"]


@linux
def test_without_an_environment_there_is_a_result_all_the_same(container, tmp_path):
    for name in ("run_autograder", "source"):
        target = tmp_path / name
        (shutil.copytree if (container / name).is_dir() else shutil.copy)(container / name, target)
    text, done = autograde(tmp_path, {f"{NAME}.py": RIGHT})
    assert done.returncode != 0
    valid(text, UNSCORED)


@linux
def test_setup_names_what_is_missing(container, tmp_path):
    """Where no Python is new enough, the build of the image fails with a sentence."""
    for name in ("bash", "dirname", "id"):
        (tmp_path / name).symlink_to(shutil.which(name))
    old = tmp_path / "python3"
    old.write_text("#!/bin/bash\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [tmp_path / "bash", container / "source" / "setup.sh"],
        env={"PATH": str(tmp_path), "AUTOGRADER_ROOT": str(tmp_path / "root")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Ubuntu 24.04" in done.stderr


@linux
@pytest.mark.bubblewrap
def test_in_a_container_of_its_own(container):
    """The paths that Gradescope has, a root without anything else of this machine, and no network."""
    python = Path(sys.executable).resolve()
    shown = dict.fromkeys(
        str(path)
        for path in (
            Path("/usr"), Path("/bin"), Path("/lib"), Path("/lib64"), Path(sys.base_prefix),
            Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib")), python.parents[1],
        )
    )  # fmt: skip
    # The environment was made at another path: it is shown at that one too.
    binds = [word for path in shown if os.path.exists(path) for word in ("--ro-bind", path, path)]
    for name in ("submission", "results"):
        shutil.rmtree(container / name, ignore_errors=True)
        (container / name).mkdir()
    (container / "submission" / "04.py").write_text(PARTIAL)
    (container / "submission_metadata.json").unlink(missing_ok=True)
    done = subprocess.run(
        ["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin",
         "--tmpfs", "/tmp", *binds, "--proc", "/proc", "--dev", "/dev", "--ro-bind", str(container / "venv"),
         str(container / "venv"), "--bind", str(container), "/autograder", "--chdir", "/autograder",
         "/autograder/run_autograder"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = json.loads((container / "results" / "results.json").read_text())
    assert done.returncode == 0, done.stdout + done.stderr + told["output"]
    assert sum(test["score"] for test in valid(told)["tests"]) < EXERCISE.points
    assert told["extra_data"]["confinement"] in ("full", "landlock+seccomp")


# -- what goes wrong ------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root" / "submission").mkdir(parents=True)
    return tmp_path / "root"


def answer(root, schema=UNSCORED):
    return valid((root / "results" / "results.json").read_text(), schema)


def test_our_own_failure_is_no_zero(root, tmp_path, probe):
    """A check that cannot be collected: the other exercise's points are not a total."""
    pack = tmp_path / "pack"
    shutil.copytree(PACK, pack)
    shutil.copytree(pack / "exercises" / "01_probe", pack / "exercises" / "02_broken")
    shutil.copy(pack / "solutions" / "01_probe.py", pack / "solutions" / "02_broken.py")
    (pack / "exercises" / "02_broken" / "checks.py").write_text("import no_such_module\n")
    for name in ("01_probe", "02_broken"):
        (root / "submission" / f"{name}.py").write_text(probe.solution.read_text())
    told, _ = desk.run(root, Assignment(pack=pack, trust=True), "visible")
    assert told["extra_data"]["needs_regrading"]
    result = answer(root)
    assert any(test["status"] == "passed" for test in result["tests"])
    assert "no_such_module" in result["output"] + "".join(test["output"] for test in result["tests"])


def test_a_machine_that_cannot_confine_refuses(root, monkeypatch):
    (root / "submission" / "01_probe.py").write_text("x = 1\n")
    monkeypatch.setattr("grader.flow.expected_confinement", lambda bubblewrap=True: "none")
    told, judged = desk.run(root, Assignment(pack=PACK), "visible")
    assert "cannot confine" in judged.fault
    assert "cannot confine" in answer(root)["tests"][0]["output"]
    assert told["extra_data"]["needs_regrading"]


def test_without_a_submission_folder_nothing_is_scored(root):
    (root / "submission").rmdir()
    _, judged = desk.run(root, Assignment(pack=PACK), "visible")
    assert judged is None
    assert "There is no" in answer(root)["output"]


def test_a_fault_of_ours_still_gives_a_result(root, monkeypatch):
    def stumble(*_args, **_more):
        raise RuntimeError("out of luck \x1b[31m")

    monkeypatch.setattr(desk, "judge_student", stumble)
    desk.run(root, Assignment(pack=PACK), "visible")
    assert "out of luck" in answer(root)["output"]


def test_a_run_that_is_killed_leaves_a_result(root, monkeypatch):
    def killed(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(desk, "judge_student", killed)
    with pytest.raises(KeyboardInterrupt):
        desk.run(root, Assignment(pack=PACK), "visible")
    assert "stopped before it was done" in answer(root)["output"]


def test_when_time_is_up_what_is_left_needs_regrading(root, tmp_path, probe):
    pack = tmp_path / "pack"
    shutil.copytree(PACK, pack)
    shutil.copytree(pack / "exercises" / "01_probe", pack / "exercises" / "02_again")
    shutil.copy(pack / "solutions" / "01_probe.py", pack / "solutions" / "02_again.py")
    for name in ("01_probe", "02_again"):
        (root / "submission" / f"{name}.py").write_text(probe.solution.read_text())
    _, judged = desk.run(root, Assignment(pack=pack, trust=True, seconds=0), "visible")
    assert "time" in judged.fault
    statuses = [attempt.status for attempt in judged.results.attempts]
    assert sorted(statuses) == sorted([Verdict.PASSED, Verdict.INTERNAL_ERROR])
    answer(root)


def test_two_folders_of_one_student_are_not_two_students(root, probe):
    """A layout that `learn grade` would take for a class is still one student's here."""
    for folder in ("a", "b"):
        (root / "submission" / folder).mkdir()
        (root / "submission" / folder / "01_probe.py").write_text(f"x = {folder!r}\n")
    judged = judge_student([root / "submission"], Assignment(pack=PACK, trust=True))
    assert judged.results.attempts == ()
    assert "2 different files" in judged.unread["01_probe"]
    assert judged.results.unreadable[0].path.startswith("a/")


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(root, monkeypatch):
    def failing(*_args):
        raise BadFile("submitted can't be read: Input/output error.") from OSError(5, "Input/output error")

    monkeypatch.setattr("grader.desk.one_student.read_submissions", failing)
    _, judged = desk.run(root, Assignment(pack=PACK, trust=True), "visible")
    assert judged is None
    assert "Input/output error" in answer(root)["output"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_and_pipes_are_not_followed(root, tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text("x = 1\n")
    (root / "submission" / "01_probe.py").symlink_to(secret)
    os.mkfifo(root / "submission" / "pipe.py")
    judged = judge_student([root / "submission"], Assignment(pack=PACK, trust=True))
    assert judged.results.attempts == ()
    told = {one.path: one.reason for one in judged.results.unreadable}
    assert "link" in told["01_probe.py"]
    assert "regular" in told["pipe.py"]
