"""A judge in a process of its own, for a pool: `begin` once, then `judge_one` for each submission."""

import atexit
from pathlib import Path
from typing import TYPE_CHECKING

from grader.catalogue.catalogue import Catalogue
from grader.core.attempt import Attempt
from grader.core.submission import Submission
from grader.judge.settings import Settings

if TYPE_CHECKING:
    from grader.judge.judge import Judge

_judge: "Judge | None" = None


def begin(pack: Path | None, names: tuple[str, ...], settings: Settings) -> None:
    """Make this process a judge of the exercises `names`."""
    global _judge
    from grader.judge.judge import Judge

    catalogue = Catalogue.load(pack)
    _judge = Judge([exercise for exercise in catalogue if exercise.name in names], settings)
    _judge.__enter__()
    atexit.register(_judge.close)


def judge_one(submission: Submission) -> Attempt:
    assert _judge is not None
    return _judge.judge(submission)
