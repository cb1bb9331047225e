"""The gradebook of a class: `OUT/gradebook.db`, an SQLite file that keeps every attempt.

Who may write: one process, which holds the lock on `OUT/.gradebook.lock`. Others may read at any time.

What it holds:

    meta          seed, creation, due dates, late policy, how the last run was asked for
    runs          one row for each `learn grade`
    students      \\
    submissions    } what lies in SUBMISSIONS now, as the last run found it, and when it was handed in
    unreadable    /
    attempts      every submission that was ever graded, with its staleness key; never changed or removed
    checks        what each check said in an attempt
    adjustments   points that a person gave or took, with the reason; kept apart, so that a regrade keeps them
    latest        (a view) the attempt that counts for each row of `submissions`

Points, lateness and adjustments are put together when grades are derived, never in what is stored.

The journal is SQLite's ordinary one and not a write-ahead log, because OUT may lie on a network disk. Attempts
are recorded in small transactions: a run that is killed loses what it was just grading and nothing else.

A gradebook of an earlier version is brought up to date when it is opened to be written to (`_UPGRADES`).
"""

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import BadFile
from grader.core.grade import Adjustment, DueDates, Grade, LatePolicy, days_late
from grader.core.history import Past, Superseded
from grader.core.submission import HandedIn, SaidBy, Submission, Unreadable
from grader.core.verdict import Verdict
from grader.ledger.lock import Lock, Taken

FILE = "gradebook.db"
_LOCK = ".gradebook.lock"
_NEW = f"{FILE}.new"
_OURS = 0x41676264
""" "Agbd": says in the file's header that it is a gradebook of ours. nbgrader's has the same name."""
_VERSION = 2

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, finished TEXT, seed TEXT NOT NULL,
    grader TEXT NOT NULL, python TEXT NOT NULL, torch TEXT NOT NULL, device TEXT NOT NULL,
    confinement TEXT NOT NULL
);

