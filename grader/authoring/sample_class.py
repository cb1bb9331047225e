"""A made-up class: `python -m grader.authoring.sample_class FOLDER --students 30`.

Every student has a character: most answer well, some hold a misconception, some are half done, some hand in
files that crash, hang or are not Python. What each file deserves is known, so that a test can compare.
"""

import argparse
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.catalogue import Catalogue, known_answers
from grader.core.exercise import Exercise
from grader.core.verdict import Verdict

_NAMES = (
    "ada", "bo", "chen", "dara", "emil", "fatima", "goran", "hana", "ines", "jonas", "kofi", "lena", "mei",
    "noor", "oskar", "priya", "quinn", "rosa", "sami", "tara", "umut", "vera", "wei", "xenia", "yara", "zoe",
    "anton", "bella", "cyrus", "dina",
)  # fmt: skip


@dataclass(frozen=True)
class Deserved:
    """One file of the class, and what it must get."""

    student: str
    exercise: str
    path: Path
    kind: str
    status: Verdict
    full: bool
    """Whether it must earn all points (False: less than all, or none)."""
    fails: frozenset[str] | None = None
    """For a known wrong answer: exactly the checks that must fail."""


def write_class(folder: Path, students: int, catalogue: Catalogue, seed: int = 0) -> list[Deserved]:
    """Write the class into `folder`; answers with what every file deserves. The same seed writes the same class."""
    dice = random.Random(seed)
    deserved = []
    for index in range(students):
        name = _NAMES[index % len(_NAMES)] + (str(index // len(_NAMES) + 1) if index >= len(_NAMES) else "")
        for place, exercise in enumerate(catalogue):
            made = _answer(exercise, index, place, dice)
            if made is None:
                continue
            kind, source, status, full, fails = made
            notebook = index % 7 == 3 and kind in ("right", "wrong", "solution")
            path = folder / name / f"{exercise.name}{'.ipynb' if notebook else '.py'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_as_notebook(source) if notebook else source, encoding="utf-8")
            deserved.append(Deserved(name, exercise.name, path, kind, status, full, fails))
    if students > 4:
        (folder / _NAMES[4] / "notes.docx").write_bytes(b"PK\x03\x04 not a submission")
        (folder / _NAMES[2] / "99_unheard_of.py").write_text("print('hello')\n")
    return deserved


_Made = tuple[str, str, Verdict, bool, frozenset[str] | None]


def _answer(exercise: Exercise, index: int, place: int, dice: random.Random) -> _Made | None:
    """What student `index` hands in for the exercise; None: nothing."""
    solution = exercise.solution.read_text(encoding="utf-8")
    special = _SPECIAL.get(index)
    # A character shows in one exercise; in the others the student answers like everybody else.
    if special is not None and place == index % 3:
        return special(exercise, solution)
    roll = dice.random()
    if roll < 0.45:
        return "solution", solution, Verdict.PASSED, True, None
    if roll < 0.6:
        return "right", dice.choice(known_answers(exercise, "right")).source, Verdict.PASSED, True, None
    if roll < 0.92:
        wrong = dice.choice(known_answers(exercise, "wrong"))
        return "wrong", wrong.source, Verdict.FAILED, False, frozenset(wrong.fails)
    if roll < 0.96:
        return "stub", exercise.stub.read_text(encoding="utf-8"), Verdict.NOT_ATTEMPTED, False, None
    return None


def _crashing(exercise: Exercise, solution: str) -> _Made:
    return "crashing", _first_function(solution, "import os; os._exit(0)"), Verdict.CRASHED, False, None


def _segfault(exercise: Exercise, solution: str) -> _Made:
    return "segfault", _first_function(solution, "import ctypes; ctypes.string_at(0)"), Verdict.CRASHED, False, None


def _hanging(exercise: Exercise, solution: str) -> _Made:
    return "hanging", _first_function(solution, "while True: pass"), Verdict.TIMEOUT, False, None


def _not_python(exercise: Exercise, solution: str) -> _Made:
    return "not python", "def broken(:\n    return\n", Verdict.ERROR, False, None


def _exits_at_import(exercise: Exercise, solution: str) -> _Made:
    return "exits at import", f"raise SystemExit(0)\n\n{solution}", Verdict.ERROR, False, None


def _half_done(exercise: Exercise, solution: str) -> _Made:
    body = 'raise NotImplementedError("TODO")'
    return "half done", _last_function(solution, body), Verdict.FAILED, False, None


_SPECIAL: dict[int, Callable[[Exercise, str], _Made]] = {
    1: _crashing,
    3: _half_done,
    5: _hanging,
    8: _not_python,
    12: _segfault,
    14: _half_done,
    17: _exits_at_import,
    20: _half_done,
    23: _hanging,
}


def _functions(source: str) -> Iterator[tuple[int, str]]:
    """(line, indentation of the body) of each function at the top level or in a class."""
    lines = source.splitlines()
    for number, line in enumerate(lines):
        stripped = line.lstrip()
        if stripped.startswith("def ") and line.rstrip().endswith(":"):
            yield number, " " * (len(line) - len(stripped) + 4)


def _first_function(source: str, body: str) -> str:
    return _put(source, next(_functions(source)), body)


def _last_function(source: str, body: str) -> str:
    return _put(source, list(_functions(source))[-1], body)


def _put(source: str, function: tuple[int, str], body: str) -> str:
    """The source with `body` as the first statement of the function."""
    number, indent = function
    lines = source.splitlines()
    return "\n".join([*lines[: number + 1], indent + body, *lines[number + 1 :]]) + "\n"


def _as_notebook(source: str) -> str:
    import nbformat

    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_markdown_cell("# My answer"),
        nbformat.v4.new_code_cell("%matplotlib inline\nimport torch"),
        nbformat.v4.new_code_cell(source.rstrip()),
    ]
    # Ids are random: the same class must be the same bytes.
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number}"
    text: str = nbformat.writes(book)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    deserved = write_class(asked.folder, asked.students, Catalogue.load(), asked.seed)
    print(f"{len(deserved)} files of {asked.students} made-up students in {asked.folder}")


if __name__ == "__main__":
    main()
