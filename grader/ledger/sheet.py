"""A teacher's CSV file, in which cells are filled in and every other byte stays what it was.

The file is read twice: Python's `csv` says what the cells mean, and a scan of our own where each of them lies. Where
the two differ the file is refused, for then nobody can say what a cell is. An edit replaces the characters of its
cell and no others: byte order mark, line ends, quotes and blank lines are kept because they are never written anew.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from grader.core.errors import BadFile, OurFault
from grader.core.text import one_line

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_DELIMITERS = ",;\t"
_MOST = 64 << 20
"""Bytes: a course of 10,000 students with 100 columns has less than a tenth of it."""
# What makes a spreadsheet compute a cell; the last four are the wide forms of the first.
_FORMULA = tuple("=+-@\t\r|%＝＋－＠")


@dataclass(frozen=True)
class Cell:
    """One field: what it says, and the characters from `start` to `end` that say it."""

    text: str
    start: int
    end: int
    quoted: bool


Row = list[Cell]


class Sheet:
    """A CSV file in one reading: each delimiter gives another one."""

    def __init__(self, text: str, encoding: str, bom: bytes, delimiter: str, rows: list[Row]) -> None:
        self._text = text
        self._bom = bom
        self._edits: dict[tuple[int, int], str] = {}
        self._added: dict[int, list[str]] = {}
        self.encoding = encoding
        self.delimiter = delimiter
        self.rows = rows

    @classmethod
    def readings(cls, data: bytes, name: str) -> Iterator[Self]:
        """Every way to read a file of more than one column. Raises BadFile where it is no text at all."""
        text, encoding, bom = _decoded(data, name)
        for delimiter in _DELIMITERS:
            try:
                rows = scan(text, delimiter)
            except OpenQuote:
                continue
            if rows and len(next(filter(None, rows), [])) > 1 and _agree(text, delimiter, rows):
                yield cls(text, encoding, bom, delimiter, rows)

    @property
    def told(self) -> str:
        """What the teacher should know of the encoding, or nothing."""
        if self.encoding != "cp1252":
            return ""
        return (
            "The file is not UTF-8; it was read as Windows-1252 and stays that. Where names look wrong, save it as "
            "CSV UTF-8 and export again."
        )

    def line(self, row: int) -> int:
        """The line of the file on which a row begins, as an editor counts."""
        before = self._text[: self.rows[row][0].start] if self.rows[row] else ""
        return len(re.findall(r"\r\n|\r|\n", before)) + 1

    def text(self, row: int, column: int) -> str:
        """What a cell says, without white space around it; nothing where the row is shorter."""
        cells = self.rows[row]
        return cells[column].text.strip() if column < len(cells) else ""

    def fill(self, row: int, column: int, text: str) -> None:
        self._edits[row, column] = self._writable(text)

    def add(self, row: int, text: str) -> None:
        """One more cell at the end of a row."""
        self._added.setdefault(row, []).append(self._writable(text))

    def _writable(self, text: str) -> str:
        """`text` as this file can hold it, and as no spreadsheet computes it."""
        safe = f"'{text}" if text.startswith(_FORMULA) else text
        return safe.encode(self.encoding, "replace").decode(self.encoding)

    def data(self) -> bytes:
        """The file with its edits."""
        pieces, at = [], 0
        for row, cells in enumerate(self.rows):
            for column, cell in enumerate(cells):
                if (row, column) in self._edits:
                    pieces += [self._text[at : cell.start], self._raw(self._edits[row, column], cell.quoted)]
                    at = cell.end
            for text in self._added.get(row, ()):
                end = cells[-1].end
                pieces += [self._text[at:end], self.delimiter, self._raw(text, quoted=False)]
                at = end
        text = "".join((*pieces, self._text[at:]))
        self._confirm(text)
        return self._bom + text.encode(self.encoding)

    def _raw(self, text: str, quoted: bool) -> str:
        """A cell's characters: quoted where the old ones were, or where it has to be."""
        if quoted or text != text.strip() or any(sign in text for sign in (self.delimiter, '"', "\r", "\n")):
            return '"' + text.replace('"', '""') + '"'
        return text

    def _confirm(self, text: str) -> None:
        """Read what is to be written once more: all that was not filled in must say what it said."""
        wanted = [
            [self._edits.get((row, column), cell.text) for column, cell in enumerate(cells)] + self._added.get(row, [])
            for row, cells in enumerate(self.rows)
        ]
        if [[cell.text for cell in cells] for cells in scan(text, self.delimiter)] != wanted:
            raise OurFault("The filled file would not have read as it should; nothing was written.")


class OpenQuote(Exception):
    """The text ends inside a quoted cell."""


def scan(text: str, delimiter: str) -> list[Row]:
    """Every cell of every row, with its place."""
    rows: list[Row] = []
    row: Row = []
    ends = re.compile(f"[{re.escape(delimiter)}\r\n]")
    at, size = 0, len(text)
    while at < size:
        if not row and text[at] in "\r\n":  # a blank line is a row without cells
            at = _after_line(text, at)
            rows.append(row)
            row = []
            continue
        start, inside = at, ""
        quoted = text[at] == '"'
        if quoted:
            close = _close(text, at)
            inside = text[at + 1 : close].replace('""', '"')
            at = close + 1
        found = ends.search(text, at)
        end = found.start() if found else size
        row.append(Cell(inside + text[at:end], start, end, quoted))
        if found and found[0] == delimiter:
            at = end + 1
            if at < size and text[at] not in "\r\n":
                continue
            row.append(Cell("", at, at, quoted=False))
            end = at
        rows.append(row)
        row = []
        at = _after_line(text, end)
    return rows


def _close(text: str, start: int) -> int:
    """Where the quote that opens at `start` is closed."""
    at = start + 1
    while (at := text.find('"', at)) >= 0:
        if text[at + 1 : at + 2] != '"':
            return at
        at += 2
    raise OpenQuote


def _after_line(text: str, at: int) -> int:
    return at + (2 if text.startswith("\r\n", at) else 1)


def _agree(text: str, delimiter: str, rows: list[Row]) -> bool:
    """Whether Python's csv reads the same cells."""
    limit = csv.field_size_limit(len(text) + 1)
    try:
        meant = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return False
    finally:
        csv.field_size_limit(limit)
    return meant == [[cell.text for cell in row] for row in rows]


def _decoded(data: bytes, name: str) -> tuple[str, str, bytes]:
    """The text, its encoding, and the byte order mark that stands before it."""
    shown = one_line(name)
    if not data.strip():
        raise BadFile(f"{shown} is empty. Export it from your course once more.")
    if len(data) > _MOST:
        raise BadFile(f"{shown} is larger than {_MOST >> 20} MB; a gradebook is not.")
    if data.startswith((b"PK\3\4", b"\xd0\xcf\x11\xe0")):
        raise BadFile(f"{shown} is a spreadsheet workbook, not CSV. Save it as CSV UTF-8, or export it once more.")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data[len(bom) :].decode(encoding), encoding, bom
            except UnicodeDecodeError:
                raise BadFile(f"{shown} is damaged: it begins as {encoding} and does not go on as that.") from None
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding), encoding, b""
        except UnicodeDecodeError:
            continue
    raise BadFile(f"{shown} is neither UTF-8 nor Windows-1252 text. Save it as CSV UTF-8.")
