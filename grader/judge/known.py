"""What our own answers say: the reference solution, and the known wrong ones."""

import ast
import functools
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from itertools import pairwise
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

    def misconception(self, check: str, log: Sequence[tuple[Request, Reply]], source: str) -> str | None:
        """The slug of the wrong idea whose answer says, to the same requests, what the learner's said.

        First an answer that agrees in everything that can be observed; else one that agrees in the values,
        if the learner's values are not the right ones, and of several the first by name. They are asked one after
        another, and no more once one agrees, since each may cost a process: at first those that have most in common
        with the learner's `source`.
        """
        if not log:
            return None
        requests = [request for request, _ in log]
        yours = [reply for _, reply in log]
        # `learn author verify` proves that no two of different ideas agree in everything: any order is as good.
        for answer in self._suspects(check, source):
            if self._agrees(answer, requests, yours, strictly=True):
                return answer.misconception
        if self._right(requests, yours):
            return None
        for answer in self._wrong:
            if check in answer.fails and self._agrees(answer, requests, yours, strictly=False):
                return answer.misconception
        return None

    def ask_ahead(self, asked: Mapping[str, Sequence[Request]], source: str, goes_on: Callable[[], bool]) -> None:
        """Ask the wrong answers what each check is going to ask, so that nobody waits for it later.

        asked: the requests of each check, as the reference is asked them. goes_on: asked before each; it may
        have become more urgent to do something else.
        """
        for check, requests in asked.items():
            for answer in self._suspects(check, source):
                if not goes_on():
                    return
                if requests:
                    with closing(self._replay(answer)) as replay:
                        replay.reply(requests)

    def _suspects(self, check: str, source: str) -> list[KnownAnswer]:
        """The answers that fail the check, those that are most like `source` first."""
        yours = _pairs(source)

        def likeness(answer: KnownAnswer) -> float:
            # What it has beyond the reference is what makes it wrong.
            its_own = _pairs(answer.source) - _pairs(self._solution)
            return len(its_own & yours) / max(len(its_own), 1)

        return sorted((answer for answer in self._wrong if check in answer.fails), key=likeness, reverse=True)

    def _right(self, requests: Sequence[Request], yours: Sequence[Reply]) -> bool:
        reference = self.reference()
        try:
            return all(
                same_reply(reply, reference.reply(requests[: index + 1]), strictly=False)
                for index, reply in enumerate(yours)
            )
        finally:
            reference.close()

    def _agrees(self, answer: KnownAnswer, requests: Sequence[Request], yours: Sequence[Reply], strictly: bool) -> bool:
        with closing(self._replay(answer)) as replay:
            return all(
                same_reply(reply, replay.reply(requests[: index + 1]), strictly=strictly)
                for index, reply in enumerate(yours)
            )

    def _replay(self, answer: KnownAnswer) -> Replay:
        """In a sandbox, as a wrong answer may do anything; it is not one that ever held a learner's code."""
        return Replay(
            self._memo(answer.path),
            lambda: ConfinedBackend(
                self._host, self._exercise.file_name, answer.source, self.scenes, self._exercise.limits
            ),
        )

    def forget(self) -> None:
        """What was remembered for other inputs."""
        self._memos.clear()

    def _memo(self, path: Path) -> dict[bytes, Reply]:
        return self._memos.setdefault(path, {})


@functools.lru_cache(256)
def _pairs(source: str) -> frozenset[tuple[str, str]]:
    """The pairs of neighbouring words and signs of a file, without its comments, layout and docstring."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    words = re.findall(r"\w+|[^\w\s]", ast.unparse(tree))
    return frozenset(pairwise(words))


def scenes_of(exercise: Exercise) -> bytes | None:
    """The exercise's scenes, compiled."""
    return compile_scenes(exercise.scenes.read_text(encoding="utf-8")) if exercise.scenes.is_file() else None
