"""What a check did when it heard the same answers before.

A check asks, hears an answer, and asks on or ends: with the same seed, what it asks and how it ends follow from
what it heard and from nothing else (`--seed` promises it). So the judge keeps, for each check, the ways that it
went: the request, and for each answer that came back, byte for byte, the next request or the end. For a submission
that gives the same answers the requests are put to it in the same order and the end is known; the check itself runs
as soon as one answer is new, and is then given those that are there already. The learner's code runs in every case,
in a fresh child; what is spared is working out the same inputs and the same comparison again.

Where one answer only is known at each step, the requests are put ahead of the answers, so that judge and child do
not wait for each other each time. If an answer is another one then, what came after it should not have been asked:
the whole submission is judged again, in a fresh child and step by step (`Unforetold`). So no verdict depends on what
others handed in.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from grader.checks.failures import CheckFailed
from grader.core.exchange import Request, Word
from grader.sandbox.client import Heard
from grader.sandbox.session import encode_request

MAX_WAYS = 2000
"""Ways kept for one check."""
QUICK_SECONDS = 0.05
"""What takes longer is asked by itself: waiting for it costs more than asking."""
PATIENCE_SECONDS = 1.0
"""For an answer to what was asked ahead; in earnest the exercise's own limit is kept."""
_AHEAD_BYTES = 1 << 20


class Unforetold(Exception):
    """What was asked ahead was answered otherwise: the learner's code was asked what it should not have been."""


@dataclass(frozen=True)
class End:
    """How a check ended: `error` is None where it passed."""

    error: CheckFailed | None
    misconception: str | None


@dataclass
class _Fork:
    """The request that a check puts at this place, and what follows by the answer."""

    request: Request
    then: "dict[bytes, _Fork | End]" = field(default_factory=dict)
    alone: bool = False
    """To be asked by itself: it is slow, prints, or ends the process."""

    def heard(self, request: Request, heard: Heard) -> None:
        self.alone |= request.word is Word.RESTART or heard.seconds > QUICK_SECONDS or bool(heard.printed)


Asked = list[tuple[Request, Heard]]


class Recall:
    """The ways of all checks of one exercise under one seed."""

    def __init__(self) -> None:
        self._first: dict[str, _Fork] = {}
        self._ways: dict[str, int] = {}
        self._ahead = 0
        self._foretold = 0

    @property
    def worth_asking_ahead(self) -> bool:
        """Judging a submission twice costs about eight times what is gained by one that is as foretold."""
        return (self._ahead - self._foretold) * 8 <= self._ahead + 16

    def went(self, *, as_foretold: bool) -> None:
        """A submission was asked ahead."""
        self._ahead += 1
        self._foretold += as_foretold

    def follow(
        self,
        check: str,
        hear: Callable[[Request], Heard],
        hear_all: Callable[[Sequence[Request], float], list[Heard]] | None = None,
    ) -> tuple[End | None, Asked]:
        """Ask what the check would ask, for as long as the answers are known ones.

        Answers with how it ended, or None if it must run itself, and with what was asked and heard.
        hear_all: asks ahead (`ConfinedBackend.hear_all`). Raises Unforetold.
        """
        asked: Asked = []
        place: _Fork | End | None = self._first.get(check)
        while isinstance(place, _Fork):
            certain = _certain(place) if hear_all is not None else [place]
            if hear_all is not None and len(certain) > 1:
                answers = hear_all([fork.request for fork in certain], PATIENCE_SECONDS)
                if len(answers) < len(certain) or any(
                    _mark(heard) not in fork.then for fork, heard in zip(certain[:-1], answers, strict=False)
                ):
                    raise Unforetold
            else:
                answers = [hear(place.request)]
            asked.extend((fork.request, heard) for fork, heard in zip(certain, answers, strict=True))
            place = certain[-1].then.get(_mark(answers[-1]))
        return place, asked

    def keep(self, check: str, asked: Asked, end: End) -> None:
        """Remember a way that the check went."""
        if not asked or self._ways.get(check, 0) >= MAX_WAYS or not all(heard.plain for _, heard in asked):
            return
        here = self._first.setdefault(check, _Fork(asked[0][0]))
        for (past, heard), (request, _) in pairwise(asked):
            here.heard(past, heard)
            step = here.then.setdefault(_mark(heard), _Fork(request))
            if isinstance(step, End):
                return  # it ended here before: then it depends on more than what it hears
            here = step
        here.heard(*asked[-1])
        if here.then.setdefault(_mark(asked[-1][1]), end) is end:
            self._ways[check] = self._ways.get(check, 0) + 1

    def forget(self, check: str) -> None:
        """Do not follow this check any more: it asked something else after the same answers."""
        self._first.pop(check, None)
        self._ways[check] = MAX_WAYS


def _certain(place: _Fork) -> list[_Fork]:
    """From here to the next place where more than one answer is known, or where something is asked by itself."""
    run, size = [place], 0
    while not place.alone and len(place.then) == 1:
        (step,) = place.then.values()
        size += len(encode_request(place.request))
        if isinstance(step, End) or step.alone or size > _AHEAD_BYTES:
            break
        run.append(step)
        place = step
    return run


def _mark(heard: Heard) -> bytes:
    """Stands for an answer with what was printed; one that is not plain has a mark that nothing was kept under."""
    if not heard.plain:
        return b""
    printed = heard.printed.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(len(printed).to_bytes(8, "little") + printed + heard.payload, digest_size=16).digest()
