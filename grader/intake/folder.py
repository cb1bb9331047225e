"""A folder of submissions. Links are named and never followed, nothing but regular files is opened."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.intake.decoded import NotReadable
from grader.intake.layout import is_junk, is_receipt
from grader.intake.place import Entry, Kind, name_fault
from grader.intake.read import bytes_of
from grader.intake.times import of_file


class Folder:
    """A place on disk. `inside` leads to the part of it that is looked at (nbgrader's `submitted`)."""

    def __init__(self, root: Path, inside: tuple[str, ...] = ()) -> None:
        self.root = root
        self.inside = inside

    def listing(self) -> list[Entry]:
        found: list[Entry] = []
        waiting = [self.inside]
        while waiting:
            parts = waiting.pop()
            try:
                with os.scandir(self.root.joinpath(*parts)) as scan:
                    inside = sorted(scan, key=lambda entry: entry.name)
                # What is junk is not even walked: a hidden folder may hold a whole history.
                kept = [one for one in inside if not is_junk((one.name,)) or is_receipt((one.name,))]
                entries = [_entry((*parts, one.name), one) for one in kept]
            except OSError as error:
                found.append(Entry(parts, Kind.REFUSED, reason=f"It can't be read: {error.strerror or error}."))
                continue
            found += entries
            waiting += [entry.parts for entry in entries if entry.kind is Kind.FOLDER]
        return found

    def contents(self, wanted: Mapping[int, Entry]) -> Iterator[tuple[int, bytes | NotReadable]]:
        for number, entry in wanted.items():
            try:
                yield number, bytes_of(self.root.joinpath(*entry.parts), entry.size, follow=False)
            except NotReadable as why:
                yield number, why


def _entry(parts: tuple[str, ...], scanned: "os.DirEntry[str]") -> Entry:
    fault = name_fault(parts)
    if scanned.is_symlink():
        fault = "It is a link; hand in the file itself."
    elif scanned.is_dir(follow_symlinks=False):
        return Entry(parts, Kind.REFUSED if fault else Kind.FOLDER, reason=fault)
    elif not scanned.is_file(follow_symlinks=False):
        fault = "It is not a regular file."
    if fault:
        return Entry(parts, Kind.REFUSED, reason=fault)
    status = scanned.stat(follow_symlinks=False)
    return Entry(parts, Kind.FILE, status.st_size, modified=of_file(status.st_mtime))
