"""Everything that a class handed in: `read_submissions` finds whose it is, matches it and reads it.

Nothing is dropped: what is not a submission in the end is an `Unreadable` with the reason. Only what no
person handed in (hidden files, caches, kept copies of a workspace) is passed over in silence.
"""

import io
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from grader.core.errors import BadFile
from grader.core.submission import HandedIn, SaidBy, Submission, Unreadable, digest
from grader.intake.archive import READ, is_archive, is_foreign_archive, open_archive, stem
from grader.intake.decoded import NotReadable, megabytes
from grader.intake.folder import Folder
from grader.intake.layout import Layout, Owner, Parts, is_course, is_junk, is_receipt
from grader.intake.match import Names
from grader.intake.place import MAX_OF_STUDENT, Entry, Kind, Place, most_unpacked, name_fault
from grader.intake.read import cap, decode, is_answer, shown
from grader.intake.times import MAX_RECEIPT, receipt
from grader.intake.workspace import KEPT, MARKER

_MAX_ARCHIVE = 64 << 20
"""Bytes of an archive inside another: it is held in memory."""
_MAX_LISTED = 100
"""Files of one student that are refused one by one; a stranger's archive may hold thousands, which are counted."""


@dataclass(frozen=True)
class Intake:
    """What was handed in, in the order of students, exercises and paths."""

    submissions: tuple[Submission, ...]
    unreadable: tuple[Unreadable, ...]
    students: tuple[str, ...]
    """Everyone of whom something was found, be it an empty folder."""
    late: frozenset[str] = frozenset()
    """Paths of the submissions that Canvas marked as late."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """What Canvas or Moodle calls a student, where the names of the files say it."""
    handed_in: Mapping[str, HandedIn] = field(default_factory=dict)
    """When it was, by the paths of the submissions; without those of which nobody says it."""


def read_submissions(place: Path, names: Sequence[str]) -> Intake:
    """All submissions in a folder or an archive.

    `names` are those of all exercises that there are, not only of those that are to be graded: a file that
    fits none of them ends as unreadable.
    """
    reading = _Reading(Names(names))
    with _opened(place) as source:
        reading.whole(source)
    intake = reading.intake()
    if not intake.submissions and not intake.unreadable:
        raise BadFile(
            f"{shown(str(place))} holds no submissions. "
            "Expected is a folder for each student, with files such as 05_view_vs_reshape.py in it."
        )
    return intake


@dataclass(frozen=True)
class _Source:
    """A place that was opened, and what must be known of it beside its content."""

    place: Place
    name: str
    packed: bool
    most: int
    """Bytes that may be read from it."""


@contextmanager
def _opened(place: Path) -> Iterator[_Source]:
    name = shown(str(place))
    try:
        if place.is_dir():
            course = is_course({entry.name for entry in place.iterdir()})
            # The other folders of a course hold the instructor's files, and copies of what was handed in.
            folder = Folder(place, ("submitted",) if course else ())
            yield _Source(folder, place.resolve().name, packed=False, most=sys.maxsize)
        elif not place.exists():
            raise BadFile(f"There is no {name}. Name the folder or the archive with the submissions.")
        elif not place.is_file() or not is_archive(place.name):
            raise BadFile(f"{name} is neither a folder nor an archive; read are {READ}.")
        else:
            with open(place, "rb") as file:
                most = most_unpacked(place.stat().st_size)
                yield _Source(_archive(file, most, name), stem(place.name), packed=True, most=most)
    except OSError as error:
        raise BadFile(f"{name} can't be read: {error.strerror or error}.") from error


def _archive(file: BinaryIO, most: int, name: str) -> Place:
    try:
        return open_archive(file, most)
    except NotReadable as why:
        raise BadFile(f"{name} can't be opened. {why}") from why


@dataclass(frozen=True)
class _Found:
    """An entry that a person handed in. `number` is its place in the listing."""

    number: int
    entry: Entry
    owner: Owner | None
    handed_in: HandedIn | None = None

    @property
    def path(self) -> str:
        return shown("/".join(self.entry.parts))


def _said(entry: Entry, owner: Owner | None, usual: SaidBy) -> HandedIn | None:
    """What a place itself says of the time."""
    if owner is not None and owner.by_canvas:
        # The times in Canvas's downloads are those of the download; its mark in the name is all that it says.
        return HandedIn(None, SaidBy.CANVAS, owner.late)
    return HandedIn(entry.modified, usual) if entry.modified is not None else None


class _Reading:
    """One run over a place; what it finds is gathered here."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._students: set[str] = set()
        self._ids: dict[str, str] = {}
        self._late: set[str] = set()
        self._handed_in: dict[str, HandedIn] = {}
        self._answers: dict[tuple[str, str], list[Submission]] = defaultdict(list)
        self._unreadable: list[Unreadable] = []
        self._refused: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def whole(self, source: _Source) -> None:
        """Read all of a place."""
        listing = source.place.listing()
        entries = self._of_persons(listing, (), source.name)
        layout = Layout(source.name, source.packed, list(entries.values()), self._exercise_or_none)
        receipts = self._receipts(source.place, listing, layout)
        usual = SaidBy.ARCHIVE if source.packed else SaidBy.FILE
        found = []
        for number, entry in entries.items():
            if not layout.is_outside(entry.parts):
                owner = layout.owner(entry)
                said = receipts.get(layout.assignment(entry.parts) or ()) or _said(entry, owner, usual)
                found.append(_Found(number, entry, owner, said))
        for one in found:
            if one.owner is not None and not name_fault((one.owner.student,)):
                self._students.add(one.owner.student)
                if one.owner.id:
                    self._ids[one.owner.student] = one.owner.id
        self._take(source.place, found, source.most)

    def intake(self) -> Intake:
        """What was found, in order."""
        submissions = [one for found in self._answers.values() for one in self._the_one(found)]
        submissions.sort(key=lambda one: (one.student, one.exercise, one.path))
        for student, count in self._refused.items():
            if count > _MAX_LISTED:
                more = f"{count - _MAX_LISTED:,} more files of {student} are no answers, and are not listed here."
                self._unreadable.append(Unreadable(student, more))
        return Intake(
            tuple(submissions),
            tuple(sorted(self._unreadable, key=lambda one: (one.path, one.reason))),
            tuple(sorted(self._students)),
            frozenset(self._late & {one.path for one in submissions}),
            dict(sorted(self._ids.items())),
            {one.path: self._handed_in[one.path] for one in submissions if one.path in self._handed_in},
        )

    def _receipts(self, place: Place, listing: Sequence[Entry], layout: Layout) -> dict[Parts, HandedIn]:
        """What nbgrader says of the time, by the folder of a student's assignment."""
        there: dict[int, Entry] = {}
        for number, entry in enumerate(listing):
            if entry.kind is Kind.FILE and is_receipt(entry.parts):
                folder = layout.assignment(entry.parts)
                if folder == entry.parts[:-1] and not is_junk(folder):
                    there[number] = entry
        found: dict[Parts, HandedIn] = {}
        wanted = {number: entry for number, entry in there.items() if entry.size <= MAX_RECEIPT}
        read = dict(place.contents(wanted)) if wanted else {}
        for number, entry in there.items():
            data = read.get(number, NotReadable(f"It is larger than {MAX_RECEIPT} bytes."))
            try:
                if isinstance(data, NotReadable):
                    raise data
                found[entry.parts[:-1]] = HandedIn(receipt(data), SaidBy.NBGRADER)
            except NotReadable as why:
                told = f"{why} Until then the date of the file itself counts."
                self._refuse(shown("/".join(entry.parts)), told, layout.owner(entry))
        return found

    def _the_one(self, found: list[Submission]) -> list[Submission]:
        """The answer that counts. The same bytes twice are one answer; between two only the student can choose."""
        found.sort(key=lambda one: one.path)
        if len({one.sha256 for one in found}) == 1:
            return found[:1]
        for at, one in enumerate(found):
            other = found[at - 1].path
            self._refuse(
                one.path,
                f"{one.student} handed in {len(found)} different files for {one.exercise}, "
                f"{other} is another; keep one.",
            )
        return []

    def _refuse(self, path: str, reason: str, owner: Owner | None = None) -> None:
        if owner is not None:
            self._refused[owner.student] += 1
            if self._refused[owner.student] > _MAX_LISTED:
                return
        self._unreadable.append(Unreadable(path, reason))

    def _of_persons(self, listing: Sequence[Entry], around: Parts, name: str) -> dict[int, Entry]:
        """The entries of a listing that a person handed in, by their place in it."""
        files = [entry.parts for entry in listing if entry.kind is Kind.FILE]
        passed_over = {(*parts[:-1], KEPT) for parts in files if parts[-1] == MARKER}
        for parts in files:
            if parts[-1] == "pyvenv.cfg" and len(parts) > 1 and not is_junk(parts):
                passed_over.add(parts[:-1])
                path = shown("/".join((*around, *parts[:-1])))
                self._refuse(path, "It is a Python environment; nothing in it was read.")
        entries: dict[int, Entry] = {}
        for number, entry in enumerate(listing):
            parts = entry.parts
            if not parts:  # the place itself, as `tar -c .` lists it, or what went wrong with it
                if entry.kind is Kind.REFUSED:
                    self._refuse(shown("/".join(around) or name), entry.reason)
            elif not (
                is_junk(parts)
                or parts[-1] == MARKER
                or any(parts[:length] in passed_over for length in range(1, len(parts) + 1))
            ):
                entries[number] = replace(entry, parts=(*around, *parts))
        return entries

    def _exercise_or_none(self, file_name: str) -> str | None:
        try:
            return self._names.exercise_of(file_name) if is_answer(file_name) else None
        except NotReadable:
            return None

    def _take(self, place: Place, found: Iterable[_Found], most: int, nested: bool = False) -> None:
        """Read what is worth reading, and say of everything else why it is not."""
        worth: dict[int, _Found] = {}
        wanted: dict[int, Entry] = {}
        for one in found:
            if one.entry.kind is Kind.FOLDER:
                continue
            try:
                owner = self._look_at(one, nested)
                if self._bytes[owner.student] + one.entry.size > MAX_OF_STUDENT:
                    limit = megabytes(MAX_OF_STUDENT)
                    raise NotReadable(f"All files of {owner.student} together are larger than {limit}.")
                if one.entry.size > most:
                    raise NotReadable("The archive unpacks to far more than its own size; this was not read.")
                most -= one.entry.size
                self._bytes[owner.student] += one.entry.size
            except NotReadable as why:
                self._refuse(one.path, str(why), one.owner)
                continue
            worth[one.number] = one
            wanted[one.number] = one.entry
        for number, data in place.contents(wanted):
            try:
                if isinstance(data, NotReadable):
                    raise data
                self._read(worth[number], data)
            except NotReadable as why:
                self._refuse(worth[number].path, str(why), worth[number].owner)

    def _look_at(self, one: _Found, nested: bool) -> Owner:
        """Whose it is, where the name, the kind and the size speak for reading it."""
        entry, name = one.entry, one.entry.parts[-1]
        if entry.kind is Kind.REFUSED:
            raise NotReadable(entry.reason)
        if one.owner is None:
            raise NotReadable("It lies in no student's folder; put it into one that has the student's name.")
        if is_answer(one.owner.file):
            self._names.exercise_of(one.owner.file)
            most = cap(one.owner.file)
        elif is_archive(name):
            most = _MAX_ARCHIVE
            if nested:
                raise NotReadable("It is an archive inside an archive inside an archive; unpack it first.")
        elif is_foreign_archive(name):
            raise NotReadable(f"It is an archive that can't be read here; read are {READ}.")
        else:
            raise NotReadable("It is not a .py or .ipynb file.")
        if entry.size > most:
            raise NotReadable(f"It is larger than {megabytes(most)}.")
        return one.owner

    def _read(self, one: _Found, data: bytes) -> None:
        owner = one.owner
        assert owner is not None
        if not is_answer(owner.file):
            self._unpack(one, owner, data)
            return
        exercise = self._names.exercise_of(owner.file)
        decoded = decode(owner.file, data)
        self._answers[owner.student, exercise].append(
            Submission(owner.student, exercise, one.path, decoded.source, digest(data), decoded.cells, decoded.notes)
        )
        if owner.late:
            self._late.add(one.path)
        if one.handed_in is not None:
            self._handed_in[one.path] = one.handed_in

    def _unpack(self, one: _Found, owner: Owner, data: bytes) -> None:
        """Read an archive inside the place: everything in it is its owner's. So are the times that it names, and what
        counts is when the archive itself was handed in.
        """
        place = open_archive(io.BytesIO(data), MAX_OF_STUDENT)
        found = [
            _Found(number, entry, replace(owner, file=entry.parts[-1]), one.handed_in)
            for number, entry in self._of_persons(place.listing(), one.entry.parts, "").items()
        ]
        self._take(place, found, MAX_OF_STUDENT, nested=True)
