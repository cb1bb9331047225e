"""A .zip archive: names from its table of contents, bytes from memory."""

import io
import stat
import zipfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from grader.intake.decoded import NotReadable
from grader.intake.place import MAX_ENTRIES, Entry, Kind, split
from grader.intake.times import of_member

_MAX_TABLE = 16 << 20
"""Bytes of the table of contents; `zipfile` reads it at once and makes an object of every entry."""
# The others unpack whole blocks at once, however little is asked for, and no learning platform writes them.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _Guarded(io.RawIOBase):
    """A file of which nobody can read more than `_MAX_TABLE` bytes at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _MAX_TABLE:
            raise NotReadable("It is damaged, or its table of contents is too large to be read.")
        return self._file.read(_MAX_TABLE if size is None or size < 0 else size)


class Zipped:
    def __init__(self, file: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(_Guarded(file))
        except NotReadable:
            raise
        except Exception as error:
            # zipfile promises BadZipFile and raises much else for bytes that are made to mislead it.
            raise NotReadable("It is damaged: it is no zip archive that can be opened.") from error
        self._infos = self._zip.infolist()
        if len(self._infos) > MAX_ENTRIES:
            raise NotReadable(f"It holds more than {MAX_ENTRIES:,} entries.")

    def listing(self) -> list[Entry]:
        return [_entry(info) for info in self._infos]

    def contents(self, wanted: Mapping[int, Entry]) -> Iterator[tuple[int, bytes | NotReadable]]:
        for number, entry in wanted.items():
            try:
                # zipfile itself never unpacks more than the size that the table of contents names.
                with self._zip.open(self._infos[number]) as member:
                    data = member.read(entry.size + 1)
            except Exception:  # noqa: BLE001 - as above
                yield number, NotReadable("It is damaged inside the archive; ask for it again.")
                continue
            if len(data) != entry.size:
                yield number, NotReadable("It is damaged inside the archive: it has another size than it says.")
            else:
                yield number, data


def _entry(info: zipfile.ZipInfo) -> Entry:
    parts, fault = split(_name(info))
    mode = info.external_attr >> 16
    if info.filename.endswith(("/", "\\")):
        return Entry(parts, Kind.REFUSED if fault else Kind.FOLDER, reason=fault)
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        fault = "It is a link; hand in the file itself." if stat.S_ISLNK(mode) else "It is not a regular file."
    elif info.flag_bits & 1:
        fault = "It is locked with a password; hand it in without one."
    elif info.compress_type not in _METHODS:
        fault = "It is packed in a way that is not read here; pack it as an ordinary zip."
    elif not parts:
        fault = "It has no name."
    modified = of_member(info.date_time, info.extra)
    return Entry(parts, Kind.REFUSED if fault else Kind.FILE, info.file_size, fault, modified)


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: macOS writes UTF-8 and forgets to say so."""
    if not info.flag_bits & 0x800 and not info.filename.isascii():
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return info.filename
