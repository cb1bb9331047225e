"""What every reader of one file gives back, and how it says that it could not.

`python_file` and `notebook` each have a function `decode(data: bytes) -> Decoded` that raises `NotReadable`
with a sentence for the person who handed the file in.
"""

from dataclasses import dataclass

MAX_PYTHON = 1 << 20
"""Bytes of Python that one submission may hold; an honest answer holds a few thousand."""
MAX_NOTEBOOK = 16 << 20
"""Bytes of a notebook: its outputs may hold pictures."""


class NotReadable(Exception):
    """Why a file can't be graded: a sentence that ends as the `reason` of an `Unreadable`."""


@dataclass(frozen=True)
class Decoded:
    """The text of one file; the fields are those of `Submission`."""

    source: str
    cells: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()


def megabytes(size: int) -> str:
    """A size as a sentence says it."""
    return f"{size / (1 << 20):.4g} MiB"


def refuse_other_unicode(data: bytes) -> None:
    """Say what to do about the encodings that editors on Windows offer beside UTF-8."""
    # UTF-32 begins with the mark of UTF-16 where the bytes are little-endian, so it is asked for first.
    for marks, name in (
        ((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"), "UTF-32"),
        ((b"\xff\xfe", b"\xfe\xff"), "UTF-16"),
    ):
        if data.startswith(marks):
            raise NotReadable(f"It is saved as {name}; save it as UTF-8.")
