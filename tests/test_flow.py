"""`learn grade` as a whole: what everybody deserves, going on after a kill, and saying no clearly."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.authoring.sample_class import write_class
from grader.catalogue import Catalogue
from grader.core.errors import BadFile, MissingPart, WrongUsage
from grader.core.verdict import Verdict
from grader.flow import Order, grade_batch

TIMES = ("seconds",)


def results_of(out, *, with_run=False):
    """results.json without what may differ between two runs that are the same."""
    told = json.loads((out / "results.json").read_text())
    told.pop("created", None)
    for submission in told["submissions"]:
        submission.pop("seconds")
        for check in submission["checks"]:
            check.pop("seconds")
    return told


def differences(one, other, place=""):
    """Where two readings of results.json differ, and how: the whole of both would be thousands of lines."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [told for key in one for told in differences(one[key], other[key], f"{place}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [told for at, pair in pairs for told in differences(*pair, f"{place}/{at}")]
    return [] if one == other else [f"{place}: {one!r} against {other!r}"]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of 30, graded once."""
    base = tmp_path_factory.mktemp("class")
    deserved = write_class(base / "class", 30, Catalogue.load())
    done = []
    graded = grade_batch(
        Order(base / "class", base / "out", seed=11, formats=("json", "csv", "html", "junit")), done=done.append
    )
    return base, deserved, graded, done


def test_everyone_gets_the_verdict_that_they_deserve(graded):
    _, deserved, outcome, _ = graded
    attempts = {(attempt.student, attempt.exercise): attempt for attempt in outcome.results.attempts}
    assert len(attempts) == len(deserved)
    kinds = set()
    for file in deserved:
        attempt = attempts[file.student, file.exercise]
        told = f"{file.kind} {file.path}: {[(c.id, str(c.status), c.message) for c in attempt.checks]}"
        kinds.add(file.kind)
        if file.full:
            assert attempt.score == attempt.max_score, told
        elif file.kind == "stub":
            assert attempt.score == 0, told
        else:
            assert attempt.score < attempt.max_score, told
        if file.fails is not None:
            failed = {
                check.id
                for check in attempt.checks
                if check.status in (Verdict.FAILED, Verdict.ERROR, Verdict.TIMEOUT, Verdict.CRASHED)
            }
            assert failed == file.fails, told
            assert all(check.misconception for check in attempt.checks if check.id in failed), told
        else:
            assert attempt.status is file.status, told
    assert {"solution", "right", "wrong", "stub", "crashing", "hanging", "half done", "not python"} <= kinds


def test_a_crash_or_a_hang_costs_its_own_check_only(graded):
    _, deserved, outcome, _ = graded
    for attempt in outcome.results.attempts:
        kind = next(d.kind for d in deserved if (d.student, d.exercise) == (attempt.student, attempt.exercise))
        if kind in ("crashing", "hanging", "segfault"):
            # Not all of its checks use the function that does not come back.
            assert any(check.status is Verdict.PASSED for check in attempt.checks), attempt


def test_what_cannot_be_graded_is_listed(graded):
    _, _, outcome, _ = graded
    listed = {file.path: file.reason for file in outcome.results.unreadable}
    assert set(listed) == {"emil/notes.docx", "chen/99_unheard_of.py"}
    assert all(listed.values())


def test_all_the_files_are_there(graded):
    base, _, _, _ = graded
    out = base / "out"
    for name in ("gradebook.db", "results.json", "grades.csv", "index.html"):
        assert (out / name).stat().st_size > 0
    assert len(list((out / "students").glob("*.html"))) == 30
    told = json.loads((out / "results.json").read_text())
    assert told["format"] == 1
    assert told["seed"] == 11
    assert told["device"] == "cpu"
    assert told["confinement"] in ("full", "landlock+seccomp")
    for submission in told["submissions"]:
        assert len(submission["sha256"]) == 64
        assert submission["status"] in {str(verdict) for verdict in Verdict}


def test_nothing_secret_is_in_what_students_receive(graded):
    base, _, _, _ = graded
    pages = "".join(page.read_text() for page in (base / "out/students").glob("*.html"))
    for exercise in Catalogue.load():
        for line in exercise.checks.read_text().splitlines():
            if len(line.strip()) > 40 and not line.strip().startswith(('"""', "#", "from ", "import ", "@check")):
                assert line.strip() not in pages, (exercise.name, line)


def test_a_second_run_judges_only_what_changed(graded):
    base, deserved, first, _ = graded
    again = grade_batch(Order(base / "class", base / "out"))
    assert again.judged == 0
    assert again.results.seed == 11
    assert len(again.results.attempts) == len(first.results.attempts)
    changed = next(file for file in deserved if file.kind == "solution" and file.path.suffix == ".py")
    old = changed.path.read_text()
    changed.path.write_text(old + "\n# one more line\n")
    try:
        done = []
        once_more = grade_batch(Order(base / "class", base / "out"), done=done.append)
        assert [(attempt.student, attempt.exercise) for attempt in done] == [(changed.student, changed.exercise)]
        assert len(once_more.results.attempts) == len(first.results.attempts)
    finally:
        changed.path.write_text(old)


