"""`%%check 05` and `%check 05` in a running notebook: the kernel's side.

The kernel runs the learner's code, so nothing here holds a check or an answer: a process of its own judges
(`_magic_judge.py`), and what passes between the two are lines of JSON. It is started when the extension is loaded, so
that it is warm by the time of the first check, stays warm between checks, and ends when the kernel does, whichever
way that is: its input is then at its end. What it prints besides goes to a file that is read only if it dies.

    kernel                                         judge's process
      {"id", "which", "seed", "cell", "history"} ->
                                                <- {"id", "text", "html"}  or  {"id", "fault"}
"""

import ast
import itertools
import json
import os
import queue
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import click

from grader.cli.common import device_option
from grader.core.errors import AutogradebookError, OurFault, WrongUsage
from grader.core.text import clean
from grader.intake.workspace import find

SOON = 0.3
"""Seconds after which a learner is told that they are waiting for the judge."""


class NotChecked(Exception):
    """Ends a cell with a sentence where a verdict should be. IPython asks for `_render_traceback_`."""

    def _render_traceback_(self) -> list[str]:
        return [f"learn: {self}"]


class Told:
    """A verdict, as a notebook (HTML) and a terminal (text) show it."""

    def __init__(self, text: str, html: str | None = None) -> None:
        self._text, self._html = text, html

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str | None:
        return self._html


