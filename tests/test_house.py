"""The house is kept: lint, types, the direction of imports, and the promises of the packaging."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing():
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")


def test_types_are_right():
    run("mypy")


def test_imports_go_one_way():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_says_what_it_is():
    for path in (ROOT / "grader").rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_only_the_confinement_imports_what_linux_alone_has():
    """Everything else must be importable on macOS and Windows."""
    allowed = {"confinement.py", "landlock.py", "seccomp.py", "lock.py"}
    for path in (ROOT / "grader").rglob("*.py"):
        if path.name in allowed:
            continue
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {"fcntl", "resource", "pwd", "grp", "termios"} & set(names), path


def test_the_package_root_imports_nothing():
    code = "import sys; before = set(sys.modules); import grader; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['grader']"


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", "Makefile"])
def test_what_a_repository_owes(name):
    assert (ROOT / name).stat().st_size > 300
