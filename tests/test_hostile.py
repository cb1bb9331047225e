"""Hostile submissions gain nothing and harm nobody: the corpus, at every level of confinement that is to be had here.

`python -m tests.hostile_run` does the same and prints a table.
"""

import contextlib
import functools
import socket
import subprocess
import sys
import time

import hostile_made
import hostile_run
import pytest
from hostile_run import LEVELS, Ear, Nest, Outcome, Run, attacks, changed, fingerprint, honest, unavailable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="confinement is Linux's")

CORPUS = {attack.name: attack for attack in attacks()}
MADE = {case.name: case for case in hostile_made.CASES}


@functools.cache
def graded(level: str) -> Outcome:
    return hostile_run.run_corpus(LEVELS[level])


@functools.cache
def alone() -> dict[str, object]:
    """What the honest students get without the others: the same at every level."""
    level = next((level for level in LEVELS.values() if not unavailable(level)), None)
    assert level is not None
    return hostile_run.run_honest(level)


@functools.cache
def reason(level: str) -> str:
    return unavailable(LEVELS[level])


@pytest.fixture(scope="module", params=LEVELS)
def outcome(request):
    if told := reason(request.param):
        pytest.skip(told)
    return graded(request.param)


def test_the_run_ends_well_and_in_time(outcome):
    assert outcome.code == 0, outcome.said[-3000:]
    assert outcome.wall < hostile_run.WALL_SECONDS


def test_nothing_was_harmed_that_is_nobodys_alone(outcome):
    assert outcome.harm == []


@pytest.mark.parametrize("name", [*CORPUS, *MADE])
def test_an_attack_gains_nothing_and_harms_nobody(outcome, name):
    row = outcome.rows[name]
    assert row.points == 0
    assert row.harm == []
    assert row.unexpected == ""
    assert row.seconds < hostile_run.ATTACK_SECONDS


@pytest.mark.parametrize("name", honest())
def test_the_honest_get_full_marks_and_exactly_what_they_get_alone(outcome, name):
    assert outcome.rows[name].status == "passed"
    assert outcome.rows[name].points == outcome.rows[name].full > 0
    assert outcome.honest[name] == alone()[name]


def test_the_wrong_control_gets_what_it_deserves(outcome):
    row = outcome.rows["control-wrong"]
    assert (row.status, row.points, row.full) == ("failed", 1.0, 6.0)


def test_everything_refused_is_listed_with_a_reason(outcome):
    assert outcome.unreadable
    assert all(reason.strip() for reason in outcome.unreadable.values())


# ------------------------------------------------------------------ the corpus and its watchers can find something


def test_the_corpus_is_large_and_says_what_it_tries():
    assert len(CORPUS) >= 60
    assert all(attack.tries for attack in CORPUS.values())
    assert all(case.tries for case in MADE.values())


LIVE = {
    "canary": ("canary_write", "canary_by_links", "canary_attributes", "escape_programs", "leave_shared_memory"),
    "connected": ("net_tcp", "net_udp", "net_http", "net_unix"),
    "said": ("read_pack", "read_classmates", "read_gradebook", "read_installed", "read_environment", "net_listen",
             "bomb_memory_shared"),
}  # fmt: skip


@pytest.fixture(scope="module")
def unconfined():
    """What some attacks do in a Python of their own that nothing confines; they are written to be harmless there."""
    found = {}
    with hostile_run._folder() as base:
        run = Run(LEVELS["full"], base)
        ear = Ear(run.canary, run.token)
        run.aim(ear)
        run.write("honest-right", hostile_run.PROBE, "def double(x):\n    return 7\n")
        (run.out / "gradebook.db").write_bytes(b"x")
        for names in LIVE.values():
            for name in names:
                run.add(CORPUS[name])
        for names in LIVE.values():
            for name in names:
                before, heard = fingerprint(run.canary), len(ear.heard)
                program = (
                    f"import sys; sys.path.insert(0, {str(hostile_run.HERE.parent)!r})\n"
                    f"{run.fill(CORPUS[name].source, name)}\ndouble(None)\n"
                )
                file = base / "home" / "program.py"
                file.write_text(program)
                done = subprocess.run(
                    [sys.executable, "-S", str(file)], cwd=base / "home", capture_output=True, text=True, check=False,
                    env={"AUTOGRADEBOOK_HOSTILE": run.secret, "PATH": "/usr/bin:/bin"}, timeout=60,
                )  # fmt: skip
                deadline = time.monotonic() + 2
                while name.startswith("net_") and len(ear.heard) == heard and time.monotonic() < deadline:
                    time.sleep(0.01)
                found[name] = {
                    "canary": bool(changed(before, fingerprint(run.canary))),
                    "connected": any(name in said for said in ear.heard[heard:]),
                    "said": f"said-{run.token}-{name}" in done.stdout,
                    "told": done.stdout[-300:] + done.stderr[-600:],
                }
        ear.close()
    return found


@pytest.mark.parametrize(("harm", "name"), [(harm, name) for harm, names in LIVE.items() for name in names])
def test_an_attack_does_what_it_tries_where_nothing_confines_it(unconfined, harm, name):
    assert unconfined[name][harm], unconfined[name]["told"]


def test_a_process_that_is_left_behind_is_found_and_ended():
    with Nest() as nest:
        subprocess.run(["sh", "-c", "sleep 31 & exit 0"], check=True)
        left = nest.left(patience=0.3)
        assert len(left) == 1
        assert "sleep 31" in left[0]
        assert nest.left(patience=0.3) == []


def test_the_ear_hears_every_kind_of_caller(tmp_path):
    ear = Ear(tmp_path, "test")
    callers = [
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", ear.port)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", ear.port)),
        (socket.AF_UNIX, socket.SOCK_STREAM, str(ear.path)),
        (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{ear.abstract}"),
    ]
    for number, (family, kind, address) in enumerate(callers):
        with contextlib.closing(socket.socket(family, kind)) as line:
            line.connect(address)
            line.send(f"caller {number}".encode())
    deadline = time.monotonic() + 5
    while len(ear.heard) < len(callers) and time.monotonic() < deadline:
        time.sleep(0.01)
    ear.close()
    assert sorted(ear.heard) == [f"caller {number}" for number in range(len(callers))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", "<p><hostile-tag>"),
        ("a.html", "<p onhostile='x'>"),
        ("a.html", "<a href='javascript:hostile()'>"),
        ("a.html", "no policy"),
        ("a.csv", "student,total\n=1+1,3\n"),
        ("a.csv", 'student,total\n" @SUM(1)",3\n'),
        ("a.json", '{"a": "\x1b[2J"}'.replace("\x1b", "\u202e")),
        ("a.xml", "<a>\x9b2J</a>"),
    ],
)
def test_what_comes_to_life_in_a_report_is_found(tmp_path, name, text):
    run = Run(LEVELS["full"], tmp_path)
    (run.out / name).write_text(text, encoding="utf-8")
    assert list(hostile_run._shown(run, ""))


def test_escapes_on_the_terminal_are_found(tmp_path):
    run = Run(LEVELS["full"], tmp_path)
    assert list(hostile_run._shown(run, "graded \x1b[2J"))
    assert not list(hostile_run._shown(run, "graded\n"))