def test_the_same_seed_gives_the_same_results(graded, tmp_path):
    base, _, _, _ = graded
    few = tmp_path / "few"
    for name in ("ada", "bo", "chen", "dara"):
        shutil.copytree(base / "class" / name, few / name)
    for out in ("a", "b"):
        grade_batch(Order(few, tmp_path / out, seed=5, formats=("json",)))
    grade_batch(Order(few, tmp_path / "c", seed=6, formats=("json",)))
    assert differences(results_of(tmp_path / "a"), results_of(tmp_path / "b")) == []
    assert differences(results_of(tmp_path / "a"), results_of(tmp_path / "c"))


def test_a_run_that_was_killed_goes_on_and_ends_the_same(graded, tmp_path):
    base, _, _, _ = graded
    some = tmp_path / "some"
    for name in ("ada", "chen", "dara", "goran", "hana", "kofi", "lena", "mei"):
        shutil.copytree(base / "class" / name, some / name)
    whole = grade_batch(Order(some, tmp_path / "whole", seed=5, formats=("json",)))
    dice = random.Random()
    command = [sys.executable, "-m", "grader.cli", "grade", str(some), "-o", str(tmp_path / "out"), "--seed", "5"]
    kills = 0
    for _ in range(3):
        process = subprocess.Popen(
            [*command, "--format", "json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        pause = dice.uniform(4, 9)
        try:
            process.wait(pause)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    done = []
    last = grade_batch(Order(some, tmp_path / "out", seed=5, formats=("json",)), done=done.append)
    assert kills, "the runs were over before they could be killed"
    assert len(last.results.attempts) == len(whole.results.attempts)
    assert differences(results_of(tmp_path / "out"), results_of(tmp_path / "whole")) == []


def test_a_judge_that_dies_is_replaced(graded, tmp_path):
    base, _, _, _ = graded
    some = tmp_path / "some"
    for name in ("ada", "chen", "dara"):
        shutil.copytree(base / "class" / name, some / name)
    process = subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "grade", str(some), "-o", str(tmp_path / "out"), "--jobs", "2",
         "--format", "json"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    killed = None
    deadline = time.monotonic() + 60
    while killed is None and process.poll() is None and time.monotonic() < deadline:
        for child in _children(process.pid):
            if any("zygote" in (_cmdline(grandchild)) for grandchild in _children(child)):
                time.sleep(1.5)
                os.kill(child, signal.SIGKILL)
                killed = child
                break
        time.sleep(0.05)
    assert killed is not None
    assert process.wait(240) == 0, process.stderr.read()
    told = json.loads((tmp_path / "out/results.json").read_text())
    assert all(submission["status"] != "internal_error" for submission in told["submissions"])


def _children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_an_archive_is_graded_like_a_folder(graded, tmp_path):
    base, _, _, _ = graded
    few = tmp_path / "few"
    shutil.copytree(base / "class/ada", few / "ada")
    archive = shutil.make_archive(str(tmp_path / "handed-in"), "zip", few)
    grade_batch(Order(few, tmp_path / "a", seed=5, formats=("json",)))
    grade_batch(Order(Path(archive), tmp_path / "b", seed=5, formats=("json",)))
    assert results_of(tmp_path / "a") == results_of(tmp_path / "b")


def test_clear_words_for_what_cannot_be(graded, tmp_path):
    base, _, _, _ = graded
    with pytest.raises(BadFile, match="nowhere"):
        grade_batch(Order(tmp_path / "nowhere", tmp_path / "out"))
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 this is no archive")
    with pytest.raises(BadFile, match=r"bad\.zip"):
        grade_batch(Order(tmp_path / "bad.zip", tmp_path / "out"))
    with pytest.raises(WrongUsage, match="no exercise '99'"):
        grade_batch(Order(base / "class", tmp_path / "out", exercises=("99",)))
    other = tmp_path / "other"
    other.mkdir()
    with sqlite3.connect(other / "gradebook.db") as db:
        db.execute("CREATE TABLE mine (a)")
    with pytest.raises(BadFile, match="gradebook"):
        grade_batch(Order(base / "class", other))
    with sqlite3.connect(other / "gradebook.db") as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


def test_cuda_that_is_not_there_is_said(graded, tmp_path):
    from grader.judge.device import gpu_memory

    if gpu_memory():
        pytest.skip("there is a CUDA device here")
    base, _, _, _ = graded
    with pytest.raises(MissingPart, match="--device cpu"):
        grade_batch(Order(base / "class", tmp_path / "out", device="cuda"))


def test_an_exercise_that_allows_processes_needs_bubblewrap(tmp_path, probe_pack):
    pack = tmp_path / "pack"
    shutil.copytree(probe_pack, pack)
    toml = next(pack.glob("exercises/*/exercise.toml"))
    text = toml.read_text()
    limits = "processes = 1\n"
    toml.write_text(
        text.replace("[limits]\n", "[limits]\n" + limits) if "[limits]" in text else f"{text}\n[limits]\n{limits}"
    )
    handed_in = tmp_path / "class" / "ada" / f"{toml.parent.name}.py"
    handed_in.parent.mkdir(parents=True)
    handed_in.write_text("x = 1\n")
    order = Order(tmp_path / "class", tmp_path / "out", pack=pack, bubblewrap=False, formats=("json",))
    with pytest.raises(MissingPart, match="needs bubblewrap"):
        grade_batch(order)
    assert not (tmp_path / "out").exists()
