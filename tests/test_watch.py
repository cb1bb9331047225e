"""`learn watch` as it is used: a process of its own, in a terminal and without one, and files that are really saved.

Starting it costs an import of torch, so tests that do not end it share one, in a workspace of its own.
"""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import cli

pty = pytest.importorskip("pty", reason="pseudo-terminals are a thing of POSIX")
import termios  # noqa: E402 - after the line that skips this file on Windows

LEARN = [sys.executable, "-m", "grader.cli"]
PATIENCE = 60
"""Nothing here waits so long unless it is broken: every wait ends when what it waits for has come."""
QUIET = 1.2
"""Long enough for a verdict to begin, were one to begin: many times the debounce."""
RIGHT = "def double(x):\n    return x * 2\n"
WRONG = "def double(x):\n    return x + 2.0\n"


def make_workspace(folder, pack):
    """Two exercises, 01_probe and 02_again, which is the same under another name."""
    shutil.copytree(pack, folder / "pack")
    shutil.copytree(folder / "pack/exercises/01_probe", folder / "pack/exercises/02_again")
    shutil.copy(folder / "pack/solutions/01_probe.py", folder / "pack/solutions/02_again.py")
    told = CliRunner().invoke(cli, ["init", str(folder / "w"), "--pack", str(folder / "pack")])
    assert told.exit_code == 0, told.output
    return folder / "w"


@pytest.fixture
def workspace(tmp_path, probe_pack):
    return make_workspace(tmp_path, probe_pack)


@pytest.fixture
def watch(workspace):
    """Starts `learn watch`; whatever a test left running ends with it."""
    started = []

    def start(*words, **options):
        started.append(Watched(workspace, words, **options))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture(scope="module")
def running_plain(tmp_path_factory, probe_pack):
    running = Watched(make_workspace(tmp_path_factory.mktemp("plain"), probe_pack), ())
    yield running
    running.kill()


@pytest.fixture
def plain(running_plain):
    """Without a terminal; it has just told that the answer is right."""
    return running_plain.begin()


@pytest.fixture(scope="module")
def running_terminal(tmp_path_factory, probe_pack):
    running = Watched(make_workspace(tmp_path_factory.mktemp("terminal"), probe_pack), (), terminal=True)
    yield running
    running.kill()


@pytest.fixture
def terminal(running_terminal):
    """In a terminal; it has just told that the answer is right."""
    return running_terminal.begin()


class Watched:
    """A running `learn watch`, and what it has shown so far."""

    def __init__(self, workspace, words, *, terminal=False, stdin=subprocess.PIPE):
        self.workspace = workspace
        self.file = workspace / "01_probe.py"
        self.shown = ""
        self._read = 0
        self._begun = 0
        if terminal:
            self._ours, theirs = pty.openpty()
            self.before = termios.tcgetattr(theirs)
            # Kept open: what the terminal is like can be asked after the process has ended.
            self._theirs = theirs
            streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        else:
            self._ours, theirs = os.pipe()
            self._theirs = None
            streams = {"stdin": stdin, "stdout": theirs, "stderr": theirs}
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        self.process = subprocess.Popen(
            [*LEARN, "watch", *words], cwd=workspace, env=environment, start_new_session=True, **streams
        )
        if not terminal:
            os.close(theirs)

    def until(self, pattern, seconds=PATIENCE):
        """Wait for a text that has not been waited for yet; what was shown up to its end."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown[self._read :])):
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} was not shown: {self.shown[self._read :]!r}"
            assert self._more(left), f"it ended before it showed {pattern!r}: {self.shown!r}"
        told = self.shown[self._read : self._read + found.end()]
        self._read += found.end()
        return told

    def silent(self, seconds=QUIET):
        """Whether nothing more is said for a while."""
        before, deadline = len(self.shown), time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self._more(left):
            pass
        return self.shown[before:] == "" and self._read == before

    def _more(self, seconds):
        if select.select([self._ours], [], [], min(seconds, 0.2))[0]:
            with contextlib.suppress(OSError):
                data = os.read(self._ours, 65536).decode()
                self.shown += re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", data)
                return bool(data)
            return False
        return self._theirs is not None or self.process.poll() is None

    def verdict(self):
        """Wait for a verdict and all that is said with it."""
        end = r"q quit\r\n" if self._theirs is not None else r"Waiting for .*\n\n"
        return self.until(rf"Checking [^…]*…[\s\S]*?{end}")

    def begin(self):
        """To where every test begins: the answer is right, and that was told."""
        if not self._begun:
            assert "not attempted" in self.verdict()
        self._begun += 1
        self.file.write_text(full(RIGHT, f"# begin {self._begun}"))
        assert "Well done" in self.verdict()
        return self

    def press(self, keys):
        os.write(self._ours, keys.encode())

    @property
    def state(self):
        return termios.tcgetattr(self._theirs)

    def ended(self):
        """Its exit code, with all that it said read."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.shown!r}"
            self._more(0.1)
        while select.select([self._ours], [], [], 0)[0]:
            with contextlib.suppress(OSError):
                if data := os.read(self._ours, 65536).decode():
                    self.shown += data
                    continue
            break
        assert "Traceback" not in self.shown
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in (self._ours, self._theirs):
            if descriptor is not None:
                os.close(descriptor)
        if self.process.stdin is not None:
            self.process.stdin.close()


