"""The loop of `learn watch`: joins the warm judge (`_bench.py`) with what is heard (`_ears.py`).

The loop runs in the main thread and alone changes anything or prints; the judge and the ears have threads of
their own and hand it what is to be done there. A save is judged once the file has been quiet for `QUIET`
seconds (editors write twice, truncate first, or rename), and only if it says something new.
"""

import os
import queue
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from rich.console import Console
from rich.markdown import Markdown

from grader.cli import _ears
from grader.cli._bench import Bench, Wishes
from grader.cli.common import Desk, number
from grader.core.errors import BadFile
from grader.core.exercise import Exercise, in_language
from grader.core.submission import Submission, Unreadable
from grader.intake.read import read_file
from grader.ledger.progress import Progress
from grader.report.terminal import ExerciseRow, show_attempt, show_exercise_list

if TYPE_CHECKING:
    from grader.core.attempt import Attempt

QUIET = 0.1
"""Seconds without news of the file before a save counts as finished: the debounce."""
LONGEST_QUIET = 0.2
"""Whatever goes on being written is judged after so many seconds."""
BLANK = 1.0
"""A file that is missing or empty for so long is not in the middle of a save."""
TICK = 0.05
"""How often keys are looked for: often enough for a finger, on every system, without waiting in two places."""
POLL, SAFETY_NET = 0.1, 1.0
"""How often the file itself is looked at, with --poll and without: from some file systems no news comes."""
PATIENCE = 0.5
"""Seconds that a check in progress is given to end when everything else has."""

P = ParamSpec("P")
Call = Callable[[], None]
"""What another thread wants done in the loop."""


