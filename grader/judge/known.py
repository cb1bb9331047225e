"""What our own answers say: the reference solution, and the known wrong ones."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from grader.checks.compare import same_reply
from grader.core.exchange import Backend, Reply, Request, Word
from grader.core.exercise import Exercise, KnownAnswer
from grader.sandbox.client import ConfinedBackend, Host, LocalBackend
from grader.sandbox.session import compile_scenes, encode_request

MEMO_LIMIT = 4096
"""Replies remembered for one answer; a class asks the same few hundred again and again."""


class _Closable(Backend, Protocol):
    def close(self) -> None: ...


class Replay:
    """One known answer's replies to a growing list of requests, asked only if nobody asked them before.

    `memo` is shared by all replays of the same answer. Its key is a digest over all requests so far, since an
    answer may hold state.
    """

    def __init__(self, memo: dict[bytes, Reply], begin: Callable[[], _Closable]) -> None:
        self._memo = memo
        self._begin = begin
        self._backend: _Closable | None = None
        self._asked = 0
        self._keys: list[bytes] = []

    def reply(self, requests: Sequence[Request]) -> Reply:
        """The reply to the last of `requests`, all before it having been asked."""
        while len(self._keys) < len(requests):
            request = requests[len(self._keys)]
            so_far = self._keys[-1] if self._keys else b""
            told = b"restart" if request.word is Word.RESTART else encode_request(request)
            self._keys.append(hashlib.blake2b(so_far + told, digest_size=16).digest())
        key = self._keys[len(requests) - 1]
        if key not in self._memo:
            if self._backend is None:
                self._backend = self._begin()
            if len(self._memo) > MEMO_LIMIT:
                self._memo.clear()
            for index in range(self._asked, len(requests)):
                self._memo[self._keys[index]] = self._backend.ask(requests[index])
            self._asked = len(requests)
            if key not in self._memo:
                # Forgotten since it was asked: begin again.
                self.close()
                return self.reply(requests)
        return self._memo[key]

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None
            self._asked = 0


class KnownAnswers:
    """The reference and the wrong answers of one exercise."""

    def __init__(self, exercise: Exercise, wrong: Sequence[KnownAnswer], host: Host) -> None:
        self._exercise = exercise
        self._wrong = wrong
        self._host = host
        self.scenes = scenes_of(exercise)
        self._solution = exercise.solution.read_text(encoding="utf-8")
        self._memos: dict[Path, dict[bytes, Reply]] = {}

    def reference(self) -> Replay:
        """In the judge's own process: it is our code, and no learner's ever runs beside it."""
        return Replay(
            self._memo(self._exercise.solution),
            self.reference_backend,
        )

    def reference_backend(self) -> LocalBackend:
        return LocalBackend(self._exercise.file_name, self._solution, self.scenes, self._host.device)

    def misconception(self, check: str, log: Sequence[tuple[Request, Reply]]) -> str | None:
        """The slug of the wrong idea whose answer says, to the same requests, what the learner's said.

        First an answer that agrees in everything that can be observed; else one that agrees in the values,
        if the learner's values are not the right ones.
        """
        if not log:
            return None
        requests = [request for request, _ in log]
        yours = [reply for _, reply in log]
        suspects = [
            (answer.misconception, self._replies(answer, requests)) for answer in self._wrong if check in answer.fails
        ]
        for strictly in (True, False):
            if not strictly and self._right(requests, yours):
                return None
            for slug, replies in suspects:
                if all(same_reply(a, b, strictly=strictly) for a, b in zip(yours, replies, strict=True)):
                    return slug
        return None

    def _right(self, requests: Sequence[Request], yours: Sequence[Reply]) -> bool:
        reference = self.reference()
        try:
            return all(
                same_reply(reply, reference.reply(requests[: index + 1]), strictly=False)
                for index, reply in enumerate(yours)
            )
        finally:
            reference.close()

    def _replies(self, answer: KnownAnswer, requests: Sequence[Request]) -> list[Reply]:
        """In a sandbox, as a wrong answer may do anything; it is not one that ever held a learner's code."""
        replay = Replay(
            self._memo(answer.path),
            lambda: ConfinedBackend(
                self._host, self._exercise.file_name, answer.source, self.scenes, self._exercise.limits
            ),
        )
        try:
            # The last first: if nothing is remembered, it makes the replay ask all the others on the way.
            replay.reply(requests)
            return [replay.reply(requests[: index + 1]) for index in range(len(requests))]
        finally:
            replay.close()

    def _memo(self, path: Path) -> dict[bytes, Reply]:
        return self._memos.setdefault(path, {})


def scenes_of(exercise: Exercise) -> bytes | None:
    """The exercise's scenes, compiled."""
    return compile_scenes(exercise.scenes.read_text(encoding="utf-8")) if exercise.scenes.is_file() else None