def full(double, more=""):
    """An answer to the whole exercise, with `double` as its first function."""
    rest = (Path(__file__).parent / "pack/solutions/01_probe.py").read_text().partition("return x * 2\n")[2]
    return f"import time\n\nimport torch\n\n\n{double}{rest}{more}\n"


def passed(workspace):
    file = workspace / ".learn/progress.json"
    steps = json.loads(file.read_text())["exercises"] if file.exists() else {}
    return sorted(name for name, step in steps.items() if step["passed_at"])


def attempts(workspace, name="01_probe"):
    return json.loads((workspace / ".learn/progress.json").read_text())["exercises"][name]["attempts"]


def by_rename(file, text):
    fresh = file.with_name(f".{file.name}.swp")
    fresh.write_text(text)
    os.replace(fresh, file)


def by_backup(file, text):
    """As Vim does with a backup: the old file goes away first."""
    os.replace(file, file.with_name(f"{file.name}~"))
    time.sleep(0.3)
    file.write_text(text)


def by_truncating(file, text):
    with file.open("w") as opened:
        opened.flush()
        # Longer than the debounce: whoever judges the empty file tells "not attempted".
        time.sleep(0.4)
        opened.write(text)


def twice(file, text):
    file.write_text(text)
    file.write_text(text)
    os.utime(file)


SLEEPS = "def double(x):\n    time.sleep(60)\n"
"""Runs into the time limit of 1.5 seconds."""


def test_each_way_of_saving_gives_one_verdict(plain):
    before = attempts(plain.workspace)
    answers = (WRONG, RIGHT)
    for index, save in enumerate((Path.write_text, by_rename, by_backup, by_truncating, twice)):
        save(plain.file, full(answers[index % 2]))
        told = plain.verdict()
        assert ("Two was added" in told) == (index % 2 == 0), save
        assert ("Well done" in told) == (index % 2 == 1), save
    assert plain.silent()
    assert attempts(plain.workspace) == before + 5


def test_what_says_nothing_new_does_nothing(plain):
    plain.file.write_text(plain.file.read_text())
    (plain.workspace / "02_again.py").write_text(full(RIGHT))
    (plain.workspace / "notes.py").write_text("x = 1\n")
    os.utime(plain.file)
    assert plain.silent()
    assert passed(plain.workspace) == ["01_probe"]


def test_a_file_that_stays_empty_or_away_is_told_and_not_judged(plain):
    before = attempts(plain.workspace)
    plain.file.write_text("")
    plain.until(r"is empty; .*learn reset 01.*\n")
    plain.file.unlink()
    plain.until(r"is missing; .*learn reset 01.*\n")
    plain.file.write_bytes(b"\xff\xfe\x00bad")
    plain.until("cannot be checked.*\n")
    assert plain.silent()
    assert attempts(plain.workspace) == before
    plain.file.write_text(full(RIGHT))
    assert "Well done" in plain.verdict()


def test_what_is_sent_to_it_is_no_key_where_there_is_no_terminal(plain):
    plain.process.stdin.write(b"nqr\ny\n")
    plain.process.stdin.flush()
    assert plain.silent()
    assert plain.process.poll() is None
    assert "q quit" not in plain.shown


@pytest.mark.skipif(sys.platform != "linux", reason="there is a zygote on Linux only")
def test_a_zygote_that_was_killed_is_replaced(plain):
    zygotes = children(plain.process.pid)
    assert zygotes
    for pid in zygotes:
        os.kill(pid, signal.SIGKILL)
    plain.file.write_text(full(WRONG))
    assert "Two was added" in plain.verdict()
    assert children(plain.process.pid)
    assert not set(children(plain.process.pid)) & set(zygotes)


def test_without_news_of_saves_and_without_input_it_goes_on(watch, workspace):
    """--poll, and /dev/null as its input, as a service or a container has it."""
    watching = watch("--poll", "--no-bubblewrap", stdin=subprocess.DEVNULL)
    watching.verdict()
    for answer, words in ((RIGHT, "Well done"), (WRONG, "Two was added")):
        watching.file.write_text(full(answer))
        assert words in watching.verdict()
    watching.process.send_signal(signal.SIGTERM)
    assert watching.ended() == 0


@pytest.mark.parametrize("how", ["input", "SIGINT", "SIGTERM"])
def test_without_a_terminal_it_ends_with_its_input_or_by_a_signal(watch, how):
    watching = watch()
    watching.until("Watching")
    if how == "input":
        watching.process.stdin.close()
    else:
        watching.process.send_signal(getattr(signal, how))
    assert watching.ended() == 0


