"""What a running notebook has defined, as one text that can be graded.

Cells are run in any order, again, and half of them only try something out. So of every cell that was run, in the
order of running, those statements are taken that an answer is made of, directly or by what it uses: imports,
functions, classes and assignments, in their last version. What only calls, prints, plots or trains is left out.
A line keeps its place in its cell, so that it can be named as the learner knows it.

Python's own symbol tables say what a statement binds and what it looks up. What it looks up at once (a base class, a
decorator, the right side of an assignment) is taken as it was by then; what a function looks up when it is called is
taken as it is now.
"""

import ast
import symtable
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from grader.intake.decoded import MAX_PYTHON, Decoded, NotReadable, megabytes
from grader.intake.magics import leave_out
from grader.intake.notebook import Cell, join, python_of

_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)

History = Sequence[tuple[int, str]]
"""The cells that were run, in order: the number that the notebook shows, and the text as it was typed."""


def names_of(source: str) -> tuple[str, ...]:
    """What a file defines at its top level."""
    found = (name for node in ast.parse(source).body if isinstance(node, _DEFINES) for name in _tables(node)[0])
    return tuple(dict.fromkeys(found))


def defined(history: History, names: Sequence[str]) -> Decoded:
    """What the cells made of `names`. Raises NotReadable where they made nothing of them."""
    cells = _cells(history)
    ran = _Ran(cells)
    ran.take(names)
    if not ran.taken:
        wanted = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        raise NotReadable(f"No cell that was run defines {wanted}. Run the cell with your answer, then this one again.")
    return join(ran.kept(cells), [])


def standing_alone(history: History, number: int, body: str) -> Decoded:
    """The whole of a cell, whose first line is our magic, with what it takes from the cells that were run before.

    Code that Python can't read stays as it is, so that the line and the caret are shown.
    """
    _refuse_too_long([body])
    code = "\n" + body
    notes: list[str] = []
    python = python_of(Cell(number, code), notes)
    if python is None:
        return Decoded(leave_out(code)[0])
    cells, own = _cells(history), list(_statements(0, python, every=True))
    ran = _Ran(cells)
    ran.take(frozenset().union(*(one.at_once | one.later for one in own)).difference(*(one.binds for one in own)))
    taken = ran.kept(cells)
    return join([*taken, Cell(number, python)], notes) if taken else Decoded(python, notes=tuple(notes))


@dataclass(frozen=True)
class _Statement:
    cell: int
    """Its place among the cells."""
    lines: tuple[int, int]
    """First and last, in the cell."""
    binds: frozenset[str]
    changes: frozenset[str]
    """Names of which only a part is set: `Net.forward = f`, `table["a"] = 1`."""
    at_once: frozenset[str]
    """Names that it looks up when it is run."""
    later: frozenset[str]
    """Names that its functions look up when they are called."""
    replaces: bool
    """Whether what its names were before no longer matters. Never for an import: it may come again and again."""
    always: bool
    """Whether it is taken with anything else: it does not say what it binds."""


@dataclass
class _Ran:
    """The statements that were run, and those that are taken."""

    cells: Sequence[Cell]
    statements: list[_Statement] = field(init=False)
    taken: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.statements = [one for place, cell in enumerate(self.cells) for one in _statements(place, cell.code)]

    def take(self, names: Iterable[str]) -> None:
        """Take the statements that made these names what they are, and what those needed."""
        whole = len(self.statements)
        wanted = [(name, whole) for name in names]
        seen = set(wanted)
        while wanted:
            for at in self._making(*wanted.pop()):
                self.taken.add(at)
                statement = self.statements[at]
                needed = {(name, at) for name in statement.at_once} | {(name, whole) for name in statement.later}
                wanted += needed - seen
                seen |= needed

    def _making(self, name: str, end: int) -> Iterator[int]:
        """From the last to the first, the statements before `end` that make a name what it is by then."""
        for at in range(end - 1, -1, -1):
            statement = self.statements[at]
            if name in statement.binds or name in statement.changes:
                yield at
                if name in statement.binds and statement.replaces:
                    return

    def kept(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells of which something was taken, every other line made empty."""
        lines: dict[int, set[int]] = {}
        for at, statement in enumerate(self.statements):
            if at in self.taken or (statement.always and self.taken):
                lines.setdefault(statement.cell, set()).update(range(statement.lines[0], statement.lines[1] + 1))
        return [_only(cells[place], those) for place, those in sorted(lines.items())]


def _only(cell: Cell, lines: set[int]) -> Cell:
    kept = (line if at in lines else "" for at, line in enumerate(cell.code.split("\n"), start=1))
    return Cell(cell.number, "\n".join(kept).rstrip())


def _cells(history: History) -> list[Cell]:
    _refuse_too_long(code for _, code in history)
    read = ((number, python_of(Cell(number, code), [])) for number, code in history)
    return [Cell(number, code) for number, code in read if code and code.strip()]


def _refuse_too_long(texts: Iterable[str]) -> None:
    if sum(map(len, texts)) > MAX_PYTHON:
        raise NotReadable(f"The cells that were run hold more than {megabytes(MAX_PYTHON)}; restart the kernel.")


def _statements(place: int, code: str, every: bool = False) -> Iterator[_Statement]:
    """The statements of a cell; with `every` also those that only compute something."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in nodes:
        if isinstance(node, ast.Expr) and not every:
            continue
        try:
            binds, at_once, later = _tables(node)
        except (SyntaxError, RecursionError):
            continue
        star = isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
        yield _Statement(
            place, (first, node.end_lineno or first), binds, frozenset(_changed(node)), at_once, later,
            isinstance(node, _DEFINES) and not binds & at_once, star or future,
        )  # fmt: skip


def _tables(node: ast.stmt) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """What a statement binds, what it looks up at once, and what its functions look up later."""
    table = symtable.symtable(ast.unparse(node), "<cell>", "exec")
    symbols = table.get_symbols()
    binds = frozenset(one.get_name() for one in symbols if one.is_assigned() or one.is_imported())
    at_once = {one.get_name() for one in symbols if one.is_referenced()}
    later: set[str] = set()
    inner = [(child, False) for child in table.get_children()]
    while inner:
        child, called = inner.pop()
        called = called or child.get_type() == "function"
        found = {one.get_name() for one in child.get_symbols() if one.is_global() and one.is_referenced()}
        (later if called else at_once).update(found)
        inner += [(grandchild, called) for grandchild in child.get_children()]
    return binds, frozenset(at_once), frozenset(later)


def _changed(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [getattr(node, "target", None)]
    for target in targets:
        part = target
        while isinstance(part, (ast.Attribute, ast.Subscript)):
            part = part.value
        if part is not target and isinstance(part, ast.Name):
            yield part.id
