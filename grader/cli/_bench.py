"""The judge of `learn watch`: warm, in a thread of its own so that Ctrl-C is heard while it works."""

import queue
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.cli.common import Desk
from grader.core.submission import Submission
from grader.core.verdict import Verdict

if TYPE_CHECKING:
    from grader.core.attempt import Attempt
    from grader.judge.judge import Judge


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
        self._waiting: queue.SimpleQueue[Submission | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="judge", daemon=True)
        self._thread.start()

    def judge(self, submission: Submission) -> None:
        self._waiting.put(submission)

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
                while (submission := self._waiting.get()) is not None:
                    attempt = judge.judge(submission)
                    self._done(submission, attempt)
                    # Fresh inputs each time: an answer written for those of the last check is wrong.
                    judge.reseed(secrets.randbelow(2**31))
                    self._rehearse(judge, submission, attempt)
        except BaseException as fault:  # noqa: BLE001 - raised again in the main thread
            self._broken(fault)

    def _rehearse(self, judge: "Judge", submission: Submission, attempt: "Attempt") -> None:
        """Judge once more what was just judged, with the inputs of the next check, and tell nobody.

        Then the judge remembers what our own answers, right and wrong, say to those inputs, and the learner
        waits for their own code alone. Left out where that code is slow: the next save would wait for this.
        """
        swift = attempt.seconds < 1 and attempt.status in (Verdict.PASSED, Verdict.FAILED)
        if swift and self._waiting.empty():
            judge.judge(submission)
