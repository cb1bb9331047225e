"""Runs the corpus of hostile submissions against the real `learn grade`, and says what came of each.

    python -m tests.hostile_run                    the levels of this machine, a table for each
    python -m tests.hostile_run full --only net    one level, and only what has "net" in its name

A class is made of the attacks in `tests/hostile/*.py`, of those that must be made (`hostile_made.py`: archives,
links, names), of a right and a wrong control, and of honest students. `learn grade` grades it in a process of its
own while this one watches what an attack may not reach:

    canary      a folder that nobody may change, with a file for each attack
    connected   sockets on the loopback and in the file system that nobody may reach
    said        a word that an attack prints when it got what it must not have
    left        processes, and files in the temporary folder, that outlive the run
    tampered    the class, the pack, the gradebook, the files of the report
    shown       markup, formulas and terminal escapes that are not defused in what is written

An attack is text until then: the places it aims at stand in it as words between at signs, which are filled in when
its copy is written. Run by itself it aims at nothing.
"""

import argparse
import contextlib
import csv
import ctypes
import hashlib
import html.parser
import itertools
import json
import os
import re
import secrets
import selectors
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import hostile_made  # noqa: E402 - it lies beside this file, which is run as a script and imported by tests

HOSTILE = HERE / "hostile"
PROBE = "01_probe"
SEED = 7
WALL_SECONDS = 150.0
"""For one run of the whole corpus on two cores; each request may take 1.5 seconds, and several are under way."""
ATTACK_SECONDS = 25.0
NOBODY = 65534
STATUSES = {"failed", "error", "timeout", "crashed", "not_attempted"}
HARMS = {"canary", "connected", "said", "left", "tampered", "shown", "points"}


# ------------------------------------------------------------------------------------------------ the corpus


@dataclass(frozen=True)
class Attack:
    """One file of the corpus, with what its head says."""

    name: str
    source: str
    tries: str
    expect: frozenset[str]
    must_not: str
    exercise: str = PROBE


def read_attack(path: Path) -> Attack:
    """Raises ValueError where the head of a file does not say what it must."""
    source = path.read_text(encoding="utf-8")
    head = source.split('"""')[1]
    said = dict(re.findall(r"^(\w+): (.+)$", head, re.MULTILINE))
    try:
        attack = Attack(
            path.stem, source, said["tries"], frozenset(said["expect"].split()), said["must_not"],
            said.get("exercise", PROBE),
        )  # fmt: skip
    except KeyError as missing:
        raise ValueError(f"{path.name} does not say {missing}") from None
    if not attack.expect <= STATUSES or attack.must_not not in HARMS:
        raise ValueError(f"{path.name} expects a status, or names a harm, that there is not")
    return attack


def attacks(only: str = "") -> list[Attack]:
    return [read_attack(path) for path in sorted(HOSTILE.glob("*.py")) if only in path.stem]


def honest() -> dict[str, tuple[str, str]]:
    """(exercise, source) of those who must get full marks at every level, by student."""
    found = {}
    for path in [HOSTILE / "control/right.py", *sorted((HOSTILE / "honest").glob("*.py"))]:
        source = path.read_text(encoding="utf-8")
        exercise = re.search(r"^exercise: (\w+)$", source, re.MULTILINE)
        found[f"honest-{path.stem}"] = (exercise[1] if exercise else PROBE, source)
    return found


# ------------------------------------------------------------------------------------------------- the levels


@dataclass(frozen=True)
class Level:
    name: str
    bubblewrap: bool
    ordinary: bool
    """As a user without rights, where the tests run as root."""
    confinement: str


LEVELS = {
    level.name: level
    for level in (
        Level("full", True, False, "full"),
        Level("without-bubblewrap", False, False, "landlock+seccomp"),
        Level("ordinary-full", True, True, "full"),
        Level("ordinary-without-bubblewrap", False, True, "landlock+seccomp"),
    )
}