CREATE TABLE students (student TEXT PRIMARY KEY, platform_id TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE submissions (
    student TEXT NOT NULL, exercise TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
    key TEXT NOT NULL, late INTEGER NOT NULL, handed_in TEXT, said_by TEXT,
    PRIMARY KEY (student, exercise)
) WITHOUT ROWID;

CREATE TABLE unreadable (id INTEGER PRIMARY KEY, path TEXT NOT NULL, reason TEXT NOT NULL);

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs (id), recorded TEXT NOT NULL, key TEXT NOT NULL,
    student TEXT NOT NULL, exercise TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
    status TEXT NOT NULL, score REAL, max_score REAL NOT NULL, seed TEXT NOT NULL, device TEXT NOT NULL,
    confinement TEXT NOT NULL, torch TEXT NOT NULL, seconds REAL NOT NULL, note TEXT NOT NULL
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

-- The last attempt at the answer that was handed in, by today's checks. One that failed through our own fault
-- counts only where there is no other.
CREATE VIEW latest AS SELECT student, exercise, path, late, coalesce(
    (SELECT max(id) FROM attempts a WHERE a.student = s.student AND a.exercise = s.exercise AND a.key = s.key
        AND a.status <> 'internal_error'),
    (SELECT max(id) FROM attempts a WHERE a.student = s.student AND a.exercise = s.exercise AND a.key = s.key)
) AS attempt FROM submissions s;
"""

_UPGRADES = {
    # When answers were handed in is noted; the seconds by stage, which nobody wrote, go. A column is dropped by making
    # its table again: SQLite knows DROP COLUMN only from 3.35 on.
    1: """
ALTER TABLE submissions ADD COLUMN handed_in TEXT;
ALTER TABLE submissions ADD COLUMN said_by TEXT;
DROP VIEW latest;
CREATE TABLE attempts_kept (
    id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs (id), recorded TEXT NOT NULL, key TEXT NOT NULL,
    student TEXT NOT NULL, exercise TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
    status TEXT NOT NULL, score REAL, max_score REAL NOT NULL, seed TEXT NOT NULL, device TEXT NOT NULL,
    confinement TEXT NOT NULL, torch TEXT NOT NULL, seconds REAL NOT NULL, note TEXT NOT NULL
);
INSERT INTO attempts_kept SELECT id, run, recorded, key, student, exercise, path, sha256, status, score, max_score,
    seed, device, confinement, torch, seconds, note FROM attempts;
DROP TABLE attempts;
ALTER TABLE attempts_kept RENAME TO attempts;
CREATE INDEX attempts_by_key ON attempts (student, exercise, key);
CREATE VIEW latest AS SELECT student, exercise, path, late, coalesce(
    (SELECT max(id) FROM attempts a WHERE a.student = s.student AND a.exercise = s.exercise AND a.key = s.key
        AND a.status <> 'internal_error'),
    (SELECT max(id) FROM attempts a WHERE a.student = s.student AND a.exercise = s.exercise AND a.key = s.key)
) AS attempt FROM submissions s;
""",
}
"""What makes the next version of each earlier one. The statements are those of their time and never change."""


@dataclass(frozen=True)
class RunInfo:
    """One `learn grade`. Times are ISO 8601 with the offset from UTC."""

    seed: int
    grader: str
    python: str
    torch: str
    device: str
    confinement: str
    started: str = ""
    finished: str | None = None
    """None while it runs, and for ever where it was killed."""


@dataclass(frozen=True)
class Results:
    """What the class handed in, graded, as of the last run."""

    info: RunInfo | None
    attempts: tuple[Attempt, ...]
    """By student and exercise; `path` is where the submission lies now."""
    unreadable: tuple[Unreadable, ...]
    students: tuple[str, ...]
    pending: tuple[tuple[str, str], ...] = ()
    """Student and exercise of what was not graded yet, because the run was stopped."""
    late: frozenset[tuple[str, str]] = frozenset()
    """Student and exercise of what was handed in late."""
    platform_ids: Mapping[str, str] = field(default_factory=dict)
    """What Canvas or Moodle calls a student."""
    adjustments: tuple[Adjustment, ...] = ()
    """The oldest first."""
    due: DueDates = field(default_factory=DueDates)
    policy: LatePolicy = field(default_factory=LatePolicy)
    handed_in: Mapping[tuple[str, str], HandedIn] = field(default_factory=dict)
    """By student and exercise; what nobody says the time of is left out."""


class Gradebook:
    """An open gradebook. A context manager: leaving it closes the file and gives the lock back."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: Lock | None) -> None:
        self.path = path
        self._db = connection
        self._lock = lock
        self._run: int | None = None

    @classmethod
    def open(cls, out: Path, *, create: bool = True, write: bool = True) -> Self:
        """The gradebook in the folder `out`.

        create  make the folder and the gradebook where there are none
        write   keep other writers out until it is closed; without it nothing can be changed
        """
        path = out / FILE
        lock = None
        try:
            if create and write:
                out.mkdir(parents=True, exist_ok=True)
            if not out.is_dir() or not (path.exists() or (create and write)):
                raise BadFile(f"{out} holds no gradebook. `learn grade SUBMISSIONS -o {out}` makes one.")
            _refuse_what_is_not_ours(out)
            lock = Lock(out / _LOCK) if write else None
            _refuse_what_is_not_ours(out)  # asked again, now that nobody else can change it
            if not path.exists():
                _create(out)
            return cls(path, _connect(path, write), lock)
        except Taken as holder:
            process = f" (process {holder})" if str(holder) else ""
            raise BadFile(
                f"Another `learn grade` is writing to {out}{process}. Wait for it, or name another folder with -o."
            ) from None
        except BaseException as error:
            if lock is not None:
                lock.release()
            if isinstance(error, OSError):
                raise BadFile(f"{out} can't be written to: {error.strerror or error}. Name another folder.") from error
            raise

    def close(self) -> None:
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def seed(self) -> int | None:
        """The seed of this gradebook: later runs keep to it, so that results stay fresh."""
        value = self._meta("seed")
        return None if value is None else int(value)

    @seed.setter
    def seed(self, value: int) -> None:
        self._set_meta("seed", str(value))

    @property
    def due(self) -> DueDates:
        """Until when answers are to be handed in."""
        with self._reading() as db:
            return _due(db)

    @due.setter
    def due(self, value: DueDates) -> None:
        self._set_meta("due", json.dumps(value.as_json()))

    @property
    def policy(self) -> LatePolicy:
        """What handing in late costs."""
        with self._reading() as db:
            return _policy(db)

    @policy.setter
    def policy(self, value: LatePolicy) -> None:
        self._set_meta("late", str(value))

    @property
    def command(self) -> tuple[str, ...]:
        """The words that the last `learn grade` was asked with; none where that was not noted."""
        return tuple(json.loads(self._meta("command") or "[]"))

    @command.setter
    def command(self, value: Sequence[str]) -> None:
        self._set_meta("command", json.dumps(list(value)))

    @property
    def created(self) -> str:
        return self._meta("created") or ""

    def begin_run(
        self,
        info: RunInfo,
        submissions: Iterable[tuple[str, Submission]],
        unreadable: Iterable[Unreadable] = (),
        students: Iterable[str] = (),
        late: frozenset[str] = frozenset(),
        platform_ids: Mapping[str, str] | None = None,
        handed_in: Mapping[str, HandedIn] | None = None,
    ) -> None:
        """Note what lies in SUBMISSIONS now: (staleness key, submission), the paths of what Canvas marked as late, and
        by path when it was handed in.

        What was withdrawn is no longer in the results, and stays in the history.
        """
        ids = dict(platform_ids or {})
        times = dict(handed_in or {})
        found = list(submissions)
        everyone = {*students, *(submission.student for _, submission in found)}
        with self._transaction() as db:
            for table in ("students", "submissions", "unreadable"):
                db.execute(f"DELETE FROM {table}")
            db.executemany(
                "INSERT INTO students VALUES (?, ?)",
                ((_stored(one), _stored(ids.get(one, ""))) for one in sorted(everyone)),
            )
            db.executemany(
                "INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        _stored(one.student),
                        one.exercise,
                        _stored(one.path),
                        one.sha256,
                        key,
                        one.path in late,
                        *_stored_time(times.get(one.path)),
                    )
                    for key, one in found
                ),
            )
            db.executemany(
                "INSERT INTO unreadable (path, reason) VALUES (?, ?)",
                ((_stored(one.path), _stored(one.reason)) for one in unreadable),
            )
            row = {name: getattr(info, name) for name in _RUN}
            self._run = _insert(db, "runs", row | {"seed": str(info.seed), "started": info.started or _now()})

    def finish_run(self) -> None:
        """Note that everything of the run that was begun is graded."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET finished = ? WHERE id = ?", (_now(), self._run))

    def record_many(self, attempts: Iterable[tuple[str, Attempt]]) -> None:
        """Keep attempts with their staleness keys, all of them or none. Once this returns they are on the disk."""
        with self._transaction() as db:
            for key, attempt in attempts:
                row: dict[str, Any] = {
                    "run": self._run,
                    "recorded": _now(),
                    "key": key,
                    "status": attempt.status,
                    "score": attempt.score,
                    "max_score": attempt.max_score,
                }
                row |= {name: getattr(attempt, name) for name in _ATTEMPT}
                row["seed"] = str(attempt.seed)
                number = _insert(db, "attempts", row)
                said = (map(_stored, _check_row(check)) for check in attempt.checks)
                db.executemany(_INSERT_CHECK, [(number, place, *values) for place, values in enumerate(said)])

    def fresh(self, key: str, student: str, exercise: str) -> Attempt | None:
        """The stored attempt that may stand in for grading again; never one that failed through our own fault."""
        with self._reading() as db:
            (number,) = db.execute(
                "SELECT max(id) FROM attempts WHERE student = ? AND exercise = ? AND key = ? AND status <> ?",
                (_stored(student), exercise, key, str(Verdict.INTERNAL_ERROR)),
            ).fetchone()
            return _load(db, "id = ?", number)[number] if number is not None else None

    def pending(self) -> set[tuple[str, str]]:
        """Student and exercise of everything that must be graded: never yet, stale, or failed by our own fault."""
        with self._reading() as db:
            return set(
                db.execute(
                    "SELECT l.student, l.exercise FROM latest l LEFT JOIN attempts a ON a.id = l.attempt"
                    " WHERE a.id IS NULL OR a.status = ?",
                    (str(Verdict.INTERNAL_ERROR),),
                )
            )

    def results(self) -> Results:
        """What the last run found in SUBMISSIONS, with the attempt that counts for each."""
        with self._reading() as db:
            found = _load(db, "id IN (SELECT attempt FROM latest)")
            latest = db.execute(
                "SELECT student, exercise, path, late, attempt FROM latest ORDER BY student, exercise"
            ).fetchall()
            students = db.execute("SELECT student, platform_id FROM students ORDER BY student").fetchall()
            unreadable = db.execute("SELECT path, reason FROM unreadable ORDER BY id").fetchall()
            run = db.execute(f"SELECT {_columns(_RUN)} FROM runs ORDER BY id DESC LIMIT 1").fetchone()
            times = db.execute(
                "SELECT student, exercise, handed_in, said_by, late FROM submissions WHERE said_by IS NOT NULL"
            ).fetchall()
            return Results(
                RunInfo(**(dict(zip(_RUN, run, strict=True)) | {"seed": int(run[0])})) if run else None,
                # Where the file lies now; it may have been moved since it was graded.
                tuple(replace(found[row[4]], path=row[2]) for row in latest if row[4] is not None),
                tuple(Unreadable(path, reason) for path, reason in unreadable),
                tuple(student for student, _ in students),
                tuple((row[0], row[1]) for row in latest if row[4] is None),
                frozenset((row[0], row[1]) for row in latest if row[3]),
                {student: platform_id for student, platform_id in students if platform_id},
                _adjustments(db),
                _due(db),
                _policy(db),
                {(student, exercise): _handed_in(*time) for student, exercise, *time in times},
            )

    def history(self, student: str | None = None, exercise: str | None = None) -> tuple[Past, ...]:
        """Every attempt that was ever recorded, the oldest first; of one student or exercise where they are named."""
        with self._reading() as db:
            return _history(db, None if student is None else _stored(student), exercise)

    def students(self) -> tuple[str, ...]:
        """Everyone who was ever heard of."""
        return self._names("student", "students", "attempts", "adjustments")

    def exercises(self) -> tuple[str, ...]:
        """Every exercise that was ever handed in or given points for."""
        return self._names("exercise", "submissions", "attempts", "adjustments")

    def adjust(self, student: str, exercise: str, points: float, reason: str) -> None:
        """Give points beside those of the checks, or take them. Adjustments add up, and none is ever removed."""
        with self._transaction() as db:
            row = {"student": student, "exercise": exercise, "points": points, "reason": reason, "made": _now()}
            _insert(db, "adjustments", row)

    def grade(self, student: str, exercise: str) -> Grade:
        """One grade, as the reports of the next run will have it."""
        who = (_stored(student), exercise)
        pair = "student = ? AND exercise = ?"
        with self._reading() as db:
            found = _load(db, f"id = (SELECT attempt FROM latest WHERE {pair})", *who)
            attempt = next(iter(found.values()), None)
            time = db.execute(
                f"SELECT handed_in, said_by, late FROM submissions WHERE said_by IS NOT NULL AND {pair}", who
            ).fetchone()
            (others,) = db.execute("SELECT max(max_score) FROM attempts WHERE exercise = ?", (exercise,)).fetchone()
            due, policy = _due(db).of(exercise), _policy(db)
            adjustments = tuple(one for one in _adjustments(db) if (one.student, one.exercise) == who)
        settled = attempt is not None and attempt.status is not Verdict.INTERNAL_ERROR
        handed_in = _handed_in(*time) if time is not None and attempt is not None else None
        return Grade(
            student=student,
            exercise=exercise,
            attempt=attempt,
            # What others could earn, where this student's checks do not say it.
            possible=attempt.max_score if attempt is not None and settled else others or 0.0,
            days_late=days_late(due, handed_in),
            policy=policy,
            adjustments=adjustments,
            due=due,
            handed_in=handed_in,
        )

    def adjustments(self) -> tuple[Adjustment, ...]:
        """All of them, the oldest first."""
        with self._reading() as db:
            return _adjustments(db)

    def _names(self, column: str, *tables: str) -> tuple[str, ...]:
        asked = " UNION ".join(f"SELECT {column} FROM {table}" for table in tables)
        with self._reading() as db:
            return tuple(row[0] for row in db.execute(f"{asked} ORDER BY {column}"))

    def _set_meta(self, name: str, value: str) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, _stored(value)))

    def _meta(self, name: str) -> str | None:
        with self._reading() as db:
            return _value(db, name)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file, whoever writes to it meanwhile."""
        with _plainly(self.path):
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._end("COMMIT")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing."""
        with _plainly(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._end("ROLLBACK")
                raise

    def _end(self, how: str) -> None:
        # SQLite itself has rolled back after the worst errors (disk full, I/O error).
        if self._db.in_transaction:
            self._db.execute(how)


_RUN = ("seed", *(one.name for one in fields(RunInfo) if one.name != "seed"))
_CHECK = tuple(one.name for one in fields(CheckResult))
_ATTEMPT = tuple(one.name for one in fields(Attempt) if one.name != "checks")
_check_row = attrgetter(*_CHECK)


def _refuse_what_is_not_ours(out: Path) -> None:
    """Leave a folder alone that holds something else, be it only another program's gradebook.db."""
    path = out / FILE
    if path.exists():
        with open(path, "rb") as file:
            head = file.read(100)
        if not head.startswith(b"SQLite format 3\0") or head[68:72] != _OURS.to_bytes(4, "big"):
            raise BadFile(f"{path} is not a gradebook of Autogradebook. Name another folder with -o.")
    # Hidden files are the system's, or left by a run of ours that was killed.
    elif any(not one.name.startswith((".", FILE)) for one in out.iterdir()):
        raise BadFile(f"{out} holds other files and no gradebook. Name an empty folder or a new one with -o.")


