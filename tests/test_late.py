"""Late and regrade: when it was handed in, what that costs, points given by hand, and what a regrade leaves alone."""

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.cli import cli
from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import BadFile, WrongUsage
from grader.core.grade import Adjustment, DueDates, Grade, LatePolicy, days_late, moment
from grader.core.history import Superseded
from grader.core.submission import HandedIn, SaidBy, Submission
from grader.core.verdict import Verdict
from grader.intake.decoded import NotReadable
from grader.intake.submissions import Intake, read_submissions
from grader.intake.times import receipt
from grader.ledger.gradebook import Gradebook, RunInfo
from grader.report import to_csv, to_json
from grader.report.results import Results

VIEW = "05_view_vs_reshape"
CAT = "04_cat_and_stack"
NAMES = (CAT, VIEW)
DUE = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)
INFO = RunInfo(seed=7, grader="0.1.0", python="3.11", torch="2.15.0", device="cpu", confinement="full")


def made(
    points: float = 4.0, of: float = 5.0, student: str = "s01", exercise: str = VIEW, sha256: str = "aa"
) -> Attempt:
    check = CheckResult("test_a", "A check", Verdict.PASSED if points == of else Verdict.FAILED, points, of)
    path = f"{student}/{exercise}.py"
    return Attempt(student, exercise, path, sha256, (check,), seed=7, device="cpu", confinement="full", torch="2.15.0")


OURS = replace(made(), checks=(CheckResult("test_a", "A check", Verdict.INTERNAL_ERROR, 0.0, 5.0),))


# -- words of a grade -------------------------------------------------------------------------------------


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the local time zone cannot be set here")
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01", "2026-12-02T04:59:59.999999"),
        (" 2026-07-01 ", "2026-07-02T03:59:59.999999"),  # summer time
        ("2026-12-01T18:00", "2026-12-01T23:00:00"),
        ("2026-12-01 18:00:30", "2026-12-01T23:00:30"),
        ("2026-12-01T18:00Z", "2026-12-01T18:00:00"),
        ("2026-12-01T18:00+05:30", "2026-12-01T12:30:00"),
    ],
)
def test_a_day_ends_at_its_end_and_a_time_is_local(text: str, utc: str) -> None:
    assert moment(text).astimezone(UTC) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "tomorrow", "2026-13-01", "01.12.2026", "2026-12-01T25:00", "0001-01-01T00:00+23:00",
        "9999-12-31T23:00-23:00", "\x1b[31m",
    ],
)  # fmt: skip
def test_what_is_no_date_is_said_so(text: str) -> None:
    with pytest.raises(WrongUsage, match="2026-12-01") as told:
        moment(text)
    assert "\x1b" not in str(told.value)


@pytest.mark.parametrize(
    ("after", "days"),
    [
        (timedelta(days=-3), 0),
        (timedelta(), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, microseconds=1), 2),
        (timedelta(days=400, hours=2), 401),
    ],
)
def test_days_late_are_days_begun(after: timedelta, days: int) -> None:
    elsewhere = timezone(timedelta(hours=-9))
    assert days_late(DUE, HandedIn((DUE + after).astimezone(elsewhere), SaidBy.FILE)) == days
    assert days_late(DUE, HandedIn(DUE + after, SaidBy.FILE, marked_late=True)) == max(days, 1)
    assert days_late(None, HandedIn(DUE + after, SaidBy.FILE)) == 0


def test_lateness_that_nobody_can_tell_is_none() -> None:
    assert days_late(DUE, None) == 0
    assert days_late(DUE, HandedIn(None, SaidBy.CANVAS)) == 0
    assert days_late(None, HandedIn(None, SaidBy.CANVAS, marked_late=True)) == 1


@pytest.mark.parametrize("text", ["none", "zero", "10%", "33.3333%", "0.5 % per day", "100%", "0%", "0.00001%"])
def test_a_policy_is_read_again_as_it_was_written(text: str) -> None:
    policy = LatePolicy.parse(text)
    assert str(LatePolicy.parse(str(policy))) == str(policy)
    assert LatePolicy.parse(str(policy)).per_day == pytest.approx(policy.per_day, abs=1e-6)


@pytest.mark.parametrize("text", ["", "ten", "-1%", "101%", "10", "1e3%", "\x1b[31m"])
def test_what_is_no_policy_is_said_so(text: str) -> None:
    with pytest.raises(WrongUsage, match="none, zero") as told:
        LatePolicy.parse(text)
    assert "\x1b" not in str(told.value)


def given(points: float, student: str = "s01", exercise: str = VIEW) -> Adjustment:
    return Adjustment(student, exercise, points, "a reason", "2026-12-05T10:00:00+00:00")


@pytest.mark.parametrize(
    ("policy", "days", "adjusted", "score", "penalty"),
    [
        ("none", 9, (), 4.0, 0.0),
        ("zero", 0, (), 4.0, 0.0),
        ("zero", 1, (), 0.0, 4.0),
        ("10%", 3, (), 2.8, 1.2),
        ("10%", 11, (), 0.0, 4.0),
        ("10%", 3, (1.5,), 4.3, 1.2),
        ("zero", 1, (2.0, -0.5), 1.5, 4.0),
        ("none", 0, (-9.0,), 0.0, 0.0),
        ("none", 0, (3.0,), 7.0, 0.0),
    ],
)
def test_what_a_grade_comes_to(
    policy: str, days: int, adjusted: tuple[float, ...], score: float, penalty: float
) -> None:
    adjustments = tuple(map(given, adjusted))
    grade = Grade("s01", VIEW, made(), 5.0, days, LatePolicy.parse(policy), adjustments)
    assert grade.score == pytest.approx(score)
    assert grade.penalty == pytest.approx(penalty)


