"""The ledger: what it was told is there afterwards, whoever killed whom; and it says so where it can't be."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import BadFile
from grader.core.submission import Submission, Unreadable
from grader.core.verdict import Verdict
from grader.ledger.gradebook import Gradebook, RunInfo
from grader.ledger.lock import Lock, Taken
from grader.ledger.progress import Progress
from grader.ledger.staleness import staleness_key

VIEW = "05_view_vs_reshape"
CAT = "04_cat_and_stack"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
INFO = RunInfo(seed=7, grader="0.1.0", python="3.11", torch="2.15.0", device="cpu", confinement="full")


def check(status: Verdict = Verdict.PASSED, points: float = 1.0, name: str = "test_a") -> CheckResult:
    return CheckResult(name, "A check", status, points if status is Verdict.PASSED else 0.0, points)


def attempt(
    student: str = "s01", exercise: str = VIEW, checks: tuple[CheckResult, ...] = (check(),), sha256: str = "aa"
) -> Attempt:
    path = f"{student}/{exercise}.py"
    return Attempt(student, exercise, path, sha256, checks, seed=7, device="cpu", confinement="full", torch="2.15.0")


def submission(student: str = "s01", exercise: str = VIEW, sha256: str = "aa", path: str = "") -> Submission:
    return Submission(student, exercise, path or f"{student}/{exercise}.py", "", sha256)


FAILED = attempt(checks=(check(), check(Verdict.FAILED, 3.0, "test_b")))
OURS = attempt(checks=(check(Verdict.INTERNAL_ERROR),))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def book(out: Path) -> Iterator[Gradebook]:
    with Gradebook.open(out) as gradebook:
        yield gradebook


# Progress


def test_progress_is_remembered_by_name(tmp_path: Path) -> None:
    progress = Progress.load(tmp_path)
    assert progress.current([CAT, VIEW]) == CAT
    progress.record(attempt(exercise=CAT), NOON)
    progress.record(FAILED, NOON)
    again = Progress.load(tmp_path)
    assert again.note == ""
    assert again.passed(CAT)
    assert not again.passed(VIEW)
    assert again.current([CAT, VIEW]) == VIEW
    assert again.current([CAT]) is None
    step = again.step(VIEW)
    assert (step.best, step.last, step.attempts) == (Verdict.FAILED, Verdict.FAILED, 1)
    assert (step.last_score, step.last_max_score, step.passed_at) == (1.0, 4.0, None)
    assert datetime.fromisoformat(again.step(CAT).passed_at or "") == NOON
    assert (tmp_path / ".learn/progress.json").is_file()


def test_what_was_passed_once_stays_passed(tmp_path: Path) -> None:
    progress = Progress.load(tmp_path)
    progress.record(FAILED, NOON)
    passed_at = progress.record(attempt(), NOON).passed_at
    step = progress.record(FAILED)
    assert step.passed
    assert step.passed_at == passed_at
    assert (step.best, step.last, step.attempts) == (Verdict.PASSED, Verdict.FAILED, 3)


def test_the_best_is_the_best_score(tmp_path: Path) -> None:
    progress = Progress.load(tmp_path)
    progress.record(attempt(checks=(check(Verdict.ERROR), check(Verdict.ERROR))))
    progress.record(FAILED)
    step = progress.record(attempt(checks=(check(Verdict.TIMEOUT),)))
    assert (step.best, step.best_score, step.last) == (Verdict.FAILED, 1.0, Verdict.TIMEOUT)


@pytest.mark.parametrize("verdict", [Verdict.INTERNAL_ERROR, Verdict.NOT_ATTEMPTED, Verdict.SKIPPED])
def test_what_is_no_attempt_costs_none(tmp_path: Path, verdict: Verdict) -> None:
    step = Progress.load(tmp_path).record(attempt(checks=(check(verdict),)))
    assert (step.attempts, step.best, step.last) == (0, None, verdict)


def test_hints_come_one_by_one(tmp_path: Path) -> None:
    assert [Progress.load(tmp_path).next_hint(VIEW, 3) for _ in range(5)] == [1, 2, 3, 3, 3]
    progress = Progress.load(tmp_path)
    assert progress.next_hint(CAT, 0) == 0
    assert progress.next_hint(VIEW, 2) == 2  # the exercise lost a hint
    assert progress.step(VIEW).hints == 3


def test_seeing_the_solution_is_remembered(tmp_path: Path) -> None:
    progress = Progress.load(tmp_path)
    assert progress.saw_solution(VIEW, NOON).solution_before_pass
    progress.record(attempt())
    progress.saw_solution(VIEW)
    progress.record(attempt(exercise=CAT))
    assert not progress.saw_solution(CAT).solution_before_pass
    again = Progress.load(tmp_path)
    assert again.step(VIEW).solution_before_pass
    assert datetime.fromisoformat(again.step(VIEW).solution_seen_at or "") == NOON


def test_two_commands_do_not_undo_each_other(tmp_path: Path) -> None:
    watch, other = Progress.load(tmp_path), Progress.load(tmp_path)
    other.next_hint(VIEW, 3)
    watch.record(attempt(exercise=CAT))
    other.next_hint(VIEW, 3)
    again = Progress.load(tmp_path)
    assert again.passed(CAT)
    assert again.step(VIEW).hints == 2


def test_many_commands_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from grader.ledger.progress import Progress\n"
        "for _ in range(10): Progress.load(Path(sys.argv[1])).next_hint('x', 1000)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, tmp_path]) for _ in range(4)]
    assert [one.wait(30) for one in running] == [0] * 4
    assert Progress.load(tmp_path).step("x").hints == 40


BROKEN = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[]",
    b"7",
    b"[" * 100_000,
    b'{"exercises": {}}',
    b'{"format": 1}',
    b'{"format": 1, "exercises": {"x": 7}}',
    b'{"format": 1, "exercises": {"x": {"attempts": "many"}}}',
    b'{"format": 1, "exercises": {"x": {"hints": true}}}',
    b'{"format": 1, "exercises": {"x": {"best": "splendid"}}}',
]


@pytest.mark.parametrize("data", BROKEN)
def test_a_broken_file_is_put_aside_and_said(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / ".learn/progress.json"
    file.parent.mkdir()
    for number in (1, 2):
        file.write_bytes(data)
        progress = Progress.load(tmp_path)
        assert f"kept as progress.json.broken-{number}" in progress.note
        assert file.with_name(f"progress.json.broken-{number}").read_bytes() == data
        assert progress.current(["x"]) == "x"
    progress.record(attempt())
    assert Progress.load(tmp_path).note == ""
    assert Progress.load(tmp_path).passed(VIEW)


def test_a_file_that_breaks_while_we_run_is_put_aside(tmp_path: Path) -> None:
    progress = Progress.load(tmp_path)
    progress.record(attempt())
    (tmp_path / ".learn/progress.json").write_bytes(b"{")
    progress.next_hint(CAT, 3)
    assert "broken-1" in progress.note


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / ".learn/progress.json"
    file.parent.mkdir()
    file.write_text('{"format": 2, "exercises": {}}')
    with pytest.raises(BadFile, match="another version"):
        Progress.load(tmp_path)
    assert file.read_text() == '{"format": 2, "exercises": {}}'


def test_a_file_is_replaced_and_never_written_over(tmp_path: Path) -> None:
    progress = Progress.load(tmp_path)
    progress.record(attempt(exercise=CAT))
    with open(tmp_path / ".learn/progress.json", "rb") as reader:
        before = (tmp_path / ".learn/progress.json").read_bytes()
        progress.record(attempt())
        assert reader.read() == before
    assert sorted(path.name for path in (tmp_path / ".learn").iterdir()) == ["lock", "progress.json"]


def test_progress_that_cannot_be_saved(tmp_path: Path) -> None:
    (tmp_path / ".learn").write_text("in the way")
    with pytest.raises(BadFile, match=r"can't be (saved|read)"):
        Progress.load(tmp_path).record(attempt())
    with pytest.raises(BadFile, match="can't be saved"):
        Progress.load(tmp_path / "gone").record(attempt())


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress.load(tmp_path)
    progress.record(attempt())

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.ledger.progress.os.fsync", full)
    with pytest.raises(BadFile, match="No space left"):
        progress.record(attempt(exercise=CAT))
    assert Progress.load(tmp_path).passed(VIEW)


# Lock


def test_a_lock_is_one_processs_and_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from grader.ledger.lock import Lock\n"
        "held = Lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, tmp_path / "lock"], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    with other:
        other.stdout.readline()
        with pytest.raises(Taken, match=str(other.pid)):
            Lock(tmp_path / "lock")
        other.send_signal(signal.SIGKILL)
    with Lock(tmp_path / "lock"):
        with pytest.raises(Taken, match=str(os.getpid())):
            Lock(tmp_path / "lock")
        assert subprocess.run(
            [sys.executable, "-c", code, tmp_path / "lock"], capture_output=True, check=False
        ).returncode
    Lock(tmp_path / "lock").release()


# Staleness


def test_whatever_decides_a_verdict_makes_a_result_stale() -> None:
    given: dict[str, str] = dict.fromkeys(
        ("submission", "exercise", "engine", "python", "torch", "device", "confinement"), "a"
    )
    key = staleness_key(**given, seed=1)
    assert key == staleness_key(**given, seed=1)
    keys = {staleness_key(**{**given, name: "b"}, seed=1) for name in given} | {staleness_key(**given, seed=2), key}
    assert len(keys) == len(given) + 2


# Gradebook


def test_numbers_come_back_as_what_they_were(book: Gradebook) -> None:
    """Python holds 1, 1.0 and True to be equal, results.json does not."""
    book.begin_run(INFO, [("k", submission())])
    book.record_many([("k", attempt(checks=(check(Verdict.FAILED, 2.0), check(points=1.0, name="test_b"))))])
    (found,) = book.results().attempts
    assert [repr(one.points) for one in found.checks] == ["0.0", "1.0"]
    assert [one.counts for one in found.checks] == [True, True]
    assert repr(found.score) == "1.0"


def full_attempt() -> Attempt:
    """An attempt of which no field is what it is by default."""
    one = CheckResult(
        "test_a",
        "Títle",
        Verdict.FAILED,
        0.5,
        2.0,
        "wrong\n✗ \0",
        "slug",
        "line 7",
        "Traceback",
        "printed",
        "x=1",
        False,
        0.25,
    )
    two = check(name="test_b")
    made = Attempt("Zoé", VIEW, "z/05.py", "ff", (one, two), 2**64 - 1, "cuda", "none", "2.4", 1.5, "note")
    for record, default in ((one, check()), (made, attempt())):
        for each in fields(record):
            assert getattr(record, each.name) != getattr(default, each.name) or each.name in ("id", "exercise")
    return made


def test_an_attempt_comes_back_as_it_was(book: Gradebook) -> None:
    made = full_attempt()
    book.record_many([("k", made), ("k2", attempt("Zoé"))])
    assert book.fresh("k", "Zoé", VIEW) == made
    assert book.fresh("k", "Zoe", VIEW) is None
    assert book.fresh("k", "Zoé", CAT) is None
    assert book.fresh("k1", "Zoé", VIEW) is None
    assert book.fresh("k2", "Zoé", VIEW) == attempt("Zoé")
    assert [one.sha256 for one in book.history("Zoé", VIEW)] == ["ff", "aa"]


def test_text_that_is_no_unicode_is_kept_as_well_as_can_be(book: Gradebook) -> None:
    book.record_many([("k", attempt(checks=(replace(check(), message="half \ud800"),)))])
    found = book.fresh("k", "s01", VIEW)
    assert found is not None
    assert found.checks[0].message == "half ?"


def test_our_own_failure_is_never_fresh(book: Gradebook) -> None:
    book.begin_run(INFO, [("k", submission())])
    assert book.pending() == {("s01", VIEW)}
    book.record_many([("k", OURS)])
    assert book.fresh("k", "s01", VIEW) is None
    assert book.pending() == {("s01", VIEW)}
    assert book.results().attempts == (OURS,)
    assert book.results().pending == ()
    book.record_many([("k", FAILED)])
    book.record_many([("k", OURS)])
    assert book.fresh("k", "s01", VIEW) == FAILED
    assert book.results().attempts == (FAILED,)
    assert book.pending() == set()
    assert len(book.history("s01", VIEW)) == 3


def test_results_are_what_is_handed_in_now(book: Gradebook) -> None:
    first = [("k1", submission("s02")), ("k2", submission("s01", CAT)), ("k3", submission("s01"))]
    book.begin_run(
        INFO, first, [Unreadable("s03/x.doc", "No.")], ["s03"], frozenset({f"s02/{VIEW}.py"}), {"s02": "4711"}
    )
    assert book.results().pending == (("s01", CAT), ("s01", VIEW), ("s02", VIEW))
    book.record_many([("k1", attempt("s02")), ("k2", attempt("s01", CAT)), ("k3", FAILED)])
    book.finish_run()
    found = book.results()
    assert [(one.student, one.exercise) for one in found.attempts] == [("s01", CAT), ("s01", VIEW), ("s02", VIEW)]
    assert found.unreadable == (Unreadable("s03/x.doc", "No."),)
    assert found.students == ("s01", "s02", "s03")
    assert found.late == {("s02", VIEW)}
    assert found.platform_ids == {"s02": "4711"}
    assert found.info is not None
    assert replace(found.info, started="", finished=None) == INFO
    assert found.info.started
    assert found.info.finished
    # s02 withdrew, s01 changed one file and moved the other.
    book.begin_run(INFO, [("k4", submission("s01")), ("k2", submission("s01", CAT, path="s01/new/04.py"))])
    assert book.pending() == {("s01", VIEW)}
    found = book.results()
    assert found.info is not None
    assert found.info.finished is None
    assert [one.path for one in found.attempts] == ["s01/new/04.py"]
    assert found.pending == (("s01", VIEW),)
    assert found.students == ("s01",)
    assert found.unreadable == ()
    book.record_many([("k4", attempt())])
    assert [one.status for one in book.results().attempts] == [Verdict.PASSED] * 2
    assert [one.status for one in book.history("s01", VIEW)] == [Verdict.FAILED, Verdict.PASSED]
    assert len(book.history("s02", VIEW)) == 1


def test_a_result_with_no_checks_and_a_run_that_never_was(book: Gradebook) -> None:
    assert book.results().info is None
    assert book.results().attempts == ()
    book.begin_run(INFO, [("k", submission())])
    nothing = attempt(checks=())
    book.record_many([("k", nothing)])
    assert book.results().attempts == (nothing,)


def test_the_seed_stays(out: Path) -> None:
    with Gradebook.open(out) as book:
        assert book.seed is None
        book.seed = 2**63 + 5
    with Gradebook.open(out) as book:
        assert book.seed == 2**63 + 5
        assert datetime.fromisoformat(book.created).tzinfo


def test_adjustments_survive_a_regrade(book: Gradebook) -> None:
    book.begin_run(INFO, [("k", submission())])
    book.adjust("s01", VIEW, 1.5, "The text was unclear")
    book.adjust("s01", VIEW, -0.5, "Late by an hour")
    book.begin_run(INFO, [("k2", submission())])
    book.record_many([("k2", FAILED)])
    given = book.results().adjustments
    assert [(one.student, one.exercise, one.points, one.reason) for one in given] == [
        ("s01", VIEW, 1.5, "The text was unclear"),
        ("s01", VIEW, -0.5, "Late by an hour"),
    ]
    assert book.results().attempts[0].score == 1.0
    assert book.adjustments() == given


def test_attempts_are_kept_all_or_none(book: Gradebook) -> None:
    def some() -> Iterator[tuple[str, Attempt]]:
        yield "k", attempt()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        book.record_many(some())
    assert book.history("s01", VIEW) == ()
    book.record_many([("k", attempt())])
    assert len(book.history("s01", VIEW)) == 1


# Files that are not what they should be


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path, out: Path) -> None:
    out.mkdir()
    (out / "thesis.docx").write_text("x")
    with pytest.raises(BadFile, match="holds other files"):
        Gradebook.open(out)
    assert [path.name for path in out.iterdir()] == ["thesis.docx"]
    with pytest.raises(BadFile, match="can't be written to"):
        Gradebook.open(out / "thesis.docx")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / ".DS_Store").write_text("x")
    Gradebook.open(hidden).close()


def test_a_gradebook_of_another_program_is_left_alone(out: Path) -> None:
    out.mkdir()
    with sqlite3.connect(out / "gradebook.db") as db:
        db.execute("CREATE TABLE assignment (id TEXT)")  # as nbgrader's
    db.close()
    before = (out / "gradebook.db").read_bytes()
    for data in (before, b"", b"text", os.urandom(5000)):
        (out / "gradebook.db").write_bytes(data)
        with pytest.raises(BadFile, match="not a gradebook"):
            Gradebook.open(out)
        assert [path.name for path in out.iterdir()] == ["gradebook.db"]
        assert (out / "gradebook.db").read_bytes() == data
    (out / "gradebook.db").unlink()
    (out / "gradebook.db").mkdir()
    with pytest.raises(BadFile):
        Gradebook.open(out)


def test_a_gradebook_of_a_later_version_is_left_alone(out: Path) -> None:
    Gradebook.open(out).close()
    with sqlite3.connect(out / "gradebook.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(BadFile, match="another version"):
        Gradebook.open(out)


def test_a_damaged_gradebook_is_said_and_kept(out: Path) -> None:
    with Gradebook.open(out) as book:
        book.record_many([("k", attempt(f"s{number}")) for number in range(200)])
    file = out / "gradebook.db"
    whole = file.read_bytes()
    for data in (whole[: len(whole) // 2], whole[:8192] + os.urandom(8192) + whole[16384:]):
        file.write_bytes(data)
        with pytest.raises(BadFile, match="is damaged"):
            Gradebook.open(out)
        assert file.read_bytes() == data


def test_a_gradebook_that_is_not_there(out: Path) -> None:
    for write in (True, False):
        with pytest.raises(BadFile, match="holds no gradebook"):
            Gradebook.open(out, create=False, write=write)
    with pytest.raises(BadFile, match="holds no gradebook"):
        Gradebook.open(out, write=False)
    assert not out.exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody can write to")
def test_a_place_that_nobody_can_write_to() -> None:
    with pytest.raises(BadFile, match="can't be written to"):
        Gradebook.open(Path("/proc/self/out"))


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write everywhere")
def test_a_folder_that_we_may_not_write_to(out: Path) -> None:
    Gradebook.open(out).close()
    for path, mode in ((out / "gradebook.db", 0o400), (out, 0o500)):
        path.chmod(mode)
    try:
        with pytest.raises(BadFile, match="can't be written to"):
            Gradebook.open(out)
        with Gradebook.open(out, write=False) as book:
            assert book.results().info is None
    finally:
        out.chmod(0o700)


def test_readers_need_no_lock_and_change_nothing(book: Gradebook, out: Path) -> None:
    book.begin_run(INFO, [("k", submission())])
    with Gradebook.open(out, create=False, write=False) as reader:
        assert reader.results().pending == (("s01", VIEW),)
        book.record_many([("k", attempt())])
        assert reader.results().attempts == (attempt(),)
        with pytest.raises(BadFile, match="can't be written to"):
            reader.record_many([("k", attempt())])


def test_a_second_writer_is_told_who_is_first(book: Gradebook, out: Path) -> None:
    with pytest.raises(BadFile, match=rf"Another `learn grade` .*process {os.getpid()}"):
        Gradebook.open(out)
    code = (
        "import sys; from pathlib import Path; from grader.ledger.gradebook import Gradebook\n"
        "Gradebook.open(Path(sys.argv[1]))"
    )
    told = subprocess.run([sys.executable, "-c", code, out], capture_output=True, text=True, check=False).stderr
    assert f"process {os.getpid()}" in told.splitlines()[-1]
    book.record_many([("k", attempt())])
    book.close()
    Gradebook.open(out).close()


def test_a_program_that_holds_the_file_is_waited_for_and_then_said(
    book: Gradebook, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book._db.execute("PRAGMA busy_timeout = 50")
    with sqlite3.connect(out / "gradebook.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BadFile, match="in use by another program"):
            book.record_many([("k", attempt())])
        other.execute("ROLLBACK")
    other.close()
    book.record_many([("k", attempt())])
    assert len(book.history("s01", VIEW)) == 1


def test_a_full_disk_loses_nothing_that_was_recorded(out: Path) -> None:
    with Gradebook.open(out) as book:
        book.record_many([("k", attempt())])
        (pages,) = book._db.execute("PRAGMA page_count").fetchone()
        book._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        long = attempt("s02", checks=(replace(check(), printed="x" * 100_000),))
        with pytest.raises(BadFile, match="disk is full"):
            book.record_many([("k", attempt("s03")), ("k", long)])
        assert len(book.history("s01", VIEW)) == 1
        assert book.history("s03", VIEW) == ()
        book._db.execute(f"PRAGMA max_page_count = {pages + 1000}")
        book.record_many([("k", long)])
        assert len(book.history("s02", VIEW)) == 1


def test_a_real_limit_on_the_size_of_files(out: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2]); from test_ledger import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (200_000,) * 2)\n"
        "with Gradebook.open(Path(sys.argv[1])) as book:\n"
        "    book.record_many([('k', attempt())])\n"
        "    book.record_many([('k', attempt('s02', checks=(replace(check(), printed='x' * 300_000),)))])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, out, Path(__file__).parent], capture_output=True, text=True, check=False
    )
    assert "grader.core.errors.BadFile" in run.stderr.splitlines()[-1]
    with Gradebook.open(out) as book:
        assert len(book.history("s01", VIEW)) == 1
        assert book.history("s02", VIEW) == ()


# Killed at any moment

_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_ledger import *
with Gradebook.open(Path(sys.argv[1])) as book:
    done = {one.sha256 for one in book.history("s01", VIEW)}
    book.begin_run(INFO, [("k", submission())])
    for number in range(10_000):
        if str(number) in done:
            continue
        text = replace(check(), printed="x" * 3000)
        book.record_many([("k", attempt(sha256=str(number), checks=(text, text)))])
        print(number, flush=True)
"""


