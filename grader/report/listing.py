"""A learner's source as lines of highlighted HTML, and the way from "cell 3, line 2" back to a line of it.

The code is a stranger's: its control characters are made visible first, every character that means something to
HTML is escaped, and length and width are bounded.

Colours come from one pass of one regular expression over the escaped text, and not from a lexer: a class has a
million lines, a lexer takes twenty times as long, and one that stumbles has to be timed. The expression is possessive
where it repeats, so its time grows with the text and with nothing else, and whatever it does not know it leaves
plain. The tests hold it to what Pygments says of every Python file that an exercise has.
"""

import builtins
import keyword
import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from markupsafe import Markup

from grader.core.submission import Submission
from grader.core.text import clean

MAX_LINES = 2000
MAX_WIDTH = 400
MAX_HIGHLIGHTED = 120_000
"""Characters; a longer file is shown plain, so that its page stays small."""

_HIT = '<span class="vh">(a check points here) </span>'
_WHERE = re.compile(r"(?:cell (\d{1,6}), )?line (\d{1,7})")
_UNUSUAL = re.compile(r"[^\n\t\x20-\x7e]")

# Read from left to right, so that a quote in a comment opens no string. The escapes &lt; &gt; &amp; are names to it.
_TOKEN = re.compile(
    r"""
      (?P<c> \#[^\n]* )
    | (?P<s> (?i: [bfrtu] | [bfrt]{2} )?
        (?: \"{3} (?: [^"\\] | \\. | "(?!"") )*+ (?: \"{3} | \\?\Z )
          | '{3} (?: [^'\\] | \\. | '(?!'') )*+ (?: '{3} | \\?\Z )
          | "   (?: [^"\\\n] | \\. )*+ "?
          | '   (?: [^'\\\n] | \\. )*+ '? ) )
    | (?P<m> (?i: 0x[0-9a-f_]++ | 0[bo][0-7_]++ | (?: [0-9][0-9_]*+ (?: \.[0-9_]*+ )? | \.[0-9][0-9_]*+ )
        (?: e[+-]?[0-9][0-9_]*+ )? j? ) )
    | (?P<def> \b (?:def|class) \b ) (?P<blank> [ \t]++ ) (?P<named> [^\W\d]\w*+ )
    | (?P<at> (?m:^) [ \t]*+ ) (?P<decorator> @[^\W\d]\w*+ )
    | (?P<word> [^\W\d]\w*+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_OF_THE_PROMPT = {"copyright", "credits", "exit", "help", "license", "quit"}
# A handful of classes is enough to read code by, and keeps pages small.
_CLASS_OF_WORD = {
    **{name: "b" for name in dir(builtins) if not name.startswith("_") and name not in _OF_THE_PROMPT},
    **dict.fromkeys(("self", "cls"), "b"),
    **dict.fromkeys(keyword.kwlist, "k"),
}


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
    safe = escape(text, quote=False)  # it never stands in an attribute
    if len(text) <= MAX_HIGHLIGHTED:
        safe = _TOKEN.sub(_coloured, safe)
    return tuple(safe.split("\n")), total


def _coloured(found: re.Match[str]) -> str:
    kind, text = found.lastgroup, found[0]
    if kind == "word":
        css = _CLASS_OF_WORD.get(text)
        if css is None or (css == "b" and found.string[found.start() - 1 : found.start()] == "."):
            return text
        return f'<span class="{css}">{text}</span>'
    if kind == "named":
        return f'<span class="k">{found["def"]}</span>{found["blank"]}<span class="f">{found["named"]}</span>'
    if kind == "decorator":
        return f'{found["at"]}<span class="f">{found["decorator"]}</span>'
    if "\n" not in text:
        return f'<span class="{kind}">{text}</span>'
    return "\n".join(f'<span class="{kind}">{line}</span>' if line else "" for line in text.split("\n"))
