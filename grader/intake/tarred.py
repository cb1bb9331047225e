"""A .tar archive, plain or compressed, read as a stream from front to back.

The headers are read here and not by `tarfile.open`, which takes names and extended headers of any length into
memory and unpacks whatever lies between two headers uncounted. `TarInfo.frombuf` still reads each header.
"""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Protocol

from grader.intake.decoded import NotReadable, megabytes
from grader.intake.place import MAX_ENTRIES, Entry, Kind, split
from grader.intake.times import of_file

_BLOCK = 512
_CHUNK = 1 << 16
_MAX_HEADER = 1 << 16
"""Bytes of an extended header: it holds a name and some times."""
_LZMA_MEMORY = 256 << 20
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_BODILESS = (*_LINKS, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
_EXTENSIONS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_FAULTS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Xz:
    """Unpacks .xz as `lzma.LZMAFile` does, but within a limit of memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._new()

    def _new(self) -> None:
        self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY)

    def read(self, size: int, /) -> bytes:
        while True:
            packed = b""
            if self._unpacker.eof:
                # Another stream may follow; between two lies padding of zeros.
                packed = self._unpacker.unused_data.lstrip(b"\0")
                while not packed:
                    more = self._file.read(_CHUNK)
                    if not more:
                        return b""
                    packed = more.lstrip(b"\0")
                self._new()
            elif self._unpacker.needs_input:
                packed = self._file.read(_CHUNK)
                if not packed:
                    raise EOFError
            if data := self._unpacker.decompress(packed, size):
                return data


def _unpacked(file: BinaryIO) -> _Readable:
    file.seek(0)
    head = file.read(6)
    file.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file, mode="rb")
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if head.startswith(b"\xfd7zXZ"):
        return _Xz(file)
    return file


class _Counted:
    """A stream that ends when it has given as much as it may."""

    def __init__(self, stream: _Readable, most: int) -> None:
        self._stream = stream
        self._most = most
        self._given = 0

    def chunks(self, size: int) -> Iterator[bytes]:
        while size > 0:
            chunk = self._stream.read(min(size, _CHUNK))
            if not chunk:
                return
            size -= len(chunk)
            self._given += len(chunk)
            if self._given > self._most:
                raise NotReadable(f"It unpacks to more than {megabytes(self._most)}; the rest was not read.")
            yield chunk

    def read(self, size: int) -> bytes:
        return b"".join(self.chunks(size))


class _Body:
    """The bytes of one member."""

    def __init__(self, stream: _Counted, size: int) -> None:
        self._stream = stream
        self._left = size
        self._padding = -size % _BLOCK

    def read(self) -> bytes:
        data = self._stream.read(self._left)
        if len(data) < self._left:
            raise EOFError
        self._left = 0
        return data

    def skip(self) -> None:
        """Go to the next header, over what was not read."""
        rest = self._left + self._padding
        if sum(map(len, self._stream.chunks(rest))) < rest:
            raise EOFError


class Tarred:
    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most
        try:
            # A file that is no archive at all is said at once, not as an entry of a listing.
            next(self._members(), None)
        except _FAULTS as error:
            raise NotReadable("It is no archive that can be opened, or it is damaged.") from error

    def listing(self) -> list[Entry]:
        found: list[Entry] = []
        try:
            for entry, _ in self._members():
                if len(found) == MAX_ENTRIES:
                    raise NotReadable(f"It holds more than {MAX_ENTRIES:,} entries; the rest was not read.")
                found.append(entry)
        except NotReadable as why:
            found.append(Entry((), Kind.REFUSED, reason=str(why)))
        except _FAULTS:
            found.append(Entry((), Kind.REFUSED, reason="It is damaged; what comes after the damage was not read."))
        return found

    def contents(self, wanted: Mapping[int, Entry]) -> Iterator[tuple[int, bytes | NotReadable]]:
        waiting = list(wanted)  # in the order of the archive, as the listing was
        try:
            for number, (_, body) in enumerate(self._members()):
                if not waiting:
                    return
                if number == waiting[0]:
                    data = body.read()
                    del waiting[0]
                    yield number, data
        except (*_FAULTS, NotReadable):
            pass
        for number in waiting:
            yield number, NotReadable("It is damaged inside the archive; ask for it again.")

    def _members(self) -> Iterator[tuple[Entry, _Body]]:
        stream = _Counted(_unpacked(self._file), self._most)
        extended: dict[str, str] = {}
        while True:
            block = stream.read(_BLOCK)
            if not block:
                raise NotReadable("It ends too early; something may be missing from it.")
            if len(block) == _BLOCK and not any(block):
                return
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            if header.size < 0 or header.type == tarfile.GNUTYPE_SPARSE:
                raise NotReadable("It is packed with `tar --sparse`, or damaged; pack it without.")
            if header.type in _EXTENSIONS:
                if header.size > _MAX_HEADER:
                    raise NotReadable("It is damaged: it names a file with an endless name.")
                body = _Body(stream, header.size)
                extended |= _extension(header.type, body.read())
                body.skip()
                continue
            size = 0 if header.type in _BODILESS else int(extended.get("size", header.size))
            if size < 0:
                raise ValueError(size)
            body = _Body(stream, size)
            yield _entry(header, size, extended), body
            body.skip()
            extended = {}


def _entry(header: tarfile.TarInfo, size: int, extended: Mapping[str, str]) -> Entry:
    parts, fault = split(extended.get("path", header.name))
    if header.type in _LINKS:
        fault = "It is a link; hand in the file itself."
    elif header.isdir():
        return Entry(parts, Kind.REFUSED if fault else Kind.FOLDER, reason=fault)
    elif not header.isreg() or "sparse" in extended:
        fault = "It is not a regular file."
    elif not parts:
        fault = "It has no name."
    return Entry(parts, Kind.REFUSED if fault else Kind.FILE, size, fault, of_file(header.mtime))


def _extension(kind: bytes, data: bytes) -> dict[str, str]:
    """What a header that precedes another says of it: its whole name, its size, whether it has holes."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
    said: dict[str, str] = {}
    at = 0
    while kind in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE) and at < len(data):
        # A record is "LENGTH KEY=VALUE\n", and LENGTH counts all of it.
        length = data[at : at + 20].partition(b" ")[0]
        end = at + int(length)
        if end <= at + len(length):
            raise ValueError(length)
        key, _, value = data[at + len(length) + 1 : end - 1].partition(b"=")
        if key in (b"path", b"size"):
            said[key.decode()] = value.decode("utf-8", "surrogateescape")
        elif key.startswith(b"GNU.sparse"):
            said["sparse"] = "yes"
        at = end
    return said