def test_killed_at_any_moment_it_goes_on(out: Path) -> None:
    acknowledged: list[int] = []
    randomly = random.Random(20260504)
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, out, Path(__file__).parent], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        with writer:
            acknowledged.append(int(writer.stdout.readline()))
            time.sleep(randomly.uniform(0, 0.06))
            writer.kill()
            acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
        assert writer.returncode == -signal.SIGKILL
    assert len(acknowledged) > 5
    assert acknowledged == sorted(set(acknowledged)), "nothing was graded twice"
    with Gradebook.open(out) as book:
        kept = [int(one.sha256) for one in book.history("s01", VIEW)]
        with sqlite3.connect(out / "gradebook.db") as db:
            checks = db.execute(
                "SELECT count(c.id) FROM attempts a LEFT JOIN checks c ON c.attempt = a.id GROUP BY a.id"
            )
            assert {count for (count,) in checks} == {2}
        db.close()
        # The last of each run may be on the disk without having been acknowledged.
        assert kept == list(range(len(kept)))
        assert set(acknowledged) <= set(kept)
        assert book.results().attempts


def test_killed_while_it_is_made_it_is_made_anew(out: Path) -> None:
    out.mkdir()
    (out / "gradebook.db.new").write_bytes(b"half")
    (out / "gradebook.db.new-journal").write_bytes(b"half")
    (out / "gradebook.db-journal").write_bytes(b"of one that is gone")
    (out / ".gradebook.lock").write_text("1")
    with Gradebook.open(out) as book:
        book.record_many([("k", attempt())])
    assert sorted(path.name for path in out.iterdir()) == [".gradebook.lock", "gradebook.db"]


def test_the_ledger_imports_only_core_and_never_torch() -> None:
    code = (
        "import sys, grader.ledger.gradebook, grader.ledger.progress, grader.ledger.staleness\n"
        "print([m for m in sys.modules if m.split('.')[0] == 'torch'"
        " or m.startswith('grader.') and m.split('.')[1] not in ('core', 'ledger')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
