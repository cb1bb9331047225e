"""A judge in a process of its own, for a pool."""

import atexit
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from grader.catalogue.catalogue import Catalogue
from grader.core.attempt import Attempt
from grader.core.submission import Submission
from grader.judge.opening import open_judge
from grader.judge.settings import Settings

if TYPE_CHECKING:
    from grader.judge.judge import Judge

_judge: "Judge | None" = None


def judge_one(submission: Submission, pack: Path | None, names: tuple[str, ...], settings: Settings) -> Attempt:
    """Judge a submission to one of the exercises `names`. The first call makes this process a judge of them."""
    global _judge
    if _judge is None:
        tempfile.tempdir = settings.temporary or None
        catalogue = Catalogue.load(pack)
        judge = open_judge([exercise for exercise in catalogue if exercise.name in names], settings)
        judge.__enter__()
        atexit.register(judge.close)
        _judge = judge
    return _judge.judge(submission)
