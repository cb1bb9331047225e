"""Whose file it is, by where it lies.

Known are `student/NN_name.py`, deeper folders below a student's, nbgrader's
`submitted/student/assignment/NN_name.ipynb` with or without the course around it, Moodle's folders and flat
files `Full Name_uniqueid_assignsubmission_file`, Canvas's flat files `name[_LATE]_userid_attachmentid_file` and
`[LATE_]anon_code_attachmentid_file`, one archive for each student, and one folder around any of these.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from grader.intake.archive import is_archive, stem
from grader.intake.place import Entry, Kind, same_form

Parts = tuple[str, ...]

COURSE = frozenset({"source", "release", "autograded", "feedback", "nbgrader_config.py", "gradebook.db"})
"""What lies beside `submitted` in a course of nbgrader."""
_JUNK = frozenset({"__pycache__", "__MACOSX", "Thumbs.db", "desktop.ini"})
_RECEIPT = "timestamp.txt"
"""nbgrader puts it beside every submission."""

# Split from the right: a name may hold underscores and digits, what the platform adds may not.
_MOODLE = re.compile(r"(?P<student>.+)_(?P<id>\d+)_assignsubmission_[a-z]+_?(?P<file>.*)", re.DOTALL)
_BEHIND_NAME = re.compile(r"(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)", re.I | re.DOTALL)
_MOST_READINGS = 16
"""Underscores of a name at which it is tried: one of a stranger's archive may have thousands."""
# Where Canvas hides names, a code of five letters and digits stands for a student; it is no user's number.
_ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<student>anon_(?=\d*[A-Za-z])[0-9A-Za-z]{5})_\d+_(?P<file>.+)", re.DOTALL)


@dataclass(frozen=True)
class Owner:
    """Who handed a file in. `file` is its name without what a learning platform added."""

    student: str
    file: str
    id: str = ""
    late: bool = False
    by_canvas: bool = False
    """Whether the name is one of Canvas's, which says if it was late."""


def is_junk(parts: Parts) -> bool:
    """What no person handed in: hidden files, caches, what operating systems and nbgrader leave behind."""
    hidden = any(part in _JUNK or part.startswith(".") for part in parts) or is_receipt(parts)
    return hidden and not leads_outside(parts)


def is_receipt(parts: Parts) -> bool:
    """Whether it is the file in which nbgrader says when something was handed in."""
    return parts[-1:] == (_RECEIPT,)


def leads_outside(parts: Parts) -> bool:
    """Whether it is a path as only a trap has it, absolute or upwards: it is said, and is nobody's."""
    return ".." in parts or parts[0] == ""


def is_course(names: set[str]) -> bool:
    """Whether a folder with these names in it is a course of nbgrader."""
    return "submitted" in names and (len(names) == 1 or bool(names & COURSE))