class Watch:
    """The loop, and what it knows: the exercise, what was told last, and what it waits for."""

    def __init__(self, desk: Desk, exercise: Exercise, wishes: Wishes, leaving: _ears.Leaving) -> None:
        self._desk = desk
        self._language = desk.workspace.language
        self._exercise = exercise
        self._wishes = wishes
        self._console = Console()
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._bench: Bench
        self._keys: _ears.Keys | None = None
        self._leaving = leaving
        self._busy = True
        """The judge is at work, or still being started."""
        self._begun = False
        """An exercise was just turned to: its task stays on the screen."""
        self._asking = False
        self._told: str | None = None
        """What was told last of the file: the hash of what was judged, or why nothing could be."""
        self._due: float | None = None
        """When the save that is being waited for counts as finished."""
        self._latest = 0.0
        self._blank_since: float | None = None
        self._poll = wishes.poll
        self._next_look = 0.0
        self._seen = self._sight()
        self._unheard = 0
        """Saves in a row that were seen and not heard of."""

    def run(self) -> None:
        """Watch until the learner, the input or a signal ends it. Raises what keeps the judge from starting."""
        later = self._later
        with ExitStack() as stack:
            stack.enter_context(_ears.own_temporary_folder())
            self._bench = Bench(self._desk, self._wishes, later(self._ready), later(self._done), later(self._broken))
            if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
                self._keys = stack.enter_context(_ears.keys())
            else:
                _ears.at_end_of_input(self._leaving.ask)
            if not self._poll:
                stack.enter_context(_ears.news(self._folders(), later(self._heard), later(self._deaf)))
            try:
                self._loop()
            finally:
                finished = self._bench.close(PATIENCE)
        if not finished:
            # A check that runs into its time limit, or torch still being imported: nothing there is worth
            # waiting for, and the sandbox ends with this process.
            sys.stdout.flush()
            os._exit(0)

    # -- the loop

    def _loop(self) -> None:
        while not self._leaving.asked:
            with suppress(queue.Empty):
                self._calls.get(timeout=self._wait())()
            for key in self._pressed():
                self._press(key)
            self._look()
            self._settle()

    def _wait(self) -> float:
        if self._due is None or self._busy:
            return TICK
        return max(0.0, min(TICK, self._due - time.monotonic()))

    def _later(self, call: Callable[P, None]) -> Callable[P, None]:
        """`call`, as another thread may call it: it is done in the loop."""

        def put(*what: P.args, **more: P.kwargs) -> None:
            self._calls.put(partial(call, *what, **more))

        return put

    def _broken(self, fault: BaseException) -> None:
        raise fault

    # -- saves

    @property
    def _file(self) -> Path:
        return self._desk.workspace.file_for(self._exercise)

    def _folders(self) -> set[Path]:
        """Where news is to be had: the workspace, and where a learner's links lead."""
        files = [self._desk.workspace.file_for(exercise).resolve() for exercise in self._desk.catalogue]
        return {self._desk.workspace.folder, *(file.parent for file in files if file.parent.is_dir())}

    def _heard(self) -> None:
        self._unheard = 0
        # Or the next look at the file would count the same save once more, and the debounce would begin anew.
        self._seen = self._sight()
        self._touched()

    def _deaf(self, why: str) -> None:
        self._poll = True
        self._say(f"The system brings no news of saves ({why}), so the file is looked at ten times a second.")

    def _touched(self) -> None:
        """Something may have happened to the file."""
        now = time.monotonic()
        if self._due is None:
            self._latest = now + LONGEST_QUIET
        self._due = min(now + QUIET, self._latest)

    def _sight(self) -> tuple[int, ...] | None:
        try:
            told = os.stat(self._file)
        except OSError:
            return None
        return told.st_mtime_ns, told.st_size, told.st_ino

    def _look(self) -> None:
        """Look at the file itself, in case no news of it comes."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + (POLL if self._poll else SAFETY_NET)
        seen = self._sight()
        if seen != self._seen:
            self._seen = seen
            self._unheard += 1
            self._touched()

    def _settle(self) -> None:
        """Judge the save that has come to an end, if it says something new."""
        now = time.monotonic()
        if self._due is None or now < self._due or self._busy:
            return
        self._due = None
        if self._unheard > 1 and not self._poll:
            self._poll = True
            self._say("No news of saves comes here, as on WSL, in Docker and on network drives: looking more often.")
            self._say("`learn watch --poll` does so from the start.")
        read = self._read()
        if read is not None:
            self._blank_since = None
            self._judge(read)
        elif self._blank_since is None:
            self._blank_since = now
            self._due = now + BLANK
        elif now < self._blank_since + BLANK:
            self._due = self._blank_since + BLANK
        else:
            self._tell_blank()

    def _read(self) -> Submission | Unreadable | None:
        """The file as it is now; None where it is missing or empty, as it is in the middle of a save."""
        read = read_file(self._file, student="you", exercise=self._exercise.name, shown_path=self._file.name)
        if isinstance(read, Submission):
            return read if read.source.strip() else None
        return read if self._file.exists() else None

    # -- checking

    def _ready(self) -> None:
        self._busy = False
        self._begin()

    def _begin(self) -> None:
        """Turn to the exercise: its task where it is new to the learner, and how far it is."""
        self._begun = True
        self._blank_since = None
        self._seen = self._sight()
        if self._desk.progress.step(self._exercise.name).last is None:
            readme = self._exercise.readme.with_name(f"README.{self._language}.md")
            task = (readme if readme.is_file() else self._exercise.readme).read_text(encoding="utf-8").rstrip()
            self._console.print(Markdown(task)) if self._keys else self._say(task)
            self._say()
        self._check()

    def _check(self) -> None:
        """Check what the file holds, new or not."""
        self._told = self._due = None
        read = self._read()
        self._tell_blank() if read is None else self._judge(read)

    def _judge(self, read: Submission | Unreadable) -> None:
        if isinstance(read, Unreadable):
            self._tell_once(f"{self._file.name} cannot be checked. {read.reason}")
        elif read.sha256 != self._told:
            self._told = read.sha256
            self._busy = True
            self._asking = False
            self._say(f"Checking {self._exercise.name} …")
            self._bench.judge(read)

    def _tell_blank(self) -> None:
        what = "is empty" if self._file.exists() else "is missing"
        nr = number(self._exercise)
        back = "r puts the original back" if self._keys else f"`learn reset {nr}` puts the original back"
        self._tell_once(f"{self._file} {what}; {back}.")

    def _tell_once(self, text: str) -> None:
        if self._told != text:
            self._told = text
            self._say(text)

    def _done(self, submission: Submission, attempt: "Attempt") -> None:
        # What was pressed while the check ran was meant for what was shown then.
        self._pressed()
        self._busy = False
        if self._keys and not self._begun and not self._console.is_dumb_terminal:
            self._console.clear()
        self._begun = False
        show_attempt(attempt, self._exercise, self._console, self._language, submission)
        try:
            self._desk.progress.record(attempt)
        except BadFile as fault:
            self._say(f"learn: {fault}")
        self._say()
        if self._keys:
            self._say(f"{'n next  ' if self._passed else ''}h hint  l list  c check  r reset  q quit")
        else:
            self._say(f"Waiting for the next save of {self._file.name}.\n")

    # -- keys

    def _pressed(self) -> list[str]:
        """The keys pressed since the last call; while the judge is at work, all but Ctrl-C are dropped."""
        pressed = self._keys.pressed() if self._keys else []
        if "c-c" in pressed:
            self._leaving.ask()
        return [] if self._busy else pressed

    def _press(self, key: str) -> None:
        if self._busy or self._leaving.asked:
            # A key before it, in the same breath, began a check.
            return
        actions: dict[str, Call] = {
            "n": self._next, "h": self._hint, "l": self._list, "c": self._check, "r": self._ask,
            "q": self._leaving.ask, "c-d": self._leaving.ask,
        }  # fmt: skip
        try:
            if self._asking:
                self._asking = False
                self._reset() if key == "y" else self._say("Nothing was changed.")
            elif key in actions:
                actions[key]()
        except BadFile as fault:
            # A full disk, or another `learn` that does not let go of the progress: no reason to leave.
            self._say(f"learn: {fault}")

    @property
    def _passed(self) -> bool:
        return self._desk.progress.passed(self._exercise.name)

    def _next(self) -> None:
        # Another terminal may have brought the learner further.
        self._desk.progress = Progress.load(self._desk.workspace.folder)
        if not self._passed:
            self._say(f"{self._exercise.name} is not passed yet; h shows a hint.")
            return
        names = self._desk.catalogue.names
        place = names.index(self._exercise.name)
        # Those after this one first: a learner who began in the middle goes on from there.
        name = self._desk.progress.current((*names[place:], *names[:place]))
        exercise = self._desk.catalogue.get(name) if name else None
        if exercise is None:
            self._say(f"All {len(names)} exercises are passed. Well done. `learn report` writes a page of them.")
            return
        self._exercise = exercise
        self._say(f"\nWatching {self._file}.")
        self._begin()

    def _hint(self) -> None:
        hints = self._exercise.hints
        if not hints:
            self._say(f"{self._exercise.name} has no hints; its README says what is asked.")
            return
        shown = self._desk.progress.next_hint(self._exercise.name, len(hints))
        self._say(f"Hint {shown} of {len(hints)}: {in_language(hints[shown - 1], self._language)}")

    def _list(self) -> None:
        rows = []
        for each in self._desk.catalogue:
            step = self._desk.progress.step(each.name)
            best = (step.best, step.best_score) if step.passed else (step.last, step.last_score)
            title = in_language(each.title, self._language)
            rows.append(
                ExerciseRow(each.number, each.name, title, *best, each.points, each.name == self._exercise.name)
            )
        show_exercise_list(rows, self._console)

    def _ask(self) -> None:
        self._asking = True
        self._say(f"Put the original {self._file.name} back? Yours is kept in the folder `kept`. y/n")

    def _reset(self) -> None:
        kept = self._desk.workspace.reset(self._exercise, self._exercise.stub.read_text(encoding="utf-8"))
        self._say(f"{self._file.name} is as it was given out." + (f" Your own is kept as {kept}." if kept else ""))
        self._check()

    def _say(self, text: str = "") -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=self._keys is None)