@pytest.mark.parametrize("attempt", [OURS, made(float("nan")), made(float("inf"))])
def test_points_that_are_not_known_are_no_zero(attempt: Attempt) -> None:
    grade = Grade("s01", VIEW, attempt, 5.0, 3, LatePolicy(0.1), (given(2.0),))
    assert grade.score is None


# -- when it was handed in --------------------------------------------------------------------------------

RECEIPTS = {
    "2015-02-02 15:58:23.948203 America/Los_Angeles": "2015-02-02T23:58:23.948203",
    "2015-07-02 15:58:23.948203 America/Los_Angeles": "2015-07-02T22:58:23.948203",
    "2026-12-01 18:00:00.000001 UTC": "2026-12-01T18:00:00.000001",
    "2026-12-01 18:00:00 +0130": "2026-12-01T16:30:00",
    "2026-12-01 18:00:00.5 -0800": "2026-12-02T02:00:00.5",
    "2026-12-01 18:00:00.948203": "2026-12-01T18:00:00.948203",
    "2026-12-01T18:00:00+01:00": "2026-12-01T17:00:00",
}


@pytest.mark.parametrize("text", RECEIPTS)
def test_the_time_that_nbgrader_writes(text: str) -> None:
    found = receipt(f"{text}\n".encode())
    assert found == datetime.fromisoformat(RECEIPTS[text]).replace(tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", [text for text in RECEIPTS if "+0130" not in text and "-0800" not in text])
def test_nbgrader_itself_reads_the_same(text: str) -> None:
    utils = pytest.importorskip("nbgrader.utils")
    assert receipt(text.encode()).replace(tzinfo=None) == utils.parse_utc(text)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"soon", b"2026-12-01 18:00:00 IST", b"2026-12-01 18:00:00 ../../etc/passwd", b"9999-99-99 00:00:00 UTC",
        b"2026-12-01 18:00:00 America", b"\xff\xfe\x00", b"0001-01-01 00:00:00 +2300", b"1 2 3", b"2026-12-01 1 \x00",
        b"2026-12-01 18:00:00 +9999",
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_read_is_never_guessed(data: bytes) -> None:
    with pytest.raises(NotReadable):
        receipt(data)


def lay(folder: Path, files: Mapping[str, str | bytes], at: datetime | None = None) -> Path:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        if at is not None:
            os.utime(file, (at.timestamp(), at.timestamp()))
    return folder


def zipped(files: Mapping[str, str | bytes], at: datetime | None = None, extended: bool = False) -> bytes:
    """A zip whose members have the time `at`: by the clock on the wall, or also in UTC as Info-ZIP writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path)
            if at is not None:
                info.date_time = at.astimezone().timetuple()[:6]
            if at is not None and extended:
                info.date_time = (2001, 2, 3, 4, 5, 6)
                stamp = int(at.timestamp()).to_bytes(4, "little")
                info.extra = b"ux\x04\x00\x01\x02\x03\x04" + b"UT\x05\x00\x01" + stamp
            archive.writestr(info, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, str | bytes], at: datetime | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(path)
            info.size, info.mtime = len(data), int(at.timestamp()) if at is not None else 0
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def saved(path: Path, data: bytes, at: datetime | None = None) -> Path:
    return lay(path.parent, {path.name: data}, at) / path.name


def read(place: Path) -> Intake:
    return read_submissions(place, NAMES)


THEN = datetime(2026, 11, 30, 9, 15, 2, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_a_file_says_when_it_was_changed(tmp_path: Path) -> None:
    intake = read(lay(tmp_path / "in", {"s01/05.py": "x = 1\n", "s02/05.py": "x = 2\n"}, THEN))
    assert intake.handed_in == {f"{student}/05.py": HandedIn(THEN, SaidBy.FILE) for student in ("s01", "s02")}


@pytest.mark.parametrize("pack", ["zip", "zip in UTC", "tar.gz"])
def test_an_archive_keeps_the_times(tmp_path: Path, pack: str) -> None:
    files = {"s01/05.py": "x = 1\n", "s02/05.py": "x = 2\n"}
    data = tarred(files, THEN) if pack == "tar.gz" else zipped(files, THEN, pack != "zip")
    intake = read(saved(tmp_path / f"in.{pack.split(maxsplit=1)[0]}", data, LONG_AGO))
    assert intake.handed_in == {f"{student}/05.py": HandedIn(THEN, SaidBy.ARCHIVE) for student in ("s01", "s02")}


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_an_archive_that_knows_no_times_says_none(tmp_path: Path, suffix: str) -> None:
    files = {"s01/05.py": "x = 1\n", "s02/05.py": "x = 2\n"}
    intake = read(saved(tmp_path / f"in.{suffix}", zipped(files) if suffix == "zip" else tarred(files)))
    assert len(intake.submissions) == 2
    assert intake.handed_in == {}


@pytest.mark.parametrize("stamp", [(2026, 0, 0, 0, 0, 0), (2026, 15, 31, 31, 63, 62)])
def test_a_zip_with_an_impossible_time_is_read_all_the_same(tmp_path: Path, stamp: tuple[int, ...]) -> None:
    data = bytearray(zipped({"s01/05.py": "x = 1\n"}, THEN))
    year, month, day, hour, minute, second = stamp
    written = (hour << 11 | minute << 5 | second // 2) | ((year - 1980) << 9 | month << 5 | day) << 16
    for start, offset in ((data.index(b"PK\1\2"), 12), (0, 10)):
        data[start + offset : start + offset + 4] = written.to_bytes(4, "little")
    intake = read(saved(tmp_path / "in.zip", bytes(data)))
    assert [one.student for one in intake.submissions] == ["s01"]
    assert intake.handed_in == {}


@pytest.mark.parametrize("road", ["file", "archive"])
def test_in_a_students_own_archive_the_times_are_their_word(tmp_path: Path, road: str) -> None:
    forged = {"05.py": "x = 1\n", "timestamp.txt": "2020-01-01 00:00:00 UTC"}
    files = {"s01/work.zip": zipped(forged, LONG_AGO), "s02/work.tar.gz": tarred(forged, LONG_AGO)}
    place = lay(tmp_path / "in", files, THEN) if road == "file" else saved(tmp_path / "in.zip", zipped(files, THEN))
    said = HandedIn(THEN, SaidBy(road))
    assert read(place).handed_in == {"s01/work.zip/05.py": said, "s02/work.tar.gz/05.py": said}


COURSE = {
    "submitted/ada/ps1/05.py": "x = 1\n",
    "submitted/ada/ps1/deeper/04.py": "x = 2\n",
    "submitted/ada/ps1/timestamp.txt": "2026-12-01 18:00:00.948203 America/Los_Angeles",
    "submitted/bo/ps1/05.py": "x = 3\n",
    "source/ps1/05.py": "the solution",
}


@pytest.mark.parametrize("road", ["course", "submitted", "zip", "tar.gz"])
def test_nbgrader_says_it_best(tmp_path: Path, road: str) -> None:
    if road in ("course", "submitted"):
        place = lay(tmp_path / "in", COURSE, THEN) / ("submitted" if road == "submitted" else "")
    else:
        data = zipped(COURSE, THEN) if road == "zip" else tarred(COURSE, THEN)
        place = saved(tmp_path / f"in.{road}", data)
    start = "" if road == "submitted" else "submitted/"
    nbgrader = HandedIn(datetime(2026, 12, 2, 2, 0, 0, 948203, UTC), SaidBy.NBGRADER)
    other = HandedIn(THEN, SaidBy.ARCHIVE if road in ("zip", "tar.gz") else SaidBy.FILE)
    intake = read(place)
    assert intake.handed_in == {
        f"{start}ada/ps1/05.py": nbgrader,
        f"{start}ada/ps1/deeper/04.py": nbgrader,
        f"{start}bo/ps1/05.py": other,
    }
    assert intake.unreadable == ()


@pytest.mark.parametrize("text", ["2026-12-01 18:00:00 IST", "x" * 5000])
def test_a_receipt_that_cannot_be_read_is_listed(tmp_path: Path, text: str) -> None:
    files = {**COURSE, "submitted/ada/ps1/timestamp.txt": text}
    intake = read(lay(tmp_path / "in", files, THEN))
    assert [one.path for one in intake.unreadable] == ["submitted/ada/ps1/timestamp.txt"]
    assert "the date of the file itself counts" in intake.unreadable[0].reason
    assert intake.handed_in["submitted/ada/ps1/05.py"] == HandedIn(THEN, SaidBy.FILE)


@pytest.mark.parametrize(
    "path",
    [
        "s01/timestamp.txt",
        "s01/ps1/timestamp.txt",
        "Ada_4711_assignsubmission_file/timestamp.txt",
        "c/submitted/timestamp.txt",
    ],
)
def test_a_students_own_timestamp_is_not_nbgraders(tmp_path: Path, path: str) -> None:
    folder = path.rpartition("/")[0]
    files = {f"{folder}/05.py": "x = 1\n", path: "2020-01-01 00:00:00 UTC", "s02/04.py": "y = 1\n"}
    handed_in = read(lay(tmp_path / "in", files, THEN)).handed_in
    assert {said.said_by for said in handed_in.values()} == {SaidBy.FILE}
    assert {said.at for said in handed_in.values()} == {THEN}


def test_canvas_says_late_and_no_time(tmp_path: Path) -> None:
    files = {
        "ada_LATE_1_2_05.py": "x = 1\n",
        "bo_3_4_05.py": "x = 2\n",
        "cy_LATE_5_6_w.zip": zipped({"05.py": ""}, THEN),
    }
    for place in (lay(tmp_path / "in", files, THEN), saved(tmp_path / "in.zip", zipped(files, THEN))):
        assert read(place).handed_in == {
            "ada_LATE_1_2_05.py": HandedIn(None, SaidBy.CANVAS, marked_late=True),
            "bo_3_4_05.py": HandedIn(None, SaidBy.CANVAS),
            "cy_LATE_5_6_w.zip/05.py": HandedIn(None, SaidBy.CANVAS, marked_late=True),
        }


# -- the gradebook ----------------------------------------------------------------------------------------


def submission(student: str = "s01", exercise: str = VIEW, sha256: str = "aa") -> Submission:
    return Submission(student, exercise, f"{student}/{exercise}.py", "", sha256)


def test_terms_and_times_are_remembered(tmp_path: Path) -> None:
    due = DueDates(moment("2026-12-01"), {VIEW: DUE, CAT: None})
    late = HandedIn(DUE + timedelta(hours=30), SaidBy.NBGRADER)
    marked = HandedIn(None, SaidBy.CANVAS, marked_late=True)
    with Gradebook.open(tmp_path / "out") as book:
        assert (book.due, book.policy, book.command) == (DueDates(), LatePolicy(), ())
        assert not book.due
        book.due, book.policy, book.command = due, LatePolicy(0.1), ("the class", "--pack", "ß")
        paths = {f"s01/{VIEW}.py": late, f"s02/{VIEW}.py": marked}
        found = [("k1", submission()), ("k2", submission("s02")), ("k3", submission("s03"))]
        book.begin_run(INFO, found, late=frozenset({f"s02/{VIEW}.py"}), handed_in=paths)
        book.record_many([("k1", made()), ("k2", made(5.0, student="s02"))])
        book.adjust("s01", VIEW, 0.5, "r")
        book.adjust("s03", CAT, 2.0, "r")
    with Gradebook.open(tmp_path / "out", create=False, write=False) as book:
        assert (book.due, book.policy, book.command) == (due, LatePolicy(0.1), ("the class", "--pack", "ß"))
        found_again = book.results()
        assert found_again.handed_in == {("s01", VIEW): late, ("s02", VIEW): marked}
        assert (found_again.due, found_again.policy) == (due, LatePolicy(0.1))
        grade = book.grade("s01", VIEW)
        assert (grade.days_late, grade.due, grade.possible) == (2, DUE, 5.0)
        assert grade.score == pytest.approx(4 * 0.8 + 0.5)
        assert book.grade("s02", VIEW).score == pytest.approx(4.5)
        assert book.grade("s03", CAT).score == 2.0
        assert book.grade("s03", VIEW).possible == 5.0
        assert book.grade("s03", VIEW).handed_in is None
        assert book.students() == ("s01", "s02", "s03")
        assert book.exercises() == (CAT, VIEW)


VERSION_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, finished TEXT, seed TEXT NOT NULL,
    grader TEXT NOT NULL, python TEXT NOT NULL, torch TEXT NOT NULL, device TEXT NOT NULL,
    confinement TEXT NOT NULL
);
CREATE TABLE students (student TEXT PRIMARY KEY, platform_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE submissions (
    student TEXT NOT NULL, exercise TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
    key TEXT NOT NULL, late INTEGER NOT NULL,
    PRIMARY KEY (student, exercise)
) WITHOUT ROWID;
CREATE TABLE unreadable (id INTEGER PRIMARY KEY, path TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs (id), recorded TEXT NOT NULL, key TEXT NOT NULL,
    student TEXT NOT NULL, exercise TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
    status TEXT NOT NULL, score REAL, max_score REAL NOT NULL, seed TEXT NOT NULL, device TEXT NOT NULL,
    confinement TEXT NOT NULL, torch TEXT NOT NULL, seconds REAL NOT NULL, note TEXT NOT NULL,
    stages TEXT NOT NULL
);
CREATE INDEX attempts_by_key ON attempts (student, exercise, key);
CREATE TABLE checks (
    attempt INTEGER NOT NULL REFERENCES attempts (id), place INTEGER NOT NULL, id TEXT NOT NULL,
    title TEXT NOT NULL, status TEXT NOT NULL, points REAL NOT NULL, max_points REAL NOT NULL,
    message TEXT NOT NULL, misconception TEXT, "where" TEXT NOT NULL, traceback TEXT NOT NULL,
    printed TEXT NOT NULL, given TEXT NOT NULL, counts INTEGER NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (attempt, place)
) WITHOUT ROWID;
CREATE TABLE adjustments (
    id INTEGER PRIMARY KEY, student TEXT NOT NULL, exercise TEXT NOT NULL, points REAL NOT NULL,
    reason TEXT NOT NULL, made TEXT NOT NULL
);
CREATE VIEW latest AS SELECT student, exercise, path, late, coalesce(
    (SELECT max(id) FROM attempts a WHERE a.student = s.student AND a.exercise = s.exercise AND a.key = s.key
        AND a.status <> 'internal_error'),
    (SELECT max(id) FROM attempts a WHERE a.student = s.student AND a.exercise = s.exercise AND a.key = s.key)
) AS attempt FROM submissions s;
INSERT INTO meta VALUES ('created', '2026-05-04T12:00:00+00:00'), ('seed', '7');
INSERT INTO runs VALUES (1, '2026-05-04T12:00:00+00:00', '2026-05-04T12:01:00+00:00', '7', '0.1.0', '3.11', '2.15.0',
    'cpu', 'full');
INSERT INTO students VALUES ('s01', ''), ('s02', '4711');
INSERT INTO submissions VALUES ('s01', '05_view_vs_reshape', 's01/05.py', 'bb', 'k2', 0),
    ('s02', '05_view_vs_reshape', 's02_LATE_4711_1_05.py', 'cc', 'k3', 1);
INSERT INTO unreadable VALUES (1, 's03/x.doc', 'No.');
INSERT INTO attempts VALUES
    (4, 1, '2026-05-04T12:00:10+00:00', 'k1', 's01', '05_view_vs_reshape', 's01/05.py', 'aa', 'failed', 1.0, 5.0,
     '18446744073709551615', 'cpu', 'full', '2.15.0', 0.5, 'a note', '{}'),
    (7, 1, '2026-05-04T12:00:20+00:00', 'k2', 's01', '05_view_vs_reshape', 's01/05.py', 'bb', 'passed', 5.0, 5.0,
     '7', 'cpu', 'full', '2.15.0', 0.5, '', '{"fork": 0.1}');
INSERT INTO checks VALUES
    (4, 0, 'test_a', 'A', 'failed', 1.0, 5.0, 'no', 'slug', 'line 7', '', 'out', 'x=1', 1, 0.1),
    (7, 0, 'test_a', 'A', 'passed', 5.0, 5.0, '', NULL, '', '', '', '', 1, 0.1);
INSERT INTO adjustments VALUES (3, 's01', '05_view_vs_reshape', 1.5, 'because', '2026-05-05T08:00:00+00:00');
"""


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    """A gradebook as version 1 wrote it."""
    out = tmp_path / "out"
    out.mkdir()
    with sqlite3.connect(out / "gradebook.db") as db:
        db.executescript(f"BEGIN; {VERSION_1} PRAGMA user_version = 1; PRAGMA application_id = {0x41676264}; COMMIT;")
    db.close()
    return out


def schema(out: Path) -> dict[str, object]:
    """Everything that decides how a gradebook is read and written."""
    with sqlite3.connect(out / "gradebook.db") as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")]
        found: dict[str, object] = {name: db.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
        found |= {f"{name} refers": db.execute(f"PRAGMA foreign_key_list({name})").fetchall() for name in names}
        found |= dict(db.execute("SELECT 'sql of ' || name, sql FROM sqlite_master WHERE type IN ('view', 'index')"))
        found["version"] = db.execute("PRAGMA user_version").fetchone()
        found["kind"] = db.execute("PRAGMA application_id").fetchone()
    db.close()
    return found


def test_a_gradebook_of_version_1_is_brought_up_to_date(version_1: Path, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="learn grade"):
        Gradebook.open(version_1, create=False, write=False)
    with Gradebook.open(version_1) as book:
        found = book.results()
        assert [(one.student, one.sha256, one.score, len(one.checks)) for one in found.attempts] == [
            ("s01", "bb", 5.0, 1)
        ]
        assert found.pending == (("s02", VIEW),)
        assert found.late == {("s02", VIEW)}
        assert found.handed_in == {}
        assert found.platform_ids == {"s02": "4711"}
        assert found.adjustments == (Adjustment("s01", VIEW, 1.5, "because", "2026-05-05T08:00:00+00:00"),)
        assert book.seed == 7
        assert [(one.sha256, one.seed, one.note) for one in book.history("s01", VIEW)] == [
            ("aa", 2**64 - 1, "a note"),
            ("bb", 7, ""),
        ]
        old = book.fresh("k1", "s01", VIEW)
        assert old is not None
        assert old.checks[0].misconception == "slug"
        book.record_many([("k3", made(student="s02"))])
        assert book.pending() == set()
    Gradebook.open(tmp_path / "new").close()
    assert schema(version_1) == schema(tmp_path / "new")
    with sqlite3.connect(version_1 / "gradebook.db") as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    Gradebook.open(version_1, create=False, write=False).close()


def test_a_gradebook_that_cannot_be_brought_up_to_date_stays_as_it_was(version_1: Path) -> None:
    with sqlite3.connect(version_1 / "gradebook.db") as db:
        db.execute("CREATE TABLE attempts_kept (x)")  # somebody else's, in the way of a later step
    db.close()
    before = schema(version_1)
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        Gradebook.open(version_1)
    assert schema(version_1) == before
    with sqlite3.connect(version_1 / "gradebook.db") as db:
        db.execute("DROP TABLE attempts_kept")
        assert db.execute("SELECT count(*) FROM attempts").fetchone() == (2,)
    db.close()
    with Gradebook.open(version_1) as book:  # the lock was given back
        assert len(book.history()) == 2


def test_the_history_says_why(tmp_path: Path) -> None:
    def run(info: RunInfo, key: str, attempt: Attempt) -> None:
        book.begin_run(info, [(key, submission(sha256=attempt.sha256))])
        book.record_many([(key, attempt)])

    with Gradebook.open(tmp_path / "out") as book:
        run(INFO, "k1", made(1.0, sha256="old"))
        run(replace(INFO, seed=8), "k2", replace(made(2.0), seed=8))
        run(replace(INFO, grader="0.0.9"), "k3", made(2.0))
        run(replace(INFO, confinement="landlock+seccomp"), "k4", made(2.0))
        run(INFO, "k5", made(2.0))
        run(INFO, "k6", OURS)
        run(INFO, "k6", made(3.0))
        run(INFO, "k6", made(4.0))
        assert [past.superseded for past in book.history("s01", VIEW)] == [
            Superseded.FILE,
            Superseded.SEED,
            Superseded.ENGINE,
            Superseded.MACHINE,
            Superseded.EXERCISE,
            Superseded.OURS,
            Superseded.AGAIN,
            None,
        ]
        # Back to what was there before: the attempt of then counts again.
        book.begin_run(INFO, [("k1", submission(sha256="old"))])
        whys = [past.superseded for past in book.history("s01")]
        assert whys[0] is None
        assert whys[1] is Superseded.FILE
        book.begin_run(INFO, [("k9", submission(sha256="old"))])
        assert book.history()[0].superseded is Superseded.UNKNOWN
        book.begin_run(INFO, [])
        assert {past.superseded for past in book.history()} == {Superseded.GONE}
    assert all(why.words for why in Superseded)


def test_the_history_of_a_class_is_one_question(tmp_path: Path) -> None:
    with Gradebook.open(tmp_path / "out") as book:
        exercises = [f"{number:02}_x" for number in range(7)]
        everything = [(f"s{number:03}", exercise) for number in range(300) for exercise in exercises]
        for run in ("a", "b", "c"):
            book.begin_run(INFO, [(run, submission(*who, sha256=run)) for who in everything])
            book.record_many([(run, made(4.0, 5.0, *who, sha256=run)) for who in everything])
        asked: list[str] = []
        book._db.set_trace_callback(asked.append)
        started = time.perf_counter()
        pasts = book.history()
        seconds = time.perf_counter() - started
        book._db.set_trace_callback(None)
    assert len([one for one in asked if one.startswith("SELECT")]) == 1
    assert len(pasts) == 6300
    assert sum(past.counts for past in pasts) == 2100
    # Some 0.1 s; a question for each attempt, or one without its index, takes many times that.
    assert seconds < 5


# -- reports ----------------------------------------------------------------------------------------------


def class_of(**changes: object) -> Results:
    attempts = (made(), made(5.0, student="s02"), replace(OURS, student="s03"))
    base = Results(
        attempts=attempts,
        exercises=(),
        students=("s01", "s02", "s03"),
        unreadable=(),
        grader="0.1.0",
        torch="2.15.0",
        device="cpu",
        confinement="full",
        seed=7,
        created=DUE,
        due=DueDates(DUE),
        policy=LatePolicy(0.1),
        handed_in={(name, VIEW): HandedIn(DUE + timedelta(hours=25), SaidBy.ARCHIVE) for name in ("s01", "s03")},
        adjustments=(given(0.5), given(1.0, "s02", CAT), given(9.0, "s03"), given(2.0, "gone")),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_every_pair_has_a_grade_and_the_sums_are_of_grades() -> None:
    results = class_of()
    assert results.everyone == ("s01", "s02", "s03", "gone")
    assert results.exercise_names == (CAT, VIEW)
    grade = results.grade("s01", VIEW)
    assert (grade.days_late, grade.due, grade.possible) == (2, DUE, 5.0)
    assert grade.score == pytest.approx(4 * 0.8 + 0.5)
    assert grade.handed_in == HandedIn(DUE + timedelta(hours=25), SaidBy.ARCHIVE)
    assert results.grade("s02", VIEW).score == 5.0
    assert results.grade("s02", CAT).score == 1.0
    assert results.grade("s01", CAT).score == 0.0
    assert results.grade("s03", VIEW).score is None
    assert [(one.student, one.days_late) for one in results.late] == [("s01", 2), ("s03", 2)]
    totals = {name: standing.total for name, standing in results.standings.items()}
    assert totals == {"s01": pytest.approx(3.7), "s02": 6.0, "s03": None, "gone": 2.0}
    assert results.standings["s02"].missing == (CAT,)


def test_csv_holds_grades() -> None:
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(to_csv.as_csv(class_of())))}
    assert (rows["s01"][VIEW], rows["s01"]["total"], rows["s01"][CAT]) == ("3.7", "3.7", "")
    assert (rows["s02"][VIEW], rows["s02"][CAT], rows["s02"]["total"]) == ("5", "1", "6")
    assert rows["s02"]["not_handed_in"] == CAT
    assert (rows["s03"][VIEW], rows["s03"]["total"], rows["s03"]["needs_regrading"]) == ("", "", VIEW)
    assert (rows["gone"][VIEW], rows["gone"]["total"]) == ("2", "2")


def test_json_keeps_the_attempts_score_and_adds_the_grade() -> None:
    told = json.loads("".join(to_json.lines(class_of())))
    first = told["submissions"][0]
    assert first["score"] == 4.0
    assert first["grade"] == {
        "score": 3.7,
        "days_late": 2,
        "penalty": 0.8,
        "adjustments": [{"points": 0.5, "reason": "a reason", "made": "2026-12-05T10:00:00+00:00"}],
        "handed_in": {"at": "2026-12-02T19:00:00+00:00", "said_by": "archive", "marked_late": False},
    }
    assert told["submissions"][2]["grade"]["score"] is None
    assert told["due"] == dict.fromkeys(NAMES, "2026-12-01T18:00:00+00:00")
    assert told["late"] == "10%"
    others = [(one["student"], one["exercise"], one["grade"]["score"]) for one in told["adjusted_without_submission"]]
    assert others == [("s02", CAT, 1.0), ("gone", VIEW, 2.0)]


def test_without_a_due_date_times_change_nothing() -> None:
    there, elsewhere = class_of(due=DueDates()), class_of(due=DueDates(), handed_in={})
    assert list(to_json.lines(there)) == list(to_json.lines(elsewhere))
    assert not there.late


def test_the_history_is_asked_for_once_and_only_when_it_is_shown(tmp_path: Path) -> None:
    with Gradebook.open(tmp_path / "out") as book:
        book.begin_run(INFO, [("k", submission())])
        book.record_many([("k", made())])
        pasts = book.history()
    asked = []

    def histories() -> dict[tuple[str, str], tuple[object, ...]]:
        asked.append(1)
        return {("s01", VIEW): pasts}

    results = class_of(histories=histories)
    to_csv.as_csv(results)
    assert asked == []
    assert [past.sha256 for past in results.history("s01", VIEW)] == ["aa"]
    assert results.history("s02", VIEW) == ()
    assert asked == [1]


# -- the commands -----------------------------------------------------------------------------------------


def learn(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


class Course:
    """A class of three that answers the made-up exercise, graded by the real command."""

    def __init__(self, base: Path, pack: Path) -> None:
        self.place, self.out = base / "class", base / "out"
        self.pack = shutil.copytree(pack, base / "pack")
        right = (pack / "solutions/01_probe.py").read_text()
        wrong = (pack / "exercises/01_probe/wrong/add.py").read_text()
        lay(self.place, {"ada/01_probe.py": right, "bo/01_probe.py": wrong}, DUE - timedelta(hours=1))
        lay(self.place, {"cy/01_probe.py": right}, DUE + timedelta(hours=25))

    def grade(self, *words: object) -> Result:
        done = learn(
            "grade", self.place, "-o", self.out, "--pack", self.pack, "--format", "json,csv", "--jobs", 1, *words
        )
        assert done.exit_code == 0, done.output
        return done

    def json(self) -> dict[str, dict[str, object]]:
        told = json.loads((self.out / "results.json").read_text())
        return {one["student"]: one for one in told["submissions"]}

    def totals(self) -> dict[str, float]:
        text = (self.out / "grades.csv").read_text("utf-8-sig")
        return {row["student"]: float(row["total"]) for row in csv.DictReader(io.StringIO(text))}

    def stored(self) -> list[tuple[object, ...]]:
        """The attempts with their checks, as they lie in the file."""
        with sqlite3.connect(self.out / "gradebook.db") as db:
            rows = db.execute("SELECT * FROM attempts ORDER BY id").fetchall()
            rows += db.execute("SELECT * FROM checks ORDER BY attempt, place").fetchall()
        db.close()
        return rows


@pytest.fixture
def course(tmp_path: Path, probe_pack: Path) -> Course:
    return Course(tmp_path, probe_pack)


def test_a_policy_is_kept_changed_and_taken_back_and_judges_nothing_again(course: Course) -> None:
    told = course.grade("--due", DUE.isoformat(), "--late", "10%", "--seed", 3)
    assert "due 2026-12-01 18:00+00:00" in told.output
    assert "1 late, 1.2 points lost" in told.output
    assert "file's own date (1)" in told.output
    assert course.totals() == {"ada": 6.0, "bo": 2.0, "cy": 4.8}
    assert course.json()["cy"]["score"] == 6.0
    judged = course.stored()
    for words, cy in (
        ((), 4.8),
        (("--late", "zero"), 0.0),
        ((), 0.0),
        (("--due", f"01={(DUE + timedelta(hours=24)).isoformat()}", "--late", "25%"), 4.5),
        (("--due", DUE.isoformat(), "--due", "01=none"), 6.0),
        (("--due", DUE.isoformat()), 3.0),
        (("--late", "none"), 6.0),
        (("--late", "zero", "--due", "none"), 6.0),
    ):
        told = course.grade(*words)
        assert "3 submissions, 0 to judge" in told.output, words
        assert course.totals() == {"ada": 6.0, "bo": 2.0, "cy": cy}, words
        assert course.stored() == judged, words
    assert "no due date is set" in told.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--due", "soon"), "'soon' is no date"),
        (("--due", "2026-12-01", "--due", "2026-12-02"), "two dates"),
        (("--due", "01=2026-12-01", "--due", "probe=2026-12-02"), "01_probe twice"),
        (("--due", "77=2026-12-01"), "no exercise '77'"),
        (("--late", "ten"), "no late policy"),
    ],
)
def test_terms_that_mean_nothing_are_said_before_anything_is_done(
    course: Course, words: tuple[str, ...], said: str
) -> None:
    told = learn("grade", course.place, "-o", course.out, "--pack", course.pack, *words)
    assert told.exit_code == 2
    assert said in told.output
    assert not course.out.exists()


