"""The judge of `learn watch` and of notebooks: warm, in a thread of its own so that Ctrl-C is heard while it works."""

import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.cli.common import Desk
from grader.core.submission import Submission
from grader.core.verdict import Verdict

if TYPE_CHECKING:
    from grader.core.attempt import Attempt
    from grader.judge.judge import Judge

BREATH = 0.2
"""Seconds after a verdict in which nothing is made ready for the next one: first it is to be seen."""
AHEAD = 2.0
"""Seconds, at most, that the machine is kept busy after a verdict to make the next one come sooner."""


@dataclass(frozen=True)
class Wishes:
    """The options of the command line."""

    device: str = "cpu"
    worker: str = "auto"
    bubblewrap: bool = True
    poll: bool = False


class Bench:
    """The warm judge of all exercises. It tells what it did by the functions given, which it calls in its thread."""

    def __init__(
        self,
        desk: Desk,
        wishes: Wishes,
        ready: Callable[[], None],
        done: "Callable[[Submission, Attempt], None]",
        broken: Callable[[BaseException], None],
    ) -> None:
        self._desk, self._wishes = desk, wishes
        self._ready, self._done, self._broken = ready, done, broken
        self._waiting: queue.SimpleQueue[tuple[Submission, int | None] | None] = queue.SimpleQueue()
        self._slow: set[str] = set()
        """Exercises for which making ready takes long."""
        self._thread = threading.Thread(target=self._work, name="judge", daemon=True)
        self._thread.start()

    def judge(self, submission: Submission, seed: int | None = None) -> None:
        """Have it judged, with fresh inputs or with those of a seed."""
        self._waiting.put((submission, seed))

    def close(self, seconds: float) -> bool:
        """Whether the judge came to its end within so many seconds."""
        self._waiting.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            from grader.judge.device import resolve
            from grader.judge.opening import open_judge
            from grader.judge.settings import Settings

            workspace, wishes = self._desk.workspace, self._wishes
            settings = Settings(
                secrets.randbelow(2**31), resolve(wishes.device), wishes.worker, wishes.bubblewrap,
                workspace.language, (workspace.folder,),
            )  # fmt: skip
            with open_judge(list(self._desk.catalogue), settings) as judge:
                self._ready()
                last: Submission | None = None
                while True:
                    try:
                        asked = self._waiting.get(timeout=BREATH if last else None)
                    except queue.Empty:
                        assert last is not None
                        self._rehearse(judge, last)
                        last = None
                        continue
                    if asked is None:
                        break
                    submission, seed = asked
                    if seed is not None:
                        judge.reseed(seed)
                    attempt = judge.judge(submission)
                    self._done(submission, attempt)
                    # Fresh inputs each time: an answer written for those of the last check is wrong.
                    judge.reseed(secrets.randbelow(2**31))
                    last = submission if attempt.status is not Verdict.INTERNAL_ERROR else None
        except BaseException as fault:  # noqa: BLE001 - raised again in the main thread
            self._broken(fault)

    def _rehearse(self, judge: "Judge", submission: Submission) -> None:
        """While the learner thinks, for a while and until they save; not where it is slow, and the save would wait."""
        if submission.exercise in self._slow:
            return
        started = time.monotonic()

        def goes_on() -> bool:
            passed = time.monotonic() - started
            return passed < AHEAD and self._waiting.empty()

        judge.rehearse(submission, goes_on)
        if time.monotonic() - started > AHEAD + 0.5:
            self._slow.add(submission.exercise)
