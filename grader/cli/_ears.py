"""What `learn watch` hears: keys, saves, signals, and the end of its input.

Each ear that can only wait has a thread of its own, which ends with the process, and hands what it heard to
the function that it was given.
"""

import os
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit.input import Input

_STEP_MS = 10
"""How often watchfiles looks whether news has come; the debounce is the loop's."""


class Keys:
    """The keys of the terminal, one by one and without echo."""

    def __init__(self, source: "Input") -> None:
        self._source = source

    def pressed(self) -> list[str]:
        """What was pressed since the last call, in lower case; "c-c" is Ctrl-C, which is no signal now."""
        keys = [press.key for press in self._source.read_keys()]
        names = [key.value if isinstance(key, Enum) else key.lower() for key in keys]
        return ["c-c"] if self._source.closed else names


@contextmanager
def keys() -> Iterator[Keys]:
    """The terminal's keys; the terminal is as it was afterwards."""
    from prompt_toolkit.input import create_input

    source = create_input()
    with source.raw_mode():
        yield Keys(source)


@contextmanager
def news(folders: Collection[Path], heard: Callable[[], None], deaf: Callable[[str], None]) -> Iterator[None]:
    """Call `heard` when anything happens right in one of the folders; `deaf` with the reason where no news comes.

    The folders and not the files: an editor that saves by renaming puts another file in the place of the old.
    """
    over = threading.Event()

    def listen() -> None:
        from watchfiles import watch

        try:
            # Never its polling, which sees whole seconds and so misses the second of two quick saves.
            for _ in watch(
                *folders, watch_filter=None, debounce=_STEP_MS, step=_STEP_MS, recursive=False, force_polling=False,
                stop_event=over, raise_interrupt=False, ignore_permission_denied=True,
            ):  # fmt: skip
                heard()
        except (OSError, RuntimeError) as error:
            deaf(str(error))

    threading.Thread(target=listen, name="saves", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def at_end_of_input(end: Callable[[], None]) -> None:
    """Call `end` when whoever writes to our standard input closes it. What they write is not read as keys."""
    if sys.stdin is None:
        return
    try:
        descriptor = sys.stdin.fileno()
        kind = os.fstat(descriptor).st_mode
    except (OSError, ValueError):
        return
    if stat.S_ISCHR(kind) and not sys.stdin.isatty():
        # /dev/null is at its end from the start: that says there is no input, not that we should leave.
        return

    def wait() -> None:
        try:
            while os.read(descriptor, 4096):
                pass
        except OSError:
            pass
        end()

    threading.Thread(target=wait, name="input", daemon=True).start()


class Leaving:
    """Whether anybody asked us to leave. No lock and no queue: a signal may come while one is held."""

    asked = False

    def ask(self, *_: object) -> None:
        self.asked = True


@contextmanager
def signals(leaving: Leaving) -> Iterator[None]:
    """Signals that would end the process ask it to leave."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, leaving.ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def own_temporary_folder() -> Iterator[None]:
    """All temporary files of this process beneath one folder, which goes even where their owners were cut short."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="autogradebook-", ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before