def unavailable(level: Level) -> str:  # noqa: PLR0911 - one for each reason
    """Why this level cannot be had here, or nothing."""
    from grader.flow import expected_confinement

    if sys.platform != "linux":
        return "only Linux confines"
    if level.bubblewrap and shutil.which("bwrap") is None:
        return "bwrap is not here: install the system package bubblewrap to run this test"
    if (there := expected_confinement(level.bubblewrap)) != level.confinement:
        return f"this machine confines with {there}, not with {level.confinement}"
    if not level.ordinary:
        return ""
    if os.getuid() != 0:
        return "the tests run as an ordinary user already"
    if shutil.which("setpriv") is None:
        return "only setpriv (util-linux) can run it as an ordinary user"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        trial = [sys.executable, "-c", "import grader.cli, torch._C; from grader.sandbox import confinement as c; "
                 f"assert c.probe().bwrap or not {level.bubblewrap}"]  # fmt: skip
        done = subprocess.run(
            [*_ordinary(Path(folder)), *trial], cwd="/", capture_output=True, text=True, check=False, env=_clean_env()
        )
    if done.returncode:
        return f"an ordinary user cannot use this Python: {done.stderr.strip()[-200:]}"
    return ""


def _ordinary(base: Path) -> list[str]:
    """In front of a command: run it as nobody.

    A Python beneath a home folder that only root may enter is made reachable in a mount namespace of the run's
    own: there the home is an empty folder with only the Python in it, and outside nothing changes.
    """
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    needed = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1], HERE.parent}
    closed: dict[Path, set[Path]] = {}
    for path in needed:
        for above in reversed(path.parents):
            if not above.stat().st_mode & 0o001:
                closed.setdefault(above, set()).add(path)
                break
    if not closed:
        return drop
    script = ["set -e"]
    for number, (folder, paths) in enumerate(closed.items()):
        kept = [(path, f"{base}/held{number}-{at}") for at, path in enumerate(sorted(paths))]
        for path, held in kept:
            script += [f"mkdir -p '{held}'", f"mount --bind '{path}' '{held}'"]
        script.append(f"mount -t tmpfs -o mode=0755 tmpfs '{folder}'")
        for path, held in kept:
            script += [f"mkdir -p '{path}'", f"mount --bind '{held}' '{path}'", f"umount '{held}'", f"rmdir '{held}'"]
    script.append('exec "$@"')
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(script), "sh", *drop]


def _clean_env() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LD_LIBRARY_PATH")}
    return {**kept, "PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": "1"}


# ------------------------------------------------------------------------------------- what nobody may reach


