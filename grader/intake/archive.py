"""An archive of submissions, told by its first bytes and read in memory, member by member."""

from typing import BinaryIO

from grader.intake.decoded import NotReadable
from grader.intake.place import Place
from grader.intake.tarred import Tarred
from grader.intake.zipped import Zipped

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
READ = ".zip, .tar, .tar.gz, .tar.bz2 and .tar.xz"
"""What can be read, as a sentence says it."""
_FOREIGN = (".rar", ".7z", ".zst", ".gz", ".bz2", ".xz")


def is_archive(name: str) -> bool:
    return name.casefold().endswith(SUFFIXES)


def is_foreign_archive(name: str) -> bool:
    """Whether it is an archive that can't be read here."""
    return name.casefold().endswith(_FOREIGN) and not is_archive(name)


def stem(name: str) -> str:
    """A name without its ending, where it is one of an archive."""
    ending = max((one for one in SUFFIXES if name.casefold().endswith(one)), key=len, default="")
    return name[: len(name) - len(ending)]


def open_archive(file: BinaryIO, most: int) -> Place:
    """The archive in `file`, which stays open as long as the place is read; it may unpack to `most` bytes."""
    file.seek(0)
    head = file.read(6)
    if not head:
        raise NotReadable("It is empty.")
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return Zipped(file)
    return Tarred(file, most)
