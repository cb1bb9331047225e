"""A `.ipynb` file: the Python of its code cells as one text that remembers where each cell began.

A cell that Python can't compile is left out with a note, and the others are graded; where no other is left, it is
graded as it is, so that its author sees the line and the caret. A cell's number is its place in the notebook,
counting every cell from 1, as editors show it ("cell 3 of 12").
"""

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.core.text import one_line
from grader.intake.decoded import (
    MAX_NOTEBOOK,
    MAX_PYTHON,
    Decoded,
    NotReadable,
    megabytes,
    refuse_other_unicode,
)
from grader.intake.magics import Place, leave_out, without_our_head

_MAX_NOTES = 20
_MAX_CHECKED = 32 << 10
"""Characters of a cell up to which it is compiled to see whether it can be: a stranger's text can be made to
take time that grows with the square of its length. A longer cell is taken as it is."""


@dataclass(frozen=True)
class Cell:
    """The code of one cell."""

    number: int
    code: str


def decode(data: bytes) -> Decoded:
    """The code of a notebook's cells, a blank line between them."""
    if len(data) > MAX_NOTEBOOK:
        raise NotReadable(f"It is larger than {megabytes(MAX_NOTEBOOK)}; clear its outputs and save it again.")
    notes: list[str] = []
    kept: list[Cell] = []
    cells = list(_code_cells(_cells(data)))
    if sum(len(cell.code) for cell in cells) > MAX_PYTHON:
        raise NotReadable(f"Its code is larger than {megabytes(MAX_PYTHON)}.")
    broken: list[Cell] = []
    for cell in cells:
        code = python_of(cell, notes)
        if code is None:
            broken.append(cell)
        elif code.strip():
            kept.append(Cell(cell.number, code))
    if broken and not any(_says_something(cell.code) for cell in kept):
        first = broken[0]
        notes[:] = [note for note in notes if not note.startswith(f"Cell {first.number} was left out")]
        kept.append(Cell(first.number, leave_out(without_our_head(first.code))[0]))
        kept.sort(key=lambda cell: cell.number)
    if not kept:
        notes.append("The notebook holds no code that could be graded.")
    if len(notes) > _MAX_NOTES:
        notes[_MAX_NOTES:] = [f"And {len(notes) - _MAX_NOTES} more of the same kind."]
    return join(kept, notes)


def _cells(data: bytes) -> list[Any]:
    # Imported here, because a command that reads no notebook should not wait for it.
    import nbformat

    refuse_other_unicode(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReadable("It is not UTF-8, as every notebook is; save it from Jupyter again.") from None
    # nbformat logs what is not quite valid in old notebooks; it is of no use to whoever grades a class.
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.convert(nbformat.reader.reads(text), 4)
        language = notebook.metadata.get("kernelspec", {}).get("language", "python")
        cells = list(notebook["cells"])
    except nbformat.reader.NotJSONError:
        raise NotReadable("It is not a notebook: its content is not JSON. Save it from Jupyter again.") from None
    except Exception:  # noqa: BLE001 - what nbformat raises for JSON that is no notebook is not promised
        raise NotReadable("It is JSON, but not a notebook that can be read. Save it from Jupyter again.") from None
    if isinstance(language, str) and language.casefold() not in ("", "python", "python3", "ipython"):
        raise NotReadable(f"It is a notebook for {one_line(language, 30)}, not for Python.")
    return cells


def _code_cells(cells: list[Any]) -> Iterator[Cell]:
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code" or _is_test(cell):
            continue
        code = cell.get("source", "")
        if isinstance(code, list):
            code = "".join(part for part in code if isinstance(part, str))
        if isinstance(code, str):
            yield Cell(number, code.replace("\r\n", "\n").replace("\r", "\n").rstrip())


def _is_test(cell: dict[str, Any]) -> bool:
    """Whether nbgrader put this cell there to test the others: it is not the learner's."""
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return isinstance(mark, dict) and bool(mark.get("grade")) and not mark.get("solution")


def python_of(cell: Cell, notes: list[str]) -> str | None:
    """The cell's code without what only IPython understands; None where it does not compile, with a note."""
    whole = without_our_head(cell.code)
    if len(whole) > _MAX_CHECKED or _fault(whole) is None:
        return whole
    code, left_out = leave_out(whole)
    fault = _fault(code)
    if fault is not None:
        notes.append(f"Cell {cell.number} was left out: {fault}.")
        return None
    for line, text in left_out:
        notes.append(f"Cell {cell.number}, line {line} was left out, it is not Python: {text}")
    return code


def _says_something(code: str) -> bool:
    """Whether anything is left in a cell but comments and what stands for a line of IPython's."""
    lines = (line.partition("#")[0].strip() for line in code.split("\n"))
    return any(line not in ("", "pass") for line in lines)


def _fault(code: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno or 1}, {one_line(error.msg, 120)}"
    except Exception:  # noqa: BLE001 - a stranger's text can exhaust recursion or memory, or be no text
        return "Python can't compile it (too deeply nested, or not text)"
    return None


def join(cells: list[Cell], notes: list[str]) -> Decoded:
    texts = [cell.code for cell in cells]
    features: list[str] = []
    if any("__future__" in text for text in texts[1:]):
        # In a notebook `from __future__ import` may stand in any cell, in a file only at the top.
        texts = [_without_future(text, features) for text in texts]
    head = f"from __future__ import {', '.join(features)}\n\n" if features else ""
    line = head.count("\n") + 1
    starts = []
    for cell, text in zip(cells, texts, strict=True):
        starts.append((cell.number, line))
        line += text.count("\n") + 2
    source = head + "\n\n".join(texts) + "\n" if texts else ""
    return Decoded(source, tuple(starts), tuple(notes))


def _without_future(code: str, features: list[str]) -> str:
    """`code` with its `from __future__ import` lines made `pass`; what they import is added to `features`."""
    lines = code.split("\n")
    place = Place()
    for at, line in enumerate(lines):
        if place.at_statement and line.startswith("from"):
            words = line.partition("#")[0].split(None, 3)
            names = [name.strip() for name in words[3].split(",")] if len(words) == 4 else []
            if words[:3] == ["from", "__future__", "import"] and all(map(str.isidentifier, names)):
                features += names
                lines[at] = f"pass  # moved to the top: {line}"
        place.feed(line)
    return "\n".join(lines)
