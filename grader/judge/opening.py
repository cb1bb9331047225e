"""Opens a judge, in the order that wastes no second: first the sandbox, then everything else.

Importing torch takes most of a cold check, and it is done twice, in the judge and behind the wall. So the sandbox's
process is started before the judge imports anything heavy, and the two imports run at the same time. This module
imports no torch itself.
"""

import gc
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.catalogue.places import content_root
from grader.core.errors import WrongUsage
from grader.core.exercise import Exercise
from grader.core.submission import Submission
from grader.judge.device import cores
from grader.judge.settings import Settings
from grader.sandbox import warm
from grader.sandbox.client import Host, ZygoteHost
from grader.sandbox.spawn import SpawnHost

if TYPE_CHECKING:
    from grader.judge.judge import Judge


def open_judge(exercises: Sequence[Exercise], settings: Settings, only: Sequence[Submission] = ()) -> "Judge":
    """A judge of the exercises, still to be entered (`with open_judge(...) as judge`).

    only: the few submissions that it will be asked to judge, where they are known. Then it is made ready for these
    alone, which is sooner done; without it, for whatever may come.
    """
    host = start_host(exercises, settings, only)
    # What an import brings stays; looking through it for garbage again and again takes a sixth of the time.
    collects = gc.isenabled()
    gc.disable()
    try:
        from grader.judge.judge import Judge

        return Judge(exercises, settings, host)
    except BaseException:
        host.close()
        raise
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def start_host(exercises: Sequence[Exercise], settings: Settings, only: Sequence[Submission] = ()) -> Host:
    """Forks for the CPU where they can be had; whole processes for CUDA, macOS and Windows."""
    can_fork = sys.platform == "linux"
    if settings.worker == "fork" and (not can_fork or settings.device != "cpu"):
        raise WrongUsage("The fork worker runs on Linux and for the CPU only; leave --worker out.")
    needs = sorted({module for exercise in exercises for module in exercise.needs})
    parts = warm.parts_for(_run_in_a_sandbox(exercises, only)) if only else warm.PARTS
    packs = {folder for each in exercises for folder in (each.folder.parent, each.solution.parent)}
    hide = hidden((*settings.hidden, *sorted(packs)))
    if settings.worker == "spawn" or not can_fork or settings.device != "cpu":
        return SpawnHost(needs, hide, bubblewrap=settings.bubblewrap, device=settings.device, parts=parts)
    ahead = forks_ahead(settings)
    return ZygoteHost(needs, hide, bubblewrap=settings.bubblewrap, parts=parts, many=not only, ahead=ahead)


def forks_ahead(settings: Settings) -> bool:
    """Whether the next child is to be made while one works: where each judge has a core for it.

    Elsewhere it would be made no sooner, and as long as it waits, each page that the zygote writes to is copied.
    """
    return cores() >= 2 * settings.judges


def hidden(more: Iterable[Path] = ()) -> tuple[Path, ...]:
    """What no sandbox may see, wherever it lies: the answers and checks, and `more`, such as what others handed in.

    Of a file in `more`, the folder.
    """
    content = tuple(content_root() / name for name in ("exercises", "solutions", "templates", "tests"))
    return (*content, *(path if path.is_dir() else path.parent for path in more))


def _run_in_a_sandbox(exercises: Sequence[Exercise], submissions: Sequence[Submission]) -> Iterable[str]:
    yield from (submission.source for submission in submissions)
    for exercise in exercises:
        for file in (exercise.scenes, *sorted((exercise.folder / "wrong").glob("*.py"))):
            if file.is_file():
                yield file.read_text(encoding="utf-8")