def test_a_mark_of_canvas_counts_a_day(course: Course) -> None:
    flat = course.place.with_name("canvas")
    flat.mkdir()
    for name, file in (("ada", "ada_LATE_1_2_01_probe.py"), ("bo", "bo_3_4_01_probe.py")):
        shutil.copy2(course.place / f"{name}/01_probe.py", flat / file)
    course.place = flat
    told = course.grade("--late", "50%", "--due", "2020-01-01")  # the files' own dates are after that
    assert "Canvas's mark in the file name (1)" in told.output
    assert course.totals() == {"ada": 3.0, "bo": 2.0}


def test_an_adjustment_survives_every_regrade(course: Course) -> None:
    course.grade("--seed", 3, "--due", DUE.isoformat(), "--late", "10%")
    before = course.stored()
    told = learn("adjust", course.out, "bo", "01", "+1.5", "--reason", "The text was unclear")
    assert told.exit_code == 0, told.output
    assert "was 2 and is now 3.5 of 6" in told.output
    assert "learn grade" in told.output
    assert course.totals()["bo"] == 2.0  # a report is not written by it
    told = learn("adjust", course.out, "cy", "probe", "-2", "--reason", "Copied from ada")
    assert "was 4.8 and is now 2.8 of 6" in told.output
    assert course.stored() == before
    expected = {"ada": 6.0, "bo": 3.5, "cy": 2.8}

    # The command that it names writes the reports again and judges nothing.
    words = told.output.strip().splitlines()[-1].split()
    assert words[:2] == ["learn", "grade"]
    again = subprocess.run(
        [sys.executable, "-m", "grader.cli", *words[1:]], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "0 to judge" in again.stderr
    assert "2 adjustments by hand are counted in" in again.stdout
    assert course.totals() == expected

    for change in (("--no-resume",), ("--seed", 4)):
        assert "3 submissions, 3 to judge" in course.grade(*change).output
        assert course.totals() == expected
    lay(course.place, {"bo/01_probe.py": (course.pack / "solutions/01_probe.py").read_text()}, DUE)
    assert "3 submissions, 1 to judge" in course.grade().output
    assert course.totals() == {**expected, "bo": 7.5}
    assert course.json()["bo"]["score"] == 6.0
    with Gradebook.open(course.out, create=False, write=False) as book:
        assert [one.points for one in book.adjustments()] == [1.5, -2.0]


def test_points_for_what_was_not_handed_in(course: Course) -> None:
    (course.place / "dee").mkdir()
    course.grade("--due", "2026-12-01", "--late", "zero")
    told = learn("adjust", course.out, "dee", "1", "4", "--reason", "Shown in the exam")
    assert "was 0 and is now 4 of 6" in told.output
    course.grade()
    assert course.totals()["dee"] == 4.0
    told = json.loads((course.out / "results.json").read_text())
    assert [one["student"] for one in told["adjusted_without_submission"]] == ["dee"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "01", "1", "--reason", "r"), "Near are ada"),
        (("ada", "10_prob", "1", "--reason", "r"), "Near are 01_probe"),
        (("ada", "02", "1", "--reason", "r"), "Known are 01_probe"),
        (("ada", "01", "nan", "--reason", "r"), "a number other than 0"),
        (("ada", "01", "0", "--reason", "r"), "a number other than 0"),
        (("ada", "01", "much", "--reason", "r"), "'much' is no number"),
        (("ada", "01", "1", "--reason", "  "), "needs a reason"),
        (("ada", "01", "1"), "--reason"),
        (("ada", "01", "-1", "--raeson", "r"), "--reason"),
        (("ada", "01", "-1", "--reason", "r", "--qiet"), "unexpected extra argument"),
    ],
)
def test_an_adjustment_that_means_nothing(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    out = tmp_path / "out"
    with Gradebook.open(out) as book:
        book.begin_run(INFO, [("k", submission("ada", "01_probe"))])
    told = learn("adjust", out, *words)
    assert told.exit_code == 2
    assert said in told.output
    assert "Traceback" not in told.output
    with Gradebook.open(out) as book:
        assert book.adjustments() == ()


@pytest.mark.parametrize(("typed", "points"), [("+1.5", 1.5), ("-2", -2.0), ("-.5", -0.5), ("−1", -1.0), ("1e-1", 0.1)])
def test_points_as_people_write_them(tmp_path: Path, typed: str, points: float) -> None:
    out = tmp_path / "out"
    with Gradebook.open(out) as book:
        book.begin_run(INFO, [("k", submission("Ada L", "01_probe"))])
        book.record_many([("k", made(3.0, 5.0, "Ada L", "01_probe"))])
    told = learn("adjust", out, "ada l", "01", typed, "--reason", "-- \x1b[31m why")
    assert told.exit_code == 0, told.output
    assert "\x1b" not in told.output
    assert "the same `learn grade`" in told.output
    with Gradebook.open(out) as book:
        assert [(one.student, one.exercise, one.points) for one in book.adjustments()] == [
            ("Ada L", "01_probe", points)
        ]


def test_the_history_tells_everything(course: Course) -> None:
    course.grade("--seed", 3)
    learn("adjust", course.out, "bo", "01", "-0.5", "--reason", "First [bold]reason[/bold]")
    course.grade("--seed", 4)
    checks = course.pack / "exercises/01_probe/checks.py"
    checks.write_text(checks.read_text() + "\n# changed\n")
    course.grade()
    lay(course.place, {"bo/01_probe.py": (course.pack / "solutions/01_probe.py").read_text()})
    course.grade()
    (told,) = json.loads(learn("history", course.out, "bo", "--json").output)
    assert [(one["seed"], one["superseded"]) for one in told["attempts"]] == [
        (3, "file"), (4, "file"), (4, "file"), (4, None),
    ]  # fmt: skip
    assert [one["points"] for one in told["grade"]["adjustments"]] == [-0.5]
    (told,) = json.loads(learn("history", course.out, "ada", "01", "--json").output)
    assert [one["superseded"] for one in told["attempts"]] == ["seed", "exercise", None]
    assert told["attempts"][-1]["sha256"] == course.json()["ada"]["sha256"]
    shown = CliRunner(env={"COLUMNS": "200"}).invoke(cli, ["history", str(course.out), "bo"])
    assert shown.exit_code == 0, shown.output
    for words in ("superseded: the file changed", "counts", "by hand: First [bold]reason[/bold]", "Grade: 5.5 of 6"):
        assert words in shown.output
    assert course.json()["bo"]["sha256"][:10] in shown.output
    # Between the attempt before it and the one after.
    lines = [line for line in shown.output.splitlines() if "of 6 " in line or "by hand" in line]
    assert [("by hand" in line) for line in lines[:3]] == [False, True, False]


def test_a_history_that_is_not_there(tmp_path: Path) -> None:
    told = learn("history", tmp_path / "nowhere", "ada")
    assert told.exit_code == 2
    assert "holds no gradebook" in told.output
    with Gradebook.open(tmp_path / "out") as book:
        book.begin_run(INFO, [], students=["ada"])
    assert "Nothing of ada" in learn("history", tmp_path / "out", "ada").output
    told = learn("history", tmp_path / "out", "adam")
    assert told.exit_code == 2
    assert "Near are ada" in told.output


@pytest.mark.parametrize("words", [["history", "OUT", "s01"], ["adjust", "OUT", "s01", "05", "-1", "--reason", "r"]])
def test_what_judges_nothing_needs_no_torch(tmp_path: Path, words: list[str]) -> None:
    out = tmp_path / "out"
    with Gradebook.open(out) as book:
        book.begin_run(INFO, [("k", submission())])
        book.record_many([("k", made())])
    code = (
        "import sys; from click.testing import CliRunner; from grader.cli import cli\n"
        "told = CliRunner().invoke(cli, sys.argv[1:])\n"
        "assert told.exit_code == 0, told.output\n"
        "assert not {'torch', 'numpy', 'pytest', 'nbformat'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code, *(str(out) if word == "OUT" else word for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