def _create(out: Path) -> None:
    """Make the file under another name and move it into place: there is never half a gradebook."""
    new = out / _NEW
    # A journal that was left behind would be taken for one of the new file's.
    for leftover in (new, out / f"{_NEW}-journal", out / f"{FILE}-journal"):
        leftover.unlink(missing_ok=True)
    with _plainly(new), closing(sqlite3.connect(new, isolation_level=None)) as db:
        db.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        db.execute("INSERT INTO meta VALUES ('created', ?)", (_now(),))
        db.execute(f"PRAGMA user_version = {_VERSION}")
        db.execute(f"PRAGMA application_id = {_OURS}")
    os.replace(new, out / FILE)


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    with _plainly(path):
        db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        try:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version != _VERSION and version not in _UPGRADES:
                raise BadFile(f"{path} was written by another version of Autogradebook; update it, then go on.")
            if version != _VERSION and not write:
                raise BadFile(
                    f"{path} was written by an earlier version of Autogradebook. Run the same `learn grade` into its "
                    "folder again, which brings it up to date and judges nothing for that alone."
                )
            (fault,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if fault != "ok":
                raise BadFile(f"{path} {_SAID[sqlite3.SQLITE_CORRUPT]}")
            if version != _VERSION:
                _upgrade(db, version)
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA synchronous = NORMAL")
            if write:
                # Said now, and not after an hour of grading, where the file can't be written.
                db.execute("BEGIN IMMEDIATE")
                db.execute("ROLLBACK")
            else:
                db.execute("PRAGMA query_only = ON")
        except BaseException:
            db.close()
            raise
        return db


def _upgrade(db: sqlite3.Connection, version: int) -> None:
    """Bring an earlier version up to date: all of it or nothing. Foreign keys are not held to yet, as SQLite asks of
    whoever makes a table again.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        while version < _VERSION:
            for statement in _statements(_UPGRADES[version]):
                db.execute(statement)
            version += 1
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """One by one: `executescript` would end the transaction that they are in."""
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """Say what SQLite says in a sentence with the next step."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # The lowest byte is the kind of error, the others say more of it.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code not in _SAID:
            raise
        raise BadFile(f"{path} {_SAID[code]}") from error


_SAID = {
    sqlite3.SQLITE_FULL: "can't grow: the disk is full. What was graded is kept; make room and run the command again.",
    sqlite3.SQLITE_IOERR: "can't be read or written: the disk reports an error. What was graded is kept.",
    sqlite3.SQLITE_READONLY: "can't be written to. Give yourself the right to, or name another folder with -o.",
    sqlite3.SQLITE_PERM: "can't be written to. Give yourself the right to, or name another folder with -o.",
    sqlite3.SQLITE_CANTOPEN: "can't be opened. Look at the rights of the file and of its folder.",
    sqlite3.SQLITE_BUSY: "is in use by another program. Close that, then run the command again.",
    sqlite3.SQLITE_LOCKED: "is in use by another program. Close that, then run the command again.",
    sqlite3.SQLITE_CORRUPT: "is damaged. Move it away to keep it, and grade into a new folder with -o.",
    sqlite3.SQLITE_NOTADB: "is not a gradebook of Autogradebook. Name another folder with -o.",
}


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _stored(value: Any) -> Any:
    """A value as SQLite takes it: text must be Unicode without halves of characters."""
    if not isinstance(value, str) or (type(value) is str and value.isascii()):
        return value
    # Also of a text that is a word of an enumeration: a plain one.
    return str(value) if value.isascii() else str(value).encode("utf-8", "replace").decode()


def _columns(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> int | None:
    return db.execute(_insertion(table, row), [_stored(value) for value in row.values()]).lastrowid


def _insertion(table: str, columns: Collection[str]) -> str:
    return f"INSERT INTO {table} ({_columns(columns)}) VALUES ({', '.join('?' * len(columns))})"


_INSERT_CHECK = _insertion("checks", ("attempt", "place", *_CHECK))


def _stored_time(said: HandedIn | None) -> tuple[str | None, str | None]:
    if said is None:
        return None, None
    return (said.at.isoformat() if said.at else None), str(said.said_by)


def _handed_in(at: str | None, said_by: str, late: int) -> HandedIn:
    return HandedIn(datetime.fromisoformat(at) if at else None, SaidBy(said_by), bool(late))


def _value(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _due(db: sqlite3.Connection) -> DueDates:
    said = _value(db, "due")
    return DueDates() if said is None else DueDates.from_json(json.loads(said))


def _policy(db: sqlite3.Connection) -> LatePolicy:
    return LatePolicy.parse(_value(db, "late") or "none")


def _load(db: sqlite3.Connection, where: str, *values: Any) -> dict[int, Attempt]:
    """Attempts with their checks, by their numbers, the oldest first."""
    checks: dict[int, list[CheckResult]] = {}
    # A class says the same things again and again: each text is held once.
    texts: dict[str, str] = {}

    def once(value: Any) -> Any:
        return texts.setdefault(value, value) if isinstance(value, str) else value

    chosen = f"SELECT id FROM attempts WHERE {where}"
    for number, *said in db.execute(
        f"SELECT attempt, {_columns(_CHECK)} FROM checks WHERE attempt IN ({chosen}) ORDER BY attempt, place", values
    ):
        row = {name: once(value) for name, value in zip(_CHECK, said, strict=True)}
        row |= {"status": Verdict(row["status"]), "counts": bool(row["counts"])}
        checks.setdefault(number, []).append(CheckResult(**row))
    found = {}
    for number, *said in db.execute(f"SELECT id, {_columns(_ATTEMPT)} FROM attempts WHERE {where} ORDER BY id", values):
        row = dict(zip(_ATTEMPT, said, strict=True))
        row["seed"] = int(row["seed"])
        found[number] = Attempt(checks=tuple(checks.get(number, ())), **row)
    return found


_PAST = (
    "SELECT a.id, a.key, a.student, a.exercise, a.recorded, a.path, a.sha256, a.status, a.score, a.max_score, a.seed,"
    " coalesce(r.grader, '') AS grader, coalesce(r.python, '') AS python, a.torch,"
    " coalesce(r.device, a.device) AS device, coalesce(r.confinement, a.confinement) AS confinement, a.note,"
    " s.sha256 AS file_now, s.key AS key_now, l.attempt AS counting"
    " FROM attempts a LEFT JOIN runs r ON r.id = a.run"
    " LEFT JOIN submissions s ON s.student = a.student AND s.exercise = a.exercise"
    " LEFT JOIN latest l ON l.student = a.student AND l.exercise = a.exercise"
    " WHERE (:student IS NULL OR a.student = :student) AND (:exercise IS NULL OR a.exercise = :exercise)"
    " ORDER BY a.id"
)


def _history(db: sqlite3.Connection, student: str | None, exercise: str | None) -> tuple[Past, ...]:
    cursor = db.execute(_PAST, {"student": student, "exercise": exercise})
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    counting = {row["id"]: row for row in rows if row["id"] == row["counting"]}
    return tuple(
        Past(
            **{one.name: row[one.name] for one in fields(Past) if one.name in row}
            | {"status": Verdict(row["status"]), "seed": int(row["seed"])},
            superseded=_superseded(row, counting.get(row["counting"])),
        )
        for row in rows
    )


def _superseded(row: Mapping[str, Any], counting: Mapping[str, Any] | None) -> Superseded | None:
    """Why an attempt no longer counts, told from what the staleness key is made of. The digest of the exercise is not
    kept by itself: it is what is left where all else is the same.
    """
    if row is counting:
        return None
    told = (
        (Superseded.GONE, row["file_now"] is None),
        (Superseded.OURS, row["status"] == Verdict.INTERNAL_ERROR),
        (Superseded.FILE, row["sha256"] != row["file_now"]),
        (Superseded.AGAIN, row["key"] == row["key_now"]),
        (Superseded.UNKNOWN, counting is None),
        *((why, any(row[part] != (counting or row)[part] for part in parts)) for why, parts in _DECIDES.items()),
    )
    return next((why for why, holds in told if holds), Superseded.EXERCISE)


_DECIDES = {
    Superseded.SEED: ("seed",),
    Superseded.ENGINE: ("grader", "python", "torch"),
    Superseded.MACHINE: ("device", "confinement"),
}


def _adjustments(db: sqlite3.Connection) -> tuple[Adjustment, ...]:
    columns = [one.name for one in fields(Adjustment)]
    return tuple(Adjustment(*row) for row in db.execute(f"SELECT {_columns(columns)} FROM adjustments ORDER BY id"))
