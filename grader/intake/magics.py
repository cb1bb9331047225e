"""The lines of a notebook cell that speak to IPython and not to Python: magics, shell lines, help."""

import re
from dataclasses import dataclass

from grader.core.text import one_line

_HELP = re.compile(r"[\w.*%]+\?{1,2}")
# Cell magics whose body is ordinary Python that runs in the notebook: only their first line is left out.
_HARMLESS = re.compile(r"%%(time|capture)\b")
# Our own (grader/cli/_magic.py): they stand in every notebook that we give out, so nobody need be told of them.
_OUR_HEAD = re.compile(r"%%check\b")
_OURS = re.compile(r"%check\b|%(re|un)?load_ext\s+grader\s*(#|$)")


@dataclass
class Place:
    """Where the text stands between two lines: inside brackets, a string, or a continued line.

    One pass over the characters, because a regular expression for strings can be made to take quadratic
    time.
    """

    depth: int = 0
    quote: str = ""
    continued: bool = False

    @property
    def at_statement(self) -> bool:
        return not (self.depth or self.quote or self.continued)

    def feed(self, line: str) -> None:
        at = 0
        comment = False
        while at < len(line) and not comment:
            sign = line[at]
            step = 1
            if self.quote:
                if sign == "\\":
                    step = 2
                elif line.startswith(self.quote, at):
                    step, self.quote = len(self.quote), ""
            elif sign in "'\"":
                self.quote = sign * 3 if line.startswith(sign * 3, at) else sign
                step = len(self.quote)
            elif sign in "([{":
                self.depth += 1
            elif sign in ")]}":
                self.depth = max(0, self.depth - 1)
            comment = sign == "#" and not self.quote
            at += step
        self.continued = line.endswith("\\") and not comment


def without_our_head(code: str) -> str:
    """`code` with a first line `%%check 05` made an empty one."""
    before, line, rest = _first_line(code)
    return before + rest if _OUR_HEAD.match(line) else code


def _first_line(code: str) -> tuple[str, str, str]:
    """The empty lines at the top, the first line with something in it, and the rest with its newline."""
    start = len(code) - len(code.lstrip())
    line, newline, rest = code[start:].partition("\n")
    return code[:start], line, newline + rest


def leave_out(code: str) -> tuple[str, list[tuple[int, str]]]:
    """`code` with IPython's lines replaced by `pass`, and what was replaced: (line, text).

    Every line keeps its place. Meant for a cell that does not compile as it is: in one that does, a line
    that begins with % is the rest of a division. Our own lines go without a word.
    """
    lines = code.split("\n")
    left_out: list[tuple[int, str]] = []

    def replace(at: int) -> None:
        text = one_line(lines[at].strip(), 60)
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        if _OURS.match(text):
            # An empty line, so that a stub in a notebook is still the stub; inside a block something must stand.
            lines[at] = indent and f"{indent}pass"
            return
        left_out.append((at + 1, text))
        lines[at] = f"{indent}pass  # left out: {text}"

    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        whole = not _HARMLESS.match(lines[first])
        replace(first)
        if whole:
            del lines[first + 1 :]
            return "\n".join(lines), left_out
    place = Place()
    more = False
    for at, line in enumerate(lines):
        if more:  # the rest of a line that was left out
            lines[at] = "#"
            more = line.endswith("\\")
        elif place.at_statement and _speaks_to_ipython(line.strip()):
            replace(at)
            more = line.endswith("\\")
        else:
            place.feed(line)
    return "\n".join(lines), left_out


def _speaks_to_ipython(line: str) -> bool:
    if line.startswith(("%", "!", "?")) or _HELP.fullmatch(line):
        return True
    names, _, value = line.partition("=")  # files = !ls
    return value.lstrip().startswith(("!", "%")) and all(name.strip().isidentifier() for name in names.split(","))
