"""What several tests use: the made-up pack, submissions from text, and judges that are started once."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.catalogue import Catalogue
from grader.core.submission import Submission, digest

PACK = Path(__file__).parent / "pack"
WORKERS = {
    "fork": {"worker": "fork", "bubblewrap": True},
    "fork without bubblewrap": {"worker": "fork", "bubblewrap": False},
    "spawn": {"worker": "spawn", "bubblewrap": True},
}

requires_bubblewrap = pytest.mark.bubblewrap
requires_chromium = pytest.mark.chromium

_HOW_TO_GET = {
    "bubblewrap": ("bwrap", "install the system package bubblewrap"),
    "chromium": ("chromium", "install the system package chromium"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark, (program, how) in _HOW_TO_GET.items():
            if item.get_closest_marker(mark) and shutil.which(program) is None:
                item.add_marker(pytest.mark.skip(reason=f"{program} is not here: {how} to run this test"))
        if item.get_closest_marker("gpu") and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


def _has_gpu() -> bool:
    return os.path.exists("/dev/nvidiactl") or os.environ.get("AUTOGRADEBOOK_TEST_GPU") == "1"


@pytest.fixture(scope="session")
def probe_pack() -> Path:
    return PACK


@pytest.fixture(scope="session")
def probe():
    """The made-up exercise 01_probe."""
    return Catalogue.load(PACK).find("01")


@pytest.fixture(scope="session")
def submission() -> Callable[..., Submission]:
    def make(source: str, exercise: str = "01_probe", student: str = "s01") -> Submission:
        return Submission(student, exercise, f"{student}/{exercise}.py", source, digest(source.encode()))

    return make


@pytest.fixture(scope="session", params=[p for p in WORKERS if sys.platform == "linux" or p == "spawn"])
def judge(request, probe) -> Iterator:
    """A judge of 01_probe, once with each kind of worker."""
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    if request.param == "fork" and shutil.which("bwrap") is None:
        pytest.skip("bwrap is not here: install the system package bubblewrap to run this test")
    with Judge([probe], Settings(seed=7, **WORKERS[request.param])) as judge:
        yield judge