class Judge:
    """The process that judges, as long as it lives."""

    def __init__(self, folder: Path, device: str) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._numbers = itertools.count(1)
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._ended = False
        """Whether it said its last: its output ends before the system lets go of it."""
        # -P: a learner's click.py in this folder is not to be taken for a library.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grader.cli._magic_judge", "--device", device],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0,
            **_group_of_its_own(),
        )  # fmt: skip
        threading.Thread(target=self._listen, name="judge's answers", daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None and not self._ended

    def ask(self, what: dict[str, Any]) -> int:
        """Ask for a verdict; the number that its answer will bear. Raises OSError where nobody listens any more."""
        number = next(self._numbers)
        assert self._process.stdin is not None
        line = memoryview(json.dumps({"id": number, **what}).encode() + b"\n")
        while line:
            line = line[self._process.stdin.write(line) or 0 :]
        return number

    def answer(self, number: int, seconds: float | None = None) -> dict[str, Any] | None:
        """The answer with this number; None if it has not come within so many seconds. Raises OurFault."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while deadline is None or time.monotonic() < deadline:
            try:
                # In short waits, so that an interrupt is heard on every system.
                said = self._answers.get(timeout=0.1 if deadline is None else max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                continue
            if said is None:
                # Whoever asks next must hear of it too.
                self._answers.put(None)
                raise OurFault(f"The judge ended by itself; run the cell again. {self._last_words()}".strip())
            if said.get("id") == number:
                return said
            # An answer to a cell that was interrupted: nobody waits for it.
        return None

    def close(self) -> None:
        """Let it end: it does when its input does."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _listen(self) -> None:
        # With the bare descriptor: a buffer that a daemon thread holds cannot be taken down with the interpreter.
        assert self._process.stdout is not None
        descriptor, rest = self._process.stdout.fileno(), b""
        try:
            while data := os.read(descriptor, 1 << 16):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._answers.put(json.loads(line))
        except (OSError, ValueError):
            pass
        self._ended = True
        self._answers.put(None)

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = clean(self._errors.read()[-4000:].decode("utf-8", "replace")).strip().splitlines()
        return lines[-1] if lines else ""


def _group_of_its_own() -> dict[str, Any]:
    """What interrupts the kernel is not meant for the judge."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


_judges: dict[tuple[Path, str], Judge] = {}


def load(shell: Any) -> None:
    """`%load_ext grader`."""

    def check(line: str, cell: str | None = None) -> None:
        _checked(shell, line, cell)

    check.__doc__ = command.help
    shell.register_magic_function(check, magic_kind="line_cell", magic_name="check")
    # Nothing was asked yet: whoever asks is told what is wrong.
    with suppress(AutogradebookError, OSError):
        _judge("cpu")


def unload(shell: Any) -> None:
    """`%unload_ext grader`: the judges go, and the magics."""
    for judge in _judges.values():
        judge.close()
    _judges.clear()
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("check", None)


@click.command("check", add_help_option=False)
@click.argument("which", required=False, metavar="[NN|name]")
@click.option("--seed", type=click.IntRange(0), default=None, help="Repeat a check with the same inputs.")
@device_option
def command(**wishes: Any) -> dict[str, Any]:
    """%%check 05 at the head of a cell: run the cell as always, then grade it.

    Graded is the whole cell, with what it uses of the cells that were run before (imports, functions, classes,
    constants). Without a number it is the current exercise of the workspace that this notebook lies in; in a
    workspace the verdict counts as one of `learn check`.

    %check 05 as a line: grade what the cells run so far have made of the functions and classes that the exercise
    asks for, and what these use, each in its last version. A cell that was changed and not run again counts as it
    was run.

    Options: --device cpu|cuda|auto, --seed N.
    """
    return wishes


def _checked(shell: Any, line: str, cell: str | None) -> None:
    wishes = _wishes(line)
    if cell is not None and not _run(shell, cell):
        return
    number = int(shell.execution_count)
    before = list(enumerate(shell.history_manager.input_hist_raw))[1:]
    history = [(at, text) for at, text in before if at < number or cell is None]
    asked = {
        "which": wishes["which"],
        "seed": wishes["seed"],
        "cell": None if cell is None else [number, cell],
        "history": history,
    }
    try:
        _show(shell, wishes, asked)
    except KeyboardInterrupt:
        _fail("Interrupted: the cell was not graded.")
    except AutogradebookError as fault:
        _fail(str(fault))
    except OSError as error:
        _fail(f"The judge can't be reached ({error.strerror or error}). Run the cell again.")


def _wishes(line: str) -> dict[str, Any]:
    try:
        wishes = command.main(shlex.split(line), prog_name="check", standalone_mode=False)
    except click.ClickException as fault:
        _fail(f"{fault.format_message().rstrip('.')}. `%check?` says what can be said.")
    except ValueError as fault:
        _fail(f"That can't be read ({fault}). Say `%%check 05`.")
    assert isinstance(wishes, dict)
    return wishes


def _run(shell: Any, cell: str) -> bool:
    """Run the cell as if our line were not there; whether it is to be graded then."""
    try:
        ast.parse(shell.transform_cell(cell))
    except (SyntaxError, ValueError):
        # The verdict shows the line and the caret: once is enough.
        return True
    # Something must stand in the place of our line, or IPython would count lines from the next.
    head = "" if cell.lstrip().startswith("%%") else "# %%check\n"
    result = shell.run_cell(head + cell, store_history=False)
    return not isinstance(result.error_in_exec, KeyboardInterrupt)


def _show(shell: Any, wishes: dict[str, Any], asked: dict[str, Any]) -> None:
    from IPython.display import display

    judge, number = _asked(wishes["device"], asked)
    handle: Any = None
    said = judge.answer(number, SOON)
    if said is None:
        label = Told(f"Checking {wishes['which'] or 'the current exercise'} …")
        # In a notebook the verdict takes the place of this line; in a terminal it comes below.
        handle = display(label, display_id=True) if hasattr(shell, "kernel") else print(label)
        said = judge.answer(number)
    assert said is not None
    if "fault" in said:
        if handle is not None:
            handle.update(Told("Not graded."))
        raise WrongUsage(str(said["fault"]))
    told = Told(str(said["text"]), str(said["html"]))
    if handle is None:
        display(told)
    else:
        handle.update(told)


def _asked(device: str, asked: dict[str, Any]) -> tuple[Judge, int]:
    judge = _judge(device)
    try:
        return judge, judge.ask(asked)
    except OSError:
        # It is ending just now, as one does that nobody asked for long.
        judge.close()
        judge = _judge(device, anew=True)
        return judge, judge.ask(asked)


def _judge(device: str, anew: bool = False) -> Judge:
    """The warm judge for the workspace that we are in and this device."""
    workspace = find(Path.cwd())
    folder = workspace.folder if workspace else Path.cwd()
    key = (workspace.folder if workspace else Path(), device)
    judge = _judges.get(key)
    if judge is None or anew or not judge.alive:
        judge = _judges[key] = Judge(folder, device)
    return judge


def _fail(sentence: str) -> NoReturn:
    raise NotChecked(sentence) from None
