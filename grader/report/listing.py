"""A learner's source as lines of highlighted HTML, and the way from "cell 3, line 2" back to a line of it.

The code is a stranger's: its control characters are made visible first, every character is escaped, and
length, width and the time that highlighting may take are bounded.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape

from markupsafe import Markup
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

from grader.core.submission import Submission
from grader.core.text import clean

MAX_LINES = 2000
MAX_WIDTH = 400
MAX_HIGHLIGHTED = 120_000
"""Characters; a longer file is shown plain."""
SECONDS = 1.0
"""For highlighting one file; what is left then is shown plain."""

# A handful of classes is enough to read code by, and keeps pages small.
_CLASSES = (
    (Comment, "c"),
    (String.Doc, "d"),
    (String, "s"),
    (Number, "m"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "f"),
    (Name.Builtin, "b"),
    (Name.Exception, "b"),
)
_HIT = '<span class="vh">(a check points here) </span>'
_LEXER = PythonLexer()
_WHERE = re.compile(r"(?:cell (\d{1,6}), )?line (\d{1,7})")


@dataclass(frozen=True)
class Line:
    number: int
    """In the whole source; names the line in links."""
    shown: int
    """As the learner counts: within its cell, for a notebook."""
    html: Markup
    cell: int | None = None
    """The number of the cell that begins here."""


@dataclass(frozen=True)
class Listing:
    lines: tuple[Line, ...]
    left_out: int

    def html(self, anchor: str, marked: frozenset[int]) -> Markup:
        """All lines, each to be linked to as "ANCHOR-L7"; those in `marked` stand out.

        Here and not in a template because a class has a million of them. Nothing stands between the lines
        but what belongs to the code: it would be shown.
        """
        prefix, parts = escape(anchor), []
        for line in self.lines:
            if line.cell is not None:
                parts.append(f'<span class="cell">cell {line.cell}</span>')
            hit, said = (" hit", _HIT) if line.number in marked else ("", "")
            parts.append(
                f'<span class="l{hit}" id="{prefix}-L{line.number}">'
                f'<span class="n" data-n="{line.shown}"></span>{said}{line.html}\n</span>'
            )
        return Markup("".join(parts))


def listing(submission: Submission) -> Listing:
    text, total = _shown(submission.source)
    starts = {first: number for number, first in submission.cells}
    lines, shown = [], 0
    for at, html in enumerate(_highlighted(text), start=1):
        shown = 1 if at in starts else shown + 1
        lines.append(Line(number=at, shown=shown, html=html, cell=starts.get(at)))
    return Listing(tuple(lines), left_out=total - len(lines))


def source_line(submission: Submission, line: int) -> str:
    """One line as plain text, or nothing."""
    lines = submission.source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return clean(lines[line - 1], MAX_WIDTH).rstrip() if 0 < line <= len(lines) else ""


def line_of(where: str, submission: Submission | None) -> int | None:
    """The line of the whole source that `where` names, or None."""
    found = _WHERE.search(where)
    if not found:
        return None
    line = int(found[2])
    if found[1] is None:
        return line
    starts = dict(submission.cells) if submission else {}
    first = starts.get(int(found[1]))
    return first + line - 1 if first is not None else None


def _shown(source: str) -> tuple[str, int]:
    """The source cut to what is shown, and how many lines there were."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    kept = (line if len(line) <= MAX_WIDTH else line[:MAX_WIDTH] + " …" for line in lines[:MAX_LINES])
    text = "\n".join(kept)
    return clean(text, len(text)), len(lines)


def _highlighted(text: str) -> Iterator[Markup]:
    if len(text) > MAX_HIGHLIGHTED:
        yield from (Markup(escape(line)) for line in text.split("\n"))
        return
    # Strings are put together here, not Markup: a class has thousands of these lines.
    line: list[str] = []
    for css, part in _tokens(text):
        first, *others = part.split("\n")
        line.append(_span(css, first))
        for other in others:
            yield Markup("".join(line))
            line = [_span(css, other)]
    yield Markup("".join(line))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Pieces of `text` that add up to exactly `text`, each with its class."""
    began, done = time.monotonic(), 0
    for start, token, value in _LEXER.get_tokens_unprocessed(text):
        if time.monotonic() - began > SECONDS:
            break
        if start < done:
            continue
        if start > done:  # a lexer may skip characters; a listing may not
            yield "", text[done:start]
        yield _class_of(token), value
        done = start + len(value)
    yield "", text[done:]


@cache
def _class_of(token: _TokenType) -> str:
    return next((css for kind, css in _CLASSES if token in kind), "")


def _span(css: str, text: str) -> str:
    escaped = escape(text, quote=True)
    return f'<span class="{css}">{escaped}</span>' if css and not text.isspace() and text else escaped