def test_each_check_has_inputs_of_its_own(terminal):
    seen = "def double(x):\n    print('saw', x.flatten()[0].item())\n    raise ValueError\n"
    terminal.file.write_text(full(seen))
    first = re.findall(r"saw (\S+)", terminal.verdict())
    terminal.press("c")
    second = re.findall(r"saw (\S+)", terminal.verdict())
    assert first
    assert first[0] != second[0]


def test_keys_pressed_during_a_check_are_ignored(terminal):
    before = attempts(terminal.workspace)
    terminal.file.write_text(full(SLEEPS))
    terminal.until("Checking")
    assert terminal.state[3] & termios.ECHO == 0
    terminal.press("ryqhc")
    told = terminal.until(r"q quit\r\n")
    assert "no answer within 1.5 seconds" in told
    assert terminal.silent()
    assert "Hint" not in terminal.shown
    assert terminal.process.poll() is None
    assert attempts(terminal.workspace) == before + 1


def test_the_keys(watch, workspace):
    watching = watch(terminal=True)
    file = watching.file
    stub = file.read_text()
    told = watching.verdict()
    assert "not attempted" in told
    assert "n next" not in told
    watching.press("n")
    watching.until("not passed yet")
    watching.press("h")
    watching.until("Hint 1 of 3: One.")
    watching.press("H")
    watching.until("Hint 2 of 3: Two.")
    watching.press("l")
    assert re.search(r"→ .*01", watching.until(r"0 of 2 done.*\n"))
    file.write_text(full(RIGHT))
    told = watching.verdict()
    assert "Well done" in told
    assert "n next" in told
    assert watching.silent(), "something went on by itself"
    watching.press("c")
    assert "Well done" in watching.verdict()
    assert attempts(workspace) == 2
    watching.press("r")
    watching.until("y/n")
    watching.press("n")
    watching.until("Nothing was changed")
    assert file.read_text() == full(RIGHT)
    watching.press("r")
    watching.until("y/n")
    watching.press("y")
    watching.until("is as it was given out")
    assert "not attempted" in watching.verdict()
    assert file.read_text() == stub
    assert [copy.read_text() for copy in (workspace / "kept").iterdir()] == [full(RIGHT)]
    # Once passed it stays passed, and the next one is there for the asking.
    watching.press("n")
    watching.until(r"Watching \S*02_again.py")
    watching.verdict()
    file.write_text(full(RIGHT))
    assert watching.silent(), "a file was judged that is not the current one"
    (workspace / "02_again.py").write_text(full(RIGHT))
    assert "Well done" in watching.verdict()
    assert passed(workspace) == ["01_probe", "02_again"]
    watching.press("n")
    watching.until("All 2 exercises are passed")
    watching.press("q")
    assert watching.ended() == 0
    assert watching.state == watching.before


@pytest.mark.parametrize(
    ("how", "when"), [("key", "starting"), ("signal", "starting"), ("signal", "waiting"), ("key", "checking")]
)
def test_ctrl_c_leaves_the_terminal_and_the_disk_as_they_were(watch, how, when, tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    watching = watch("--no-bubblewrap", terminal=True)
    if when == "starting":
        wait_for(lambda: watching.state != watching.before)
    else:
        watching.verdict()
        assert watching.state != watching.before
        assert list(temporary.iterdir())
    if when == "checking":
        watching.file.write_text(full(SLEEPS))
        watching.until("Checking")
    if how == "key":
        watching.press("\x03")
    else:
        watching.process.send_signal(signal.SIGINT)
    assert watching.ended() == 0
    assert "Well done" not in watching.shown
    assert "no answer within" not in watching.shown, "it waited for the check"
    assert watching.state == watching.before
    wait_for(lambda: not list(temporary.iterdir()))


def wait_for(true):
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children(pid):
    """Those that run: one that was killed and not waited for yet is none."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if folder.name.isdigit() and int(parent) == pid and state != "Z":
                found.append(int(folder.name))
    return found


FIRST_LINE = """
import runpy, sys
import click

def echo(text, **options):
    heavy = {"torch", "numpy", "pytest", "nbformat", "watchfiles", "prompt_toolkit", "rich"} & set(sys.modules)
    print(text, "after", sorted(heavy))
    raise SystemExit

click.echo = echo
sys.argv = ["learn", "watch"]
runpy.run_module("grader.cli", run_name="__main__")
"""


def test_something_is_said_before_anything_heavy_is_imported(workspace):
    """0.3 s is promised; this is what keeps the promise, whatever else the machine does."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_LINE], cwd=workspace, capture_output=True, text=True, check=False
    )
    assert re.match(r"Watching .*01_probe\.py.* after \[\]", done.stdout), done.stdout + done.stderr


def test_what_keeps_the_judge_from_starting_is_told(watch):
    watching = watch("--device", "tpu")
    assert watching.ended() == 2
    assert "learn: There is no device 'tpu'" in watching.shown
