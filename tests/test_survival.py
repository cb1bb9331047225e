"""The judge and the house survive: a full disk, a read-only OUT, a clock that jumps, workers that die."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader import flow
from grader.core.errors import MissingPart
from grader.flow import Order, grade_batch
from grader.schedule import Died, run

SOLUTION = (Path(__file__).parent / "pack/solutions/01_probe.py").read_text()


@pytest.fixture
def handed_in(tmp_path):
    """Three students' answers to 01_probe."""
    for student in ("ada", "bo", "chen"):
        folder = tmp_path / "class" / student
        folder.mkdir(parents=True)
        (folder / "01_probe.py").write_text(f"{SOLUTION}\n# {student}\n")
    return tmp_path / "class"


def graded(handed_in, out, probe_pack, **more):
    return grade_batch(Order(handed_in, out, pack=probe_pack, seed=3, formats=("json",), jobs=1, **more))


def scores(out):
    told = json.loads((out / "results.json").read_text())
    return {submission["student"]: submission["score"] for submission in told["submissions"]}


def die(task, marks):
    """Work that ends its process: always for "bad", once for "unlucky"."""
    if task == "bad" or (task == "unlucky" and not (marks / "once").exists()):
        (marks / "once").touch()
        os._exit(9)
    return task.upper()


def test_a_task_is_tried_twice_and_then_told_apart(tmp_path):
    done = dict(run(["fine", "unlucky", "bad", "good"], die, workers=1, beside=(tmp_path,)))
    assert done["fine"] == "FINE"
    assert done["unlucky"] == "UNLUCKY"
    assert done["good"] == "GOOD"
    assert isinstance(done["bad"], Died)


def test_a_judge_that_dies_twice_leaves_a_mark_and_no_zero(handed_in, tmp_path, probe_pack, monkeypatch):
    judged = flow._judged

    def one_dies(stale, order, settings):
        for submission, outcome in judged(stale, order, settings):
            yield submission, Died("the process ended") if submission.student == "bo" else outcome

    monkeypatch.setattr(flow, "_judged", one_dies)
    first = graded(handed_in, tmp_path / "out", probe_pack)
    assert first.needs_regrading == 1
    assert scores(tmp_path / "out") == {"ada": 6.0, "bo": None, "chen": 6.0}
    monkeypatch.undo()
    # The next run regrades exactly that one.
    again = graded(handed_in, tmp_path / "out", probe_pack)
    assert again.judged == 1
    assert scores(tmp_path / "out") == {"ada": 6.0, "bo": 6.0, "chen": 6.0}


def test_a_clock_that_jumps_changes_nothing(handed_in, tmp_path, probe_pack, probe, submission, monkeypatch):
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    real = time.time
    jumps = iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() + (-1) ** next(jumps) * 10**8)
    with Judge([probe], Settings(seed=3)) as judge:
        slow = SOLUTION.replace("return x * 2", "import time; time.sleep(0.3); return x * 2")
        assert judge.judge(submission(slow)).score == 6
        hanging = SOLUTION.replace("return x * 2", "while True: pass")
        started = time.monotonic()
        assert judge.judge(submission(hanging)).status == "timeout"
        assert time.monotonic() - started < 30
    graded(handed_in, tmp_path / "out", probe_pack)
    assert scores(tmp_path / "out") == {"ada": 6.0, "bo": 6.0, "chen": 6.0}


def test_a_disk_that_is_full_is_said_and_what_was_there_stays(handed_in, tmp_path, probe_pack):
    """On a real file system that is too small, in a mount namespace of its own."""
    out = tmp_path / "out"
    out.mkdir()
    keep = tmp_path / "keep"
    inside = f"""
        mount -t tmpfs -o size=400k tmpfs {out} || exit 77
        {sys.executable} -m grader.cli grade {handed_in} -o {out} --pack {probe_pack} --seed 3 --format json --jobs 1
        echo "first: $?"
        head -c 1000000 /dev/zero > {out}/.ballast 2>/dev/null
        for n in 1 2 3 4 5 6 7 8; do mkdir -p {handed_in}/s$n; cp {handed_in}/ada/01_probe.py {handed_in}/s$n/; done
        {sys.executable} -m grader.cli grade {handed_in} -o {out} --pack {probe_pack} --format json --jobs 1
        echo "full: $?"
        rm {out}/.ballast
        {sys.executable} -m grader.cli grade {handed_in} -o {out} --pack {probe_pack} --format json --jobs 1
        echo "room again: $?"
        mkdir {keep}; cp {out}/results.json {keep}/
    """
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not here (package util-linux)")
    done = subprocess.run([*unshare, "sh", "-c", inside], capture_output=True, text=True, check=False)
    if done.returncode == 77 or "first:" not in done.stdout:
        pytest.skip(f"this system lets nobody mount: {done.stderr.strip()[-200:]}")
    told = done.stdout + done.stderr
    assert "first: 0" in told, told
    assert "full: 2" in told, told
    assert "Traceback" not in told
    assert "room again: 0" in told, told
    assert set(scores(keep).values()) == {6.0}
    assert len(scores(keep)) == 11


def test_an_out_that_may_not_be_written_to_is_said(handed_in, tmp_path, probe_pack):
    out = tmp_path / "out"
    out.mkdir()
    inside = f"""
        mount -t tmpfs -o ro tmpfs {out} || exit 77
        {sys.executable} -m grader.cli grade {handed_in} -o {out} --pack {probe_pack} --jobs 1
        echo "read-only: $?"
    """
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not here (package util-linux)")
    done = subprocess.run([*unshare, "sh", "-c", inside], capture_output=True, text=True, check=False)
    if "read-only:" not in done.stdout:
        pytest.skip(f"this system lets nobody mount: {done.stderr.strip()[-200:]}")
    assert "read-only: 2" in done.stdout, done.stdout + done.stderr
    assert str(out) in done.stderr
    assert "Traceback" not in done.stderr


def test_without_confinement_official_grading_refuses_until_told_to_trust(handed_in, tmp_path, probe_pack, monkeypatch):
    for level in ("none", "partial"):
        monkeypatch.setattr(flow, "expected_confinement", lambda bubblewrap=True, level=level: level)
        with pytest.raises(MissingPart, match="--trust-submissions"):
            graded(handed_in, tmp_path / level, probe_pack)
        assert not (tmp_path / level).exists()
    trusted = graded(handed_in, tmp_path / "out", probe_pack, trust=True)
    assert trusted.results.trusted
    assert json.loads((tmp_path / "out/results.json").read_text())["trusted"] is True
