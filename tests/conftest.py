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

_SYSTEM_PACKAGES = {"bubblewrap": "bwrap", "chromium": "chromium"}
# Where these are named, a test that would be skipped for want of one fails: `.ci/run` installs them.
_REQUIRED = set(filter(None, os.environ.get("AUTOGRADEBOOK_REQUIRE", "").split(",")))


# The longest files, which are best begun first where several processes share the suite.
_LONGEST = ("hostile", "workers", "watch", "survival", "gradescope", "notebook", "nbgrader", "exercises", "judge")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {f"test_{name}.py": number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))
    if not _has_gpu():
        for item in items:
            if item.get_closest_marker("gpu"):
                # Here, because a fixture of the module would be set up before one of the test could skip it.
                item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


def do_without(package: str, reason: str = "") -> None:
    """Skip the test, saying what to install; fail where the package is required."""
    told = f"{reason or package + ' is not here'}: install the system package {package} to run this test"
    if package in _REQUIRED:
        pytest.fail(told)
    pytest.skip(told)


@pytest.fixture(autouse=True)
def _system_packages(request: pytest.FixtureRequest) -> None:
    for package, program in _SYSTEM_PACKAGES.items():
        if request.node.get_closest_marker(package) and shutil.which(program) is None:
            do_without(package)


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

    with Judge([probe], Settings(seed=7, **WORKERS[request.param])) as judge:
        if request.param == "fork" and judge.confinement != "full":
            do_without("bubblewrap", f"the confinement is only {judge.confinement}")
        yield judge