class Ear:
    """Listens on the loopback and on Unix sockets, and remembers what came."""

    def __init__(self, folder: Path, token: str) -> None:
        self.heard: list[str] = []
        self._choose = selectors.DefaultSelector()
        self._open: list[socket.socket] = []
        tcp = self._listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.port = int(tcp.getsockname()[1])
        self._listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", self.port))
        with contextlib.suppress(OSError):
            self._listen(socket.AF_INET6, socket.SOCK_STREAM, ("::1", self.port))
        self.path = folder / "ear"
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, str(self.path))
        self.path.chmod(0o777)
        self.abstract = f"autogradebook-{token}"
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.abstract}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _listen(self, family: int, kind: int, address: object) -> socket.socket:
        made = socket.socket(family, kind)
        made.bind(address)  # type: ignore[arg-type]
        if kind == socket.SOCK_STREAM:
            made.listen(32)
        made.setblocking(False)
        self._choose.register(made, selectors.EVENT_READ)
        self._open.append(made)
        return made

    def _hear(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._choose.select(0.1):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                with contextlib.suppress(OSError):
                    if source.type == socket.SOCK_DGRAM:
                        self._note(source.recv(200))
                        continue
                    line, _address = source.accept()
                    with line:
                        line.settimeout(0.5)
                        said = b""
                        with contextlib.suppress(OSError):
                            said = line.recv(200)
                        self._note(said)

    def _note(self, said: bytes) -> None:
        self.heard.append(said.decode("latin-1") or "somebody who said nothing")

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        for one in self._open:
            one.close()
        self._choose.close()
        self.path.unlink(missing_ok=True)


class Nest:
    """Whatever a run starts and leaves without a parent becomes ours, and can be found."""

    _SET_SUBREAPER = 36

    def __enter__(self) -> "Nest":
        self._before = self._children()
        ctypes.CDLL(None).prctl(self._SET_SUBREAPER, 1, 0, 0, 0)
        return self

    def left(self, patience: float = 4.0) -> list[str]:
        """Command lines of what is still there; they are ended."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self._mine():
            time.sleep(0.05)
        found = []
        for pid in self._mine():
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                found.append(f"{pid}: {line.decode('utf-8', 'replace').strip()[:200]}")
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        return found

    def _mine(self) -> set[int]:
        found = self._children() - self._before
        for pid in list(found):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    found.discard(pid)
        return found

    @staticmethod
    def _children() -> set[int]:
        found = set()
        for file in Path("/proc/self/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found |= {int(pid) for pid in file.read_text().split()}
        return found

    def __exit__(self, *_: object) -> None:
        ctypes.CDLL(None).prctl(self._SET_SUBREAPER, 0, 0, 0, 0)


def fingerprint(folder: Path) -> dict[str, str]:
    """Every path beneath a folder with its kind, mode, time and content."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        about = path.lstat()
        told = f"{about.st_mode:o} {about.st_uid}"
        if path.is_symlink():
            told += f" -> {path.readlink()}"
        elif path.is_file():
            told += f" {about.st_mtime_ns} {about.st_size}"
            if about.st_size < 10_000_000:
                told += f" {hashlib.sha256(path.read_bytes()).hexdigest()}"
        found[str(path.relative_to(folder))] = told
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


# ---------------------------------------------------------------------------------------------------- one run


@dataclass
class Row:
    """What came of one student."""

    name: str
    kind: str
    """attack, made, control or honest."""
    status: str = "missing"
    points: float = 0.0
    full: float = 0.0
    seconds: float = 0.0
    harm: list[str] = field(default_factory=list)
    unexpected: str = ""


@dataclass
class Outcome:
    """A run of the corpus at one level."""

    level: Level
    rows: dict[str, Row]
    harm: list[str]
    """What happened and cannot be said of one attack alone."""
    wall: float
    honest: dict[str, object]
    """What the honest students got, without times."""
    unreadable: dict[str, str]
    said: str
    """What `learn grade` said on the terminal."""
    code: int


class Run:
    """One class, graded at one level, in a folder of its own."""

    def __init__(self, level: Level, base: Path) -> None:
        self.level = level
        self.base = base
        self.token = secrets.token_hex(8)
        self.folder, self.out, self.pack = base / "class", base / "out", base / "pack"
        self.canary, self.temporary = base / "canary", base / "tmp"
        for part in (self.folder, self.out, self.canary, self.temporary, base / "home"):
            part.mkdir()
        for source in (HERE / "pack", HOSTILE / "pack"):
            shutil.copytree(source, self.pack, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        self.secret = f"secret-{self.token}"
        self.words: dict[str, str] = {}

    def aim(self, ear: Ear) -> None:
        """Let the attacks know where everything is."""
        self.words = {
            "CANARY": str(self.canary), "CLASS": str(self.folder), "OUT": str(self.out), "PACK": str(self.pack),
            "PORT": str(ear.port), "EAR": str(ear.path), "ABSTRACT": ear.abstract, "REPO": str(HERE.parent),
            "SECRET": self.secret[::-1],
        }  # fmt: skip

    def add(self, attack: Attack) -> None:
        self.write(attack.name, attack.exercise, attack.source)
        (self.canary / f"{attack.name}.txt").write_text(f"nobody may change this: {attack.name}\n")

    def fill(self, source: str, name: str) -> str:
        """A file of the corpus with the places that it aims at."""
        # Backwards, so that the word itself stands in the output only when an attack put it there.
        words = self.words | {"NAME": name, "SAID": f"said-{self.token}-{name}"[::-1]}
        return re.sub(r"@([A-Z]+)@", lambda match: words.get(match[1], match[0]), source)

    def write(self, student: str, exercise: str, source: str) -> None:
        place = self.folder / student / f"{exercise}.py"
        place.parent.mkdir(exist_ok=True)
        place.write_text(self.fill(source, student), encoding="utf-8")

    def grade(self, *more: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
        """`learn grade`, as an instructor would call it."""
        command = [sys.executable, "-m", "grader.cli", "grade", str(self.folder), "-o", str(self.out), "--pack",
                   str(self.pack), "--seed", str(SEED), "--format", "html,json,csv,junit", *more]  # fmt: skip
        if not self.level.bubblewrap:
            # One exercise of the pack allows processes, which without bubblewrap takes the instructor's word.
            command += ["--no-bubblewrap", "--trust-submissions"]
        env = _clean_env() | {
            "HOME": f"{self.base}/home", "TMPDIR": str(self.temporary), "AUTOGRADEBOOK_HOSTILE": self.secret
        }  # fmt: skip
        if self.level.ordinary:
            for path in [self.base, *self.base.rglob("*")]:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
            command = [*_ordinary(self.base), *command]
        # A session of its own: what an attack sends to its group or its terminal does not reach us.
        process = subprocess.Popen(
            command, env=env, cwd=self.base / "home", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="surrogateescape", start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            said += "\n(ended: it took too long)"
        return subprocess.CompletedProcess(command, process.returncode, said)

    def results(self) -> dict[str, object]:
        told: dict[str, object] = json.loads((self.out / "results.json").read_text(encoding="utf-8"))
        return told


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder that every user may enter, removed at the end whatever stands in it: folders too deep to walk are
    moved up, one after the other."""
    base = Path(tempfile.mkdtemp(prefix="hostile-"))
    base.chmod(0o755)
    try:
        yield base
    finally:
        while folders := [path for path in base.iterdir() if path.is_dir() and not path.is_symlink()]:
            for folder in folders:
                folder.chmod(0o700)
                for path in list(folder.iterdir()):
                    if path.is_dir() and not path.is_symlink():
                        path.rename(base / secrets.token_hex(8))
                    else:
                        path.unlink()
                folder.rmdir()
        shutil.rmtree(base, ignore_errors=True)


def run_corpus(level: Level, only: str = "") -> Outcome:
    """The whole corpus, mixed with honest students."""
    with _folder() as base:
        return _run(Run(level, base), only)


def run_honest(level: Level) -> dict[str, object]:
    """What the honest students get alone, without times."""
    with _folder() as base:
        run = Run(level, base)
        for student, (exercise, source) in honest().items():
            run.write(student, exercise, source)
        done = run.grade()
        if done.returncode:
            raise RuntimeError(done.stdout)
        return _of_honest(run.results())


def _run(run: Run, only: str) -> Outcome:
    ear = Ear(run.canary, run.token)
    run.aim(ear)
    corpus = attacks(only)
    rows: dict[str, Row] = {}
    for attack in corpus:
        run.add(attack)
        rows[attack.name] = Row(attack.name, "attack")
    (run.folder / "control-wrong").mkdir()
    run.write("control-wrong", PROBE, (HOSTILE / "control/wrong.py").read_text(encoding="utf-8"))
    rows["control-wrong"] = Row("control-wrong", "control")
    for student, (exercise, source) in honest().items():
        run.write(student, exercise, source)
        rows[student] = Row(student, "honest")
    made = [case for case in hostile_made.CASES if only in case.name]
    for case in made:
        case.make(run.folder, lambda text, name=case.name: run.fill(text, name))
        rows[case.name] = Row(case.name, "made")
    before = {part: fingerprint(part) for part in (run.folder, run.pack, run.canary)}
    try:
        with Nest() as nest:
            started = time.monotonic()
            done = run.grade()
            wall = time.monotonic() - started
            processes = nest.left()
    finally:
        ear.close()
    outcome = Outcome(run.level, rows, [], wall, {}, {}, done.stdout, done.returncode)
    outcome.harm += [f"left: {line}" for line in processes]
    outcome.harm += [f"left: {path.name}, which holds {_some(path)}" for path in run.temporary.iterdir()]
    if run.level.ordinary:  # everything was given to that user after it was looked at
        before = {part: _without_owner(told) for part, told in before.items()}
    for part, told in before.items():
        now = fingerprint(part)
        if run.level.ordinary:
            now = _without_owner(now)
        for path in changed(told, now):
            if path in (".", "ear"):  # it is closed by now
                continue
            _blame(outcome, f"{'canary' if part == run.canary else 'tampered'}: {path}", path)
    for said in ear.heard:
        _blame(outcome, f"connected: {said}", said)
    if not (run.out / "results.json").is_file():
        outcome.harm.append(f"tampered: there is no report: {done.stdout[-1500:]}")
        return outcome
    _read(outcome, run, {attack.name: attack for attack in corpus}, made)
    outcome.harm += list(_shown(run, done.stdout))
    outcome.harm += list(_book(run))
    return outcome


def _some(path: Path) -> list[str]:
    return [str(inner.relative_to(path)) for inner in itertools.islice(path.rglob("*"), 8)]


def _without_owner(told: Mapping[str, str]) -> dict[str, str]:
    return {path: re.sub(r"^(\d+) \d+", r"\1", about) for path, about in told.items()}


def _blame(outcome: Outcome, what: str, words: str) -> None:
    """Say it of the attack whose name stands in `words`, the longest that does, else of the run."""
    for name in sorted(outcome.rows, key=len, reverse=True):
        if name in words:
            outcome.rows[name].harm.append(what)
            return
    outcome.harm.append(what)


def _read(outcome: Outcome, run: Run, corpus: Mapping[str, Attack], made: Iterable[hostile_made.Case]) -> None:
    results = run.results()
    outcome.honest = _of_honest(results)
    outcome.unreadable = {entry["path"]: entry["reason"] for entry in results["unreadable"]}  # type: ignore
    if results["confinement"] != run.level.confinement:
        outcome.harm.append(f"tampered: confined with {results['confinement']}")
    judged: dict[str, dict[str, object]] = {one["student"]: one for one in results["submissions"]}  # type: ignore
    for name, row in outcome.rows.items():
        if row.kind == "made":
            continue
        if name not in judged:
            row.unexpected = "it is not in the report"
            continue
        one = judged.pop(name)
        row.status, row.points = str(one["status"]), float(one["score"] or 0)  # type: ignore
        row.full, row.seconds = float(one["max_score"]), float(one["seconds"])  # type: ignore
        if row.kind == "attack" and row.status not in corpus[name].expect:
            told = [f"{check['id']} {check['status']}: {check['message'][:150]}" for check in one["checks"]]  # type: ignore
            row.unexpected = f"expected {' or '.join(sorted(corpus[name].expect))}: {told}"
    for case in made:
        row = outcome.rows[case.name]
        mine = [judged.pop(student) for student in case.students if student in judged]
        row.status = ", ".join(sorted({str(one["status"]) for one in mine})) or "refused"
        row.points = sum(float(one["score"] or 0) for one in mine)  # type: ignore
        row.seconds = sum(float(one["seconds"]) for one in mine)  # type: ignore
        row.unexpected = case.judge({str(one["student"]): str(one["status"]) for one in mine}, outcome.unreadable)
    outcome.harm += [f"tampered: nobody handed in what the report has of {student!r}" for student in judged]
    # In what was written, as an attack prints it: forwards.
    for path in sorted(run.out.rglob("*")):
        if path.is_file():
            for said in re.findall(rf"said-{run.token}-[\w-]+", path.read_bytes().decode("latin-1")):
                row = outcome.rows.get(said.split("-", 2)[2])
                (row.harm if row else outcome.harm).append("said: it got what it must not have")
    for row in outcome.rows.values():
        row.harm = sorted(set(row.harm))


def _of_honest(results: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for one in results["submissions"]:  # type: ignore[attr-defined]
        if one["student"].startswith("honest-"):
            kept = {key: value for key, value in one.items() if key not in ("seconds", "sha256")}
            kept["checks"] = [{k: v for k, v in check.items() if k != "seconds"} for check in one["checks"]]
            found[one["student"]] = kept
    return found


# -------------------------------------------------------------------------------- what stands in the reports


class _Page(html.parser.HTMLParser):
    """Finds what came to life: a tag or an attribute that only an attack writes."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[str] = []
        self.policy = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = dict(attributes)
        self.policy |= names.get("http-equiv", "") == "Content-Security-Policy"
        if "hostile" in tag or any("hostile" in name for name in names):
            self.alive.append(f"<{tag} {names}>")
        for name in ("src", "href", "action", "formaction", "srcdoc"):
            value = names.get(name) or ""
            if "hostile" in value and re.match(r"\s*(javascript|data|vbscript|//|https?:)", value):
                self.alive.append(f"<{tag} {name}={names[name]!r}>")

    def handle_decl(self, decl: str) -> None:
        if "hostile" in decl:
            self.alive.append(decl)


_STEERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%", "＝", "＋", "－", "＠")


def _shown(run: Run, terminal: str) -> Iterator[str]:
    if match := _STEERS.search(terminal):
        yield f"shown: {match[0]!r} on the terminal"
    for path in sorted(run.out.rglob("*")):
        if path.suffix not in (".html", ".json", ".csv", ".xml"):
            continue
        text = path.read_text(encoding="utf-8-sig")
        where = str(path.relative_to(run.out))
        if match := _STEERS.search(text):
            yield f"shown: {match[0]!r} in {where}: {text[max(match.start() - 60, 0) : match.end()]!r}"
        if path.suffix == ".html":
            page = _Page()
            page.feed(text)
            yield from (f"shown: {alive[:200]} in {where}" for alive in page.alive)
            if not page.policy:
                yield f"shown: {where} has no Content-Security-Policy"
        elif path.suffix == ".csv":
            for row in csv.reader(text.splitlines()):
                yield from (f"shown: the cell {cell!r} in {where}" for cell in row if _computes(cell))
        elif path.suffix == ".xml":
            ET.fromstring(text)
        else:
            json.loads(text)


def _computes(cell: str) -> bool:
    return cell.lstrip().startswith(_FORMULA) and not re.fullmatch(r"-?\d+(\.\d+)?", cell)


def _book(run: Run) -> Iterator[str]:
    """What is wrong with the gradebook, or stands beside it."""
    with contextlib.closing(sqlite3.connect(f"file:{run.out}/gradebook.db?mode=ro", uri=True)) as book:
        if (told := book.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            yield f"tampered: the gradebook is damaged: {told}"
    allowed = {"gradebook.db", "gradebook.db-wal", "gradebook.db-shm", "results.json", "grades.csv", "index.html"}
    for path in run.out.rglob("*"):
        name = str(path.relative_to(run.out))
        page = path.parent == run.out / "students" and path.suffix == ".html"
        if path.is_file() and not page and name not in allowed and path.suffix not in (".xml", ".lock"):
            yield f"tampered: {name} stands in the report's folder"


# ------------------------------------------------------------------------------------------------- the table


def table(outcome: Outcome) -> str:
    lines = [f"{'attack':<32} {'verdict':<15} {'points':>6}  {'harm':<28} {'seconds':>7}"]
    for row in outcome.rows.values():
        harm = "; ".join(row.harm) or "none"
        points = f"{row.points:g}/{row.full:g}" if row.kind in ("honest", "control") else f"{row.points:g}"
        lines.append(f"{row.name[:32]:<32} {row.status[:15]:<15} {points:>6}  {harm:<28} {row.seconds:>7.2f}")
        if row.unexpected:
            lines.append(f"    ! {row.unexpected}")
    lines += [f"! {harm}" for harm in outcome.harm]
    attacked = [row for row in outcome.rows.values() if row.kind in ("attack", "made")]
    harmed = sum(bool(row.harm) for row in attacked) + len(outcome.harm)
    lines.append(
        f"{outcome.level.name}: {len(attacked)} attacks, {sum(row.points for row in attacked):g} points gained, "
        f"{harmed} harms, {sum(bool(row.unexpected) for row in attacked)} unexpected verdicts, {outcome.wall:.0f} s"
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the corpus of hostile submissions against `learn grade`.")
    parser.add_argument("levels", nargs="*", metavar="LEVEL", help=f"of {', '.join(LEVELS)}; all that can be had")
    parser.add_argument("--only", default="", help="only attacks with this in their name")
    chosen = parser.parse_args()
    bad = False
    for name in chosen.levels or LEVELS:
        if reason := unavailable(LEVELS[name]):
            print(f"{name}: skipped, {reason}")
            continue
        outcome = run_corpus(LEVELS[name], chosen.only)
        print(table(outcome), flush=True)
        if outcome.code:
            print(outcome.said[-2000:])
        bad |= bool(outcome.code or outcome.harm) or any(
            row.harm or row.unexpected or (row.points != row.full if row.kind == "honest" else False)
            or (row.kind in ("attack", "made") and row.points)
            for row in outcome.rows.values()
        )  # fmt: skip
    return int(bad)


if __name__ == "__main__":
    raise SystemExit(main())
