"""The one idea that everything follows from: whoever runs a learner's code holds no answer.

Each test speaks to a live, confined child the way a hostile submission would, and reads what it found.
"""

import os
import secrets
import sys
from pathlib import Path

import pytest
from conftest import do_without

from grader.catalogue import Catalogue, content_root
from grader.core.exchange import Outcome, Request, Word
from grader.core.exercise import Limits
from grader.judge.opening import hidden
from grader.sandbox.client import ConfinedBackend, ZygoteHost
from grader.sandbox.spawn import SpawnHost

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="confinement is Linux's")

# Random, so that it stands in no file: in the environment and the memory of this process, which is the judge's.
CANARY = "canary-" + secrets.token_hex(16)
os.environ["AUTOGRADEBOOK_CANARY"] = CANARY

SPY = """
import gc, os, sys, socket, ctypes

def modules():
    return sorted(sys.modules)

def environment():
    return dict(os.environ)

def strings(needle_start, needle_end):
    needle = needle_start + needle_end
    found = [type(o).__name__ for o in gc.get_objects() if isinstance(o, dict) and needle in map(str, o.values())]
    return found

def can(what, path):
    try:
        if what == "list":
            return len(os.listdir(path)) > 0
        if what == "stat":
            os.stat(path)
            return True
        if what == "write":
            with open(path, "w") as file:
                file.write("x")
            return True
        with open(path, "rb") as file:
            file.read(1)
        return True
    except OSError as error:
        return False

def processes():
    found = {}
    for name in os.listdir("/proc") if can("list", "/proc") else []:
        for part in ("environ", "cmdline", "maps"):
            try:
                with open(f"/proc/{name}/{part}", "rb") as file:
                    found[f"{name}/{part}"] = file.read()[:200000]
            except OSError:
                pass
    return found

def walk(top, suffix):
    found = []
    for folder, _, files in os.walk(top):
        found += [os.path.join(folder, name) for name in files if name.endswith(suffix)]
    return found[:50]

def descriptors():
    found = []
    for fd in range(3, 256):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found

def connect():
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except OSError as error:
        return type(error).__name__
    return "connected"

def leave_something():
    open("left-behind", "w").write("here")
    # In parts: the name of the scratch folder itself is not sent, since it differs in every process.
    return os.getcwd().split(os.sep)
"""

KINDS = ["fork", "fork without bubblewrap", "spawn", "spawn without bubblewrap"]


@pytest.fixture(scope="module", params=KINDS)
def host(request):
    bubblewrap = "without" not in request.param
    made = (ZygoteHost if request.param.startswith("fork") else SpawnHost)(
        hidden=hidden((content_root(),)), bubblewrap=bubblewrap
    )
    made.ready()
    if bubblewrap and made.confinement != "full":
        made.close()
        do_without("bubblewrap", f"the confinement is only {made.confinement}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def spy(host):
    backend = ConfinedBackend(host, "spy.py", SPY, None, Limits())

    def ask(name, *args):
        reply = backend.ask(Request(Word.CALL, name, args=args))
        assert reply.outcome is Outcome.RETURNED, (name, reply)
        return reply.value

    yield ask
    backend.close()


def test_a_child_holds_no_module_of_the_judge(spy):
    loaded = spy("modules")
    assert "torch" in loaded
    assert "grader.sandbox.session" in loaded
    for module in loaded:
        assert not module.startswith(
            ("grader.judge", "grader.checks", "grader.catalogue", "grader.ledger", "grader.report", "grader.intake",
             "grader.flow", "grader.cli", "grader.authoring", "pytest", "_pytest", "pluggy")
        ), module  # fmt: skip


def test_nothing_of_the_judges_environment_arrives(spy):
    assert CANARY not in str(spy("environment"))
    assert not any(CANARY.encode() in data for data in spy("processes").values())


def test_a_canary_of_the_judge_is_not_in_a_childs_memory(host):
    if not isinstance(host, ZygoteHost):
        pytest.skip("a spawned process shares no memory with anybody")
    child = host.child(Limits())
    info = Path(f"/proc/self/fdinfo/{child._pidfd}").read_text()
    pid = int(info.split("Pid:")[1].split()[0])
    try:
        memory = _memory_of(pid)
    except PermissionError:
        pytest.skip("only root can read the memory of a process that is not dumpable")
    finally:
        child.kill()
    assert len(memory) > 50 * 2**20, "the scan saw too little to mean anything"
    assert b"_register_device_module" in memory, "the scan finds what is there"
    assert CANARY.encode() not in memory
    # The same scan finds the canary where it is.
    assert CANARY.encode() in _memory_of(os.getpid())


def _memory_of(pid):
    found = bytearray()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights, _, _, inode, *_ = line.split()
            # Files that are mapped unchanged are not what anybody wrote to memory.
            if "r" not in rights or (inode != "0" and "w" not in rights) or "[v" in line:
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(start)
                found += memory.read(min(end - start, 2**28))
            except (OSError, ValueError, OverflowError):
                continue
    return found


def test_answers_checks_and_other_files_cannot_be_opened_or_listed(host, spy):
    root = content_root()
    files = [path for name in ("exercises", "solutions", "templates") for path in (root / name).rglob("*.*")]
    assert len(files) > 20
    for path in [*files[:40], Path("/etc/passwd"), Path("/etc/shadow"), Path(__file__)]:
        assert not spy("can", "read", str(path)), path
    for folder in (
        root / "exercises",
        root / "solutions",
        root / "grader/judge",
        Path.home(),
        Path("/tmp"),
        Path("/root"),
    ):
        if folder.exists() and folder not in Path(sys.prefix).parents:
            assert not spy("can", "list", str(folder)), folder
    if host.confinement == "full":
        for path in files[:40]:
            assert not spy("can", "stat", str(path)), path


def test_nothing_can_be_written_but_the_scratch_folder(spy, tmp_path):
    for place in (tmp_path / "x", Path("/tmp/autogradebook-x"), Path(sys.prefix) / "x", Path("/dev/shm/x"), Path("/x")):
        assert not spy("can", "write", str(place)), place
    assert spy("can", "write", "mine.txt")


def test_no_network(spy):
    assert spy("connect") in ("PermissionError", "OSError")


def test_no_descriptor_but_its_own_line(host, spy):
    # The line itself; a spawned process may have its two pipes. Landlock's and the loop's own are close-on-exec,
    # not secrets: what matters is that no gradebook, socket of the judge or other child's line is among them.
    assert len(spy("descriptors")) <= 24


def test_what_one_child_leaves_behind_another_does_not_find(host):
    first = ConfinedBackend(host, "spy.py", SPY, None, Limits())
    folder = os.sep.join(first.ask(Request(Word.CALL, "leave_something")).value)
    assert first.ask(Request(Word.CALL, "can", args=("read", f"{folder}/left-behind"))).value is True
    second = ConfinedBackend(host, "spy.py", SPY, None, Limits())
    assert second.ask(Request(Word.CALL, "can", args=("read", f"{folder}/left-behind"))).value is False
    assert second.ask(Request(Word.CALL, "can", args=("list", folder))).value is False
    # A new process of the same submission goes on with its own folder.
    first.ask(Request(Word.RESTART))
    assert first.ask(Request(Word.CALL, "can", args=("read", "left-behind"))).value is True
    first.close()
    second.close()


def test_solutions_are_where_this_test_thinks_they_are():
    assert all(exercise.solution.is_file() for exercise in Catalogue.load())
