"""The known answers of an exercise: `wrong/*.py` and `right/*.py`, with what each says of itself.

The docstring of a known answer is read, never run. A wrong one begins with two lines::

    misconception: stack-for-cat
    fails: test_join_rows, test_join_columns

and then says in prose what a beginner thought. A right one only says how it differs.
"""

import ast
from pathlib import Path

from grader.core.errors import BadExercise
from grader.core.exercise import Exercise, KnownAnswer


def known_answers(exercise: Exercise, kind: str) -> tuple[KnownAnswer, ...]:
    """The files of `wrong/` or `right/` in the order of their names. Raises BadExercise."""
    return tuple(_read(path, kind) for path in sorted((exercise.folder / kind).glob("*.py")))


def _read(path: Path, kind: str) -> KnownAnswer:
    source = path.read_text(encoding="utf-8")
    try:
        about = ast.get_docstring(ast.parse(source)) or ""
    except SyntaxError as fault:
        raise BadExercise(f"{path}: line {fault.lineno}: {fault.msg}.") from fault
    fields = {}
    lines = about.splitlines()
    while lines and ":" in lines[0] and lines[0].split(":")[0] in ("misconception", "fails"):
        key, _, value = lines.pop(0).partition(":")
        fields[key] = value.strip()
    fails = tuple(name.strip() for name in fields.get("fails", "").split(",") if name.strip())
    if kind == "wrong" and not (fails and "misconception" in fields):
        raise BadExercise(f"{path}: the docstring must begin with the lines 'misconception: …' and 'fails: …'.")
    return KnownAnswer(path, source, "\n".join(lines).strip(), fields.get("misconception"), fails)
