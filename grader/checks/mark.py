"""`@check`: what makes a test function a graded check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Terms:
    """What a check is worth and what it waits for."""

    points: float = 1.0
    needs: tuple[str, ...] = ()
    device: str | None = None


def check(
    *, points: float = 1.0, needs: str | Sequence[str] = (), device: str | None = None
) -> Callable[[_Function], _Function]:
    """Mark a test function as a graded check.

    points: what it earns when it passes.
    needs: names of checks that must pass first; else this one is skipped and says what it waits for.
    device: "cuda" for a check that means something only there; elsewhere it is skipped and its points do
        not count.

    The first line of the function's docstring is the check's title.
    """
    terms = Terms(float(points), (needs,) if isinstance(needs, str) else tuple(needs), device)
    return pytest.mark.graded(terms)