class Layout:
    """How one place is laid out, decided once from the names of all that lies in it."""

    def __init__(
        self, name: str, packed: bool, entries: Sequence[Entry], exercise_of: Callable[[str], str | None]
    ) -> None:
        self._exercise_of = exercise_of
        self._name = name
        self.base = self._find_base(name, packed, entries)
        """The folders around those of the students."""
        ids = defaultdict(set)
        for entry in entries:
            if (owner := self._owner(entry)) is not None:
                ids[owner.student].add(owner.id)
        self._shared = {student for student, all_ids in ids.items() if len(all_ids) > 1}

    def owner(self, entry: Entry) -> Owner | None:
        """Whose it is; None for what lies outside every student's folder."""
        owner = self._owner(entry)
        if owner is None or owner.student not in self._shared or not owner.id:
            return owner
        # Two people of one name: what the platform added keeps them apart.
        return replace(owner, student=f"{owner.student} ({owner.id})")

    def is_outside(self, parts: Parts) -> bool:
        """Whether it lies in a course of nbgrader, but is nothing that was handed in."""
        return self.base[-1:] == ("submitted",) and not self._is_inside(parts)

    def assignment(self, parts: Parts) -> Parts | None:
        """nbgrader's folder of one student's assignment that something lies in. None elsewhere: outside of a course,
        what is called `timestamp.txt` may be the student's own word.
        """
        of_nbgrader = (self.base or (self._name,))[-1] == "submitted" and self._is_inside(parts)
        depth = len(self.base) + 2
        return parts[:depth] if of_nbgrader and len(parts) > depth else None

    def _is_inside(self, parts: Parts) -> bool:
        return parts[: len(self.base)] == self.base

    def _owner(self, entry: Entry) -> Owner | None:
        inside = entry.parts[len(self.base) :]
        if not inside or not self._is_inside(entry.parts) or leads_outside(entry.parts):
            return None
        top, file = inside[0], inside[-1]
        alone = len(inside) == 1
        if found := _MOODLE.fullmatch(top):
            return Owner(same_form(found["student"]), found["file"] if alone else file, found["id"])
        if not alone or entry.kind is Kind.FOLDER:
            return Owner(same_form(top), file)
        if owner := self._of_canvas(top):
            return owner
        if is_archive(top):
            return Owner(same_form(stem(top)), top)
        return None

    def _of_canvas(self, name: str) -> Owner | None:
        """A name of Canvas in its parts. In `student_2_4711_99_05_view.py` and `alice_4711_99_05_view.py` only the
        exercise says which numbers are whose; where it doesn't, a student's name has none.
        """
        if found := _ANONYMOUS.fullmatch(name):
            return Owner(found["student"], found["file"], late=bool(found["late"]), by_canvas=True)
        best, most = None, -1
        for at in islice((at for at, sign in enumerate(name) if at and sign == "_"), _MOST_READINGS):
            if (found := _BEHIND_NAME.fullmatch(name, at)) is None:
                continue
            exercise = self._exercise_of(found["file"]) or ""
            begins = found["file"].casefold().startswith((exercise, exercise.partition("_")[2] or exercise))
            worth = bool(exercise) * (1 + begins)
            if worth > most:
                late = bool(found["late"])
                best, most = Owner(same_form(name[:at]), found["file"], found["id"], late, by_canvas=True), worth
        return best

    def _find_base(self, name: str, packed: bool, entries: Sequence[Entry]) -> Parts:
        paths = [entry.parts for entry in entries if entry.kind is not Kind.REFUSED]
        files = [entry.parts for entry in entries if entry.kind is Kind.FILE]
        if is_course({parts[0] for parts in paths}):
            return ("submitted",)
        # A stray file at the top ("README.txt") says nothing about the folders beside it.
        loose = [parts[0] for parts in files if len(parts) == 1 and self._is_answer(parts[0])]
        tops = {
            entry.parts[0]
            for entry in entries
            if (len(entry.parts) > 1 or entry.kind is Kind.FOLDER) and not leads_outside(entry.parts)
        }
        if name == "submitted" or loose or len(tops) != 1:
            return ()
        (top,) = tops
        if is_course({parts[1] for parts in paths if len(parts) > 1}):
            return (top, "submitted")
        inside = [parts[1:] for parts in files if len(parts) > 1]
        return (top,) if self._is_wrapper(top, inside, packed or top == name) else ()

    def _is_wrapper(self, top: str, files: Sequence[Parts], unless_told: bool) -> bool:
        """Whether the only folder is one around the students' folders, and not the only student's."""
        if not files or _MOODLE.fullmatch(top):
            return False
        direct = [parts[0] for parts in files if len(parts) == 1 and self._is_answer(parts[0])]
        if direct:
            # A flat download, or an archive for each student.
            flat = all(map(self._is_flat, direct))
            return flat or (len(direct) > 1 and all(map(is_archive, direct)))
        folders = defaultdict(set)
        for parts in files:
            if len(parts) > 1:
                if _MOODLE.fullmatch(parts[0]):
                    return True
                folders[self._answers(parts[-1])].add(parts[0])
        folders.pop(None, None)
        # Where two folders answer the same exercise, they are two students'. Where none do, an archive
        # has a folder around it more often than a single student with folders of their own.
        return unless_told or any(len(students) > 1 for students in folders.values())

    def _is_answer(self, name: str) -> bool:
        return bool(self._answers(name) or self._is_flat(name))

    def _is_flat(self, name: str) -> bool:
        """Whether it is a file of a flat download, as its name says."""
        return bool(_MOODLE.fullmatch(name) or self._of_canvas(name))

    def _answers(self, name: str) -> str | None:
        return self._exercise_of(name) or ("an archive" if is_archive(name) else None)
