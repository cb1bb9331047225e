"""The installed wheel: it carries the content, works, and keeps its solutions out of the sandbox's sight."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from grader.catalogue import Catalogue

ROOT = Path(__file__).parents[1]

LOOKING = """
import os

def join_rows(tables):
    import grader
    root = os.path.dirname(os.path.abspath(grader.__file__))
    found = []
    # The last two may be read: they show that the search finds what is there.
    for name in ("", "content/solutions", "content/exercises", "judge", "core", "sandbox"):
        for _, _, names in os.walk(os.path.join(root, name)):
            found += names
    raise ValueError("FOUND " + " ".join(sorted(set(found))))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(folder),
            str(ROOT),
        ],
        check=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel; torch and the rest are those of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
    )  # fmt: skip
    # A path that comes by a .pth file brings its packages, and not the editable install that lies among them.
    (site / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)],
        check=True,
    )
    return python


def test_the_wheel_carries_exercises_solutions_and_templates(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for exercise in Catalogue.load():
        assert f"grader/content/solutions/{exercise.name}.py" in names
        for file in ("exercise.toml", "README.md", "stub.py", "checks.py"):
            assert f"grader/content/exercises/{exercise.name}/{file}" in names
    assert any(name.startswith("grader/content/templates/") for name in names)
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_a_learner_can_work_with_it(installed, tmp_path):
    def learn(*words, cwd=tmp_path):
        return subprocess.run(
            [installed, "-m", "grader.cli", *words], cwd=cwd, capture_output=True, text=True, check=False
        )

    assert learn("init", "w").returncode == 0
    where = learn("doctor", cwd=tmp_path / "w").stdout
    assert str(installed.parents[1]) in where
    exercise = Catalogue.load().find("04")
    (tmp_path / "w/04_cat_and_stack.py").write_text(exercise.solution.read_text())
    told = learn("check", "04", cwd=tmp_path / "w")
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="confinement is Linux's")
@pytest.mark.parametrize("more", [(), ("--no-bubblewrap",)], ids=["bubblewrap", "without bubblewrap"])
def test_the_solutions_are_out_of_reach(installed, tmp_path, more):
    file = tmp_path / "04_cat_and_stack.py"
    file.write_text(LOOKING)
    told = subprocess.run(
        [installed, "-m", "grader.cli", "check", str(file), "--json", *more],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = next(c["message"] for c in json.loads(told.stdout)["checks"] if "FOUND" in c["message"])
    assert "zygote.py" in found
    for secret in ("checks.py", "04_cat_and_stack.py", "stub.py", "judge.py", "known.py"):
        assert secret not in found
