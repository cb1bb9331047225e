"""What a check did when it heard the same answers before.

A check asks, hears an answer, and asks on or ends: with the same seed, what it asks and how it ends follow from
what it heard and from nothing else (`--seed` promises it). So the judge keeps, for each check, the ways that it
went: the request, and for each answer that came back, byte for byte, the next request or the end. For a submission
that gives the same answers the requests are put to it in the same order and the end is known; the check itself runs
as soon as one answer is new, and is then given those that are there already. The learner's code runs in every case,
in a fresh child; what is spared is working out the same inputs and the same comparison again.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from grader.checks.failures import CheckFailed
from grader.core.exchange import Request
from grader.sandbox.client import Heard

MAX_WAYS = 2000
"""Ways kept for one check."""


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


class Recall:
    """The ways of all checks of one exercise under one seed."""

    def __init__(self) -> None:
        self._first: dict[str, _Fork] = {}
        self._ways: dict[str, int] = {}

    def follow(self, check: str, hear: Callable[[Request], Heard]) -> tuple[End | None, list[tuple[Request, Heard]]]:
        """Ask what the check would ask, for as long as the answers are known ones.

        Answers with how it ended, or None if it must run itself, and with what was asked and heard.
        """
        asked: list[tuple[Request, Heard]] = []
        place: _Fork | End | None = self._first.get(check)
        while isinstance(place, _Fork):
            heard = hear(place.request)
            asked.append((place.request, heard))
            place = place.then.get(_mark(heard))
        return place, asked

    def keep(self, check: str, asked: Sequence[tuple[Request, Heard]], end: End) -> None:
        """Remember a way that the check went."""
        if not asked or self._ways.get(check, 0) >= MAX_WAYS or not all(heard.plain for _, heard in asked):
            return
        here = self._first.setdefault(check, _Fork(asked[0][0]))
        for (_, heard), (request, _) in pairwise(asked):
            step = here.then.setdefault(_mark(heard), _Fork(request))
            if isinstance(step, End):
                return  # it ended here before: then it depends on more than what it hears
            here = step
        if here.then.setdefault(_mark(asked[-1][1]), end) is end:
            self._ways[check] = self._ways.get(check, 0) + 1

    def forget(self, check: str) -> None:
        """Do not follow this check any more: it asked something else after the same answers."""
        self._first.pop(check, None)
        self._ways[check] = MAX_WAYS


def _mark(heard: Heard) -> bytes:
    """Stands for an answer with what was printed; one that is not plain has a mark that nothing was kept under."""
    if not heard.plain:
        return b""
    printed = heard.printed.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(len(printed).to_bytes(8, "little") + printed + heard.payload, digest_size=16).digest()
