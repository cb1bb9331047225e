"""A learner's source as lines of highlighted HTML, and the way from "cell 3, line 2" back to a line of it.

The code is a stranger's: its control characters are made visible first, every character that means something to
HTML is escaped, and length, width and the time that highlighting may take are bounded.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape

from markupsafe import Markup
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

from grader.core.submission import Submission
from grader.core.text import clean

MAX_LINES = 2000
MAX_WIDTH = 400
MAX_HIGHLIGHTED = 120_000
"""Characters; a longer file is shown plain, so that its page stays small."""

_HIT = '<span class="vh">(a check points here) </span>'
_WHERE = re.compile(r"(?:cell (\d{1,6}), )?line (\d{1,7})")
_UNUSUAL = re.compile(r"[^\n\t\x20-\x7e]")

SECONDS = 1.0
"""For highlighting one file; what is left then is shown plain."""
_LEXER = PythonLexer()
# A handful of classes is enough to read code by, and keeps pages small.
_CLASSES = (
    (Comment, "c"),
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


@dataclass(frozen=True)
class Listing:
    lines: tuple[str, ...]
    """HTML without the end of the line; every element that begins in a line ends in it."""
    cells: tuple[tuple[int, int], ...]
    """For a notebook: (number of the cell as shown, its first line). Lines are counted from 1 in each."""
    left_out: int

    def html(self, anchor: str, marked: frozenset[int]) -> Markup:
        """All lines; those in `marked` stand out and can be linked to as "ANCHOR-L7".

        Here and not in a template because a class has a million of them. The style sheet counts the lines. Nothing
        stands between them but what belongs to the code: it would be shown.
        """
        starts = {first: number for number, first in self.cells}
        parts = []
        for at, line in enumerate(self.lines, start=1):
            if at in starts:
                parts.append(f'<span class="cell">cell {starts[at]}</span>')
            if at in marked:
                parts.append(f'<span class="l hit" id="{escape(anchor)}-L{at}">{_HIT}{line}\n</span>')
            else:
                parts.append(f'<span class="l">{line}\n</span>')
        return Markup("".join(parts))


def listing(submission: Submission) -> Listing:
    lines, total = _lines(submission.source)
    return Listing(lines, submission.cells, left_out=total - len(lines))


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
    return clean(text, len(text)) if _UNUSUAL.search(text) else text, len(lines)


@lru_cache(maxsize=256)
def _lines(source: str) -> tuple[tuple[str, ...], int]:
    """The highlighted lines that are shown, and how many there were. Remembered: many hand in the same file."""
    text, total = _shown(source)
    pieces = _tokens(text) if len(text) <= MAX_HIGHLIGHTED else [("", text)]
    lines, line = [], ""
    for css, piece in pieces:
        first, *others = piece.split("\n")
        line += _span(css, first)
        for other in others:
            lines.append(line)
            line = _span(css, other)
    return (*lines, line), total


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Pieces of `text` that add up to exactly `text`, each with its class; neighbours of one class are one."""
    began, done = time.monotonic(), 0
    css, since = "", 0
    for start, token, value in _LEXER.get_tokens_unprocessed(text):
        if time.monotonic() - began > SECONDS:
            break
        if start < done:
            continue
        # A lexer may skip characters; a listing may not.
        for kind, at in ((("", done),) if start > done else ()) + ((_class_of(token), start),):
            # White space looks the same in every class.
            if kind != css and not text[at : start + len(value)].isspace():
                if at > since:
                    yield css, text[since:at]
                css, since = kind, at
        done = start + len(value)
    if done > since:
        yield css, text[since:done]
    if done < len(text):
        yield "", text[done:]


@cache
def _class_of(token: _TokenType) -> str:
    return next((css for kind, css in _CLASSES if token in kind), "")


def _span(css: str, text: str) -> str:
    safe = escape(text, quote=False)  # it never stands in an attribute
    return f'<span class="{css}">{safe}</span>' if css and text else safe
