"""`python -m grader.cli._magic_judge`: the process that judges what a running notebook hands it (see `_magic.py`).

The main thread alone reads and writes: requests come from a thread that reads the input, verdicts from the bench's
thread, and both through one queue. It ends with its input, or when nobody has asked for a long time.
"""

import io
import json
import os
import queue
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from grader.catalogue import Catalogue, templates
from grader.cli._bench import Bench, Wishes
from grader.cli._ears import own_temporary_folder
from grader.cli.common import Desk
from grader.core.attempt import Attempt
from grader.core.errors import AutogradebookError, WrongUsage
from grader.core.exercise import Exercise
from grader.core.submission import Submission, digest
from grader.core.text import one_line
from grader.intake.decoded import NotReadable
from grader.intake.running import defined, names_of, standing_alone
from grader.intake.workspace import Workspace, find
from grader.ledger.progress import Progress
from grader.report.cell import cell_html
from grader.report.terminal import show_attempt

IDLE = 3600.0
"""Seconds without a request after which it ends: on a shared machine a notebook is left open for days."""
PATIENCE = 0.5
"""Seconds that a check in progress is given to end when the kernel has."""
WIDTH = 100


class _Notebook:
    """What is asked, and what is answered."""

    def __init__(self, device: str, answer: Callable[[dict[str, Any]], None]) -> None:
        self._answer = answer
        self._events: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._asked: deque[tuple[int, Exercise]] = deque()
        self._fault: str | None = None
        self._found = find(Path.cwd())
        self._desk = self._make_desk()
        self._bench = Bench(
            self._desk, Wishes(device), lambda: None, self._later(self._done), self._later(self._broken)
        )

    def run(self) -> bool:
        """Answer until the input ends; whether the judge came to its end too."""
        threading.Thread(target=self._listen, name="requests", daemon=True).start()
        while True:
            try:
                event = self._events.get(timeout=IDLE)
            except queue.Empty:
                break
            if event is None:
                break
            event()
        return self._bench.close(PATIENCE)

    def _make_desk(self) -> Desk:
        """The workspace that the notebook lies in; where it lies in none, one that goes with this process."""
        if self._found is None:
            folder = Path(tempfile.mkdtemp())
            return Desk(Workspace(folder), Catalogue.load(), Progress.load(folder))
        catalogue = Catalogue.load(Path(self._found.pack) if self._found.pack else None)
        return Desk(self._found, catalogue, Progress.load(self._found.folder))

    # -- events

    def _listen(self) -> None:
        for line in sys.stdin.buffer:
            request = json.loads(line)
            self._events.put(lambda request=request: self._request(request))  # type: ignore[misc]
        self._events.put(None)

    def _later(self, call: Callable[..., None]) -> Callable[..., None]:
        return lambda *what: self._events.put(lambda: call(*what))

    def _request(self, request: dict[str, Any]) -> None:
        number = request["id"]
        if self._fault is not None:
            self._answer({"id": number, "fault": self._fault})
            self._events.put(None)
            return
        # A check in a terminal may have brought the learner further.
        self._desk.progress = Progress.load(self._desk.workspace.folder)
        try:
            if request["which"] is None and self._found is None:
                raise WrongUsage("This notebook lies in no workspace, so say which exercise is meant: `%%check 05`.")
            exercise = self._desk.exercise(request["which"])
            submission = _submission(exercise, request)
        except (AutogradebookError, NotReadable) as fault:
            self._answer({"id": number, "fault": str(fault)})
            return
        self._asked.append((number, exercise))
        self._bench.judge(submission, request["seed"])

    def _done(self, submission: Submission, attempt: Attempt) -> None:
        number, exercise = self._asked.popleft()
        language = self._desk.workspace.language
        try:
            self._desk.progress.record(attempt)
        except AutogradebookError as fault:
            attempt = replace(attempt, note=f"{attempt.note}\n{fault}".strip())
        told = io.StringIO()
        console = Console(file=told, width=WIDTH, force_terminal=False, force_jupyter=False)
        show_attempt(attempt, exercise, console, language, submission)
        html = cell_html(attempt, exercise, templates(), language, submission)
        self._answer({"id": number, "text": told.getvalue().rstrip("\n"), "html": html})

    def _broken(self, fault: BaseException) -> None:
        """There is no judge. Whoever asks is told why, and then this process ends: the next one may fare better."""
        known = isinstance(fault, AutogradebookError)
        self._fault = str(fault) if known else f"The judge stumbled: {one_line(f'{type(fault).__name__}: {fault}')}"
        while self._asked:
            number, _ = self._asked.popleft()
            self._answer({"id": number, "fault": self._fault})
            self._events.put(None)


def _submission(exercise: Exercise, request: dict[str, Any]) -> Submission:
    history = [(int(number), str(text)) for number, text in request["history"]]
    if request["cell"] is None:
        read = defined(history, names_of(exercise.stub.read_text(encoding="utf-8")))
        path = "the cells that were run"
    else:
        read = standing_alone(history, *request["cell"])
        path = "this cell"
    return Submission("you", exercise.name, path, read.source, digest(read.source.encode()), read.cells, read.notes)


def main(device: str) -> None:
    # Whatever else is printed here must not be taken for an answer.
    channel = os.dup(1)
    os.dup2(2, 1)

    def answer(what: dict[str, Any]) -> None:
        line = memoryview(json.dumps(what).encode() + b"\n")
        while line:
            line = line[os.write(channel, line) :]

    with ExitStack() as stack:
        stack.enter_context(own_temporary_folder())
        try:
            notebook = _Notebook(device, answer)
        except AutogradebookError as fault:
            # A workspace or a pack that can't be read.
            answer({"id": json.loads(sys.stdin.buffer.readline() or '{"id": 0}')["id"], "fault": str(fault)})
            return
        finished = notebook.run()
    if not finished:
        # A check that runs into its time limit is not worth waiting for: the sandbox ends with this process.
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--device") + 1])
