"""What the bridges to Canvas and Moodle have in common: scores, whose row is whose, and numbers as the file has them.

Nobody's grade is guessed. A student of ours who fits no row, or more than one, gets none and is told, and so is a row
that nobody fits.
"""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.core.text import one_line

_NUMBER = re.compile(r"-?\d+(?:[.,](?P<places>\d+))?")
_MOST_NAMES = 40
"""So many names stand in one sentence; of more, the number is said."""


@dataclass(frozen=True)
class Score:
    """What one student has in one exercise, or in all of them."""

    points: float | None
    """None: it needs regrading, and the cell stays as it is."""
    possible: float
    comment: str = ""
    """For the student, where the file has room for it."""


@dataclass(frozen=True)
class Filled:
    """A teacher's file with the grades in it."""

    data: bytes
    changed: int
    """Cells that say something else than before."""
    matched: int
    """Students who were found in the file."""
    told: tuple[str, ...] = ()
    """What the teacher should know, a sentence each."""


@dataclass(frozen=True)
class Person:
    """Whom a row of the file is about."""

    row: int
    name: str
    id: str = ""
    """What the platform calls them, in the names of downloaded files too."""
    words: frozenset[str] = frozenset()
    """Logins, numbers, addresses: what stands for this one person, in `plain` form."""


def plain(text: str) -> str:
    """A login or number as it is compared."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def words_of(text: str) -> list[str]:
    """Letters and digits of a name, word by word, as names are compared."""
    shown = (
        ch if unicodedata.category(ch)[0] in "LMN" else " " for ch in unicodedata.normalize("NFKC", text).casefold()
    )
    return unicodedata.normalize("NFC", "".join(shown)).split()


@dataclass(frozen=True)
class Roster:
    """Which row is whose."""

    rows: Mapping[str, Person]
    told: tuple[str, ...]


def match(
    students: Iterable[str],
    ids: Mapping[str, str],
    people: Sequence[Person],
    *,
    silent: frozenset[int] = frozenset(),
    anonymous: bool = False,
) -> Roster:
    """Find each student's row: by the platform's ID where we know it, else by login or number, else by name.

    silent: rows of which nothing is said where nobody fits them (the test student). anonymous: the platform may hide
    names, so nothing follows where they differ.
    """
    by_id = _index(people, lambda one: [one.id] if one.id else [])
    by_word = _index(people, lambda one: one.words)
    by_name = _index(people, lambda one: _names(one.name))
    found: dict[str, list[Person]] = {}
    differ = []
    for student in students:
        known = ids.get(student, "")
        if known:
            hits = by_id.get(known, [])
            # Two people of one name: intake put the ID behind it.
            ours = _names(student.removesuffix(f"({known})"))
            if len(hits) == 1 and not anonymous and not set(_names(hits[0].name)) & set(ours):
                differ.append(f"{one_line(student)} ({known}) is {one_line(hits[0].name)} there")
        else:
            tiers = ([plain(student)], ["".join(words_of(student))], _names(student))
            indexes = (by_word, by_name, by_name)
            hits = next((hit for keys, index in zip(tiers, indexes, strict=True) if (hit := _hits(keys, index))), [])
        found[student] = hits
    claims: dict[int, list[str]] = defaultdict(list)
    for student, hits in found.items():
        if len(hits) == 1:
            claims[hits[0].row].append(student)
    rows = {student: hits[0] for student, hits in found.items() if len(hits) == 1 and len(claims[hits[0].row]) == 1}
    lost = [student for student, hits in found.items() if not hits]
    unclear = [student for student, hits in found.items() if hits and student not in rows]
    taken = {person.row for hits in found.values() for person in hits}
    nobody = [person.name for person in people if person.row not in taken | silent]
    told = (
        *_sentence("Graded here and not found in the file, so not filled in", lost),
        *_sentence("Fits more than one row of the file, or shares one, so not filled in", unclear),
        *_sentence("In the file, with nothing graded here", nobody),
        *_sentence("Found by the platform's ID, though the names differ", differ),
    )
    return Roster(rows, told)


def _names(name: str) -> list[str]:
    """A name in one piece, with first and last name changed round at the comma, and with its words in any order."""
    last, comma, first = name.partition(",")
    forms = ["".join(words_of(name)), " ".join(sorted(words_of(name)))]
    if comma:
        forms.append("".join(words_of(f"{first} {last}")))
    return [form for form in dict.fromkeys(forms) if form]


def _index(people: Sequence[Person], keys: Callable[[Person], Iterable[str]]) -> dict[str, list[Person]]:
    index: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        for key in keys(person):
            index[key].append(person)
    return index


def _hits(keys: Iterable[str], index: Mapping[str, list[Person]]) -> list[Person]:
    return list({person.row: person for key in keys if key for person in index.get(key, ())}.values())


def _sentence(what: str, names: Sequence[str]) -> tuple[str, ...]:
    return (f"{what}: {listed(names)}.",) if names else ()


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    shown = [one_line(name, 80) or "(no name)" for name in names[:_MOST_NAMES]]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return "; ".join(shown) + more


def number(text: str) -> float | None:
    """What a cell says in numbers, with a point or a comma, or None."""
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True)
class Style:
    """How a file writes numbers."""

    sign: str = "."
    places: int = 0
    """Digits behind the sign that are there even where they are 0."""

    @classmethod
    def of(cls, nearest: Iterable[str], all_: Iterable[str], delimiter: str) -> "Style":
        """As the cells of the same column do, else as all grades do. Where none shows it, files with semicolons are
        of countries that write a comma.
        """
        near = [found for text in nearest if (found := _NUMBER.fullmatch(text))]
        far = [found for text in all_ if (found := _NUMBER.fullmatch(text))]
        signs = [found[0][found.start("places") - 1] for found in (*near, *far) if found["places"]]
        sign = signs[0] if signs else {";": ","}.get(delimiter, ".")
        return cls(sign, min((len(found["places"] or "") for found in near or far), default=0))

    def write(self, value: float) -> str:
        """At least the usual places, and two where they are needed: platforms show no more."""
        whole, _, rest = f"{value:.{max(2, self.places)}f}".partition(".")
        rest = rest[: self.places] + rest[self.places :].rstrip("0")
        return f"{whole}{self.sign}{rest}" if rest else whole


@dataclass
class Tally:
    """What happened to the cells of one column, to be told in a few sentences."""

    column: str
    changed: int = 0
    kept: list[str] = field(default_factory=list)
    regrade: list[str] = field(default_factory=list)
    other: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def told(self, how_to_overwrite: str) -> list[str]:
        column = one_line(self.column)
        said = []
        if self.regrade:
            said.append(f"{column}: needs regrading, left as it was: {listed(self.regrade)}.")
        if self.kept:
            said.append(f"{column}: another grade is there and was kept{how_to_overwrite}: {listed(self.kept)}.")
        said += [f"{column}: {why}: {listed(names)}." for why, names in self.other.items()]
        return said


def scaled(score: Score, to: float | None) -> float | None:
    """Points, or their share of another maximum. None where there is no score."""
    if score.points is None or not math.isfinite(score.points):
        return None
    if to is None:
        return score.points
    return score.points * to / score.possible if score.possible > 0 else None


def mismatch(scores: Iterable[Score], there: float | None) -> str:
    """Words for a maximum that is not ours, or nothing."""
    ours = sorted({round(score.possible, 4) for score in scores})
    if there is None or not ours or all(math.isclose(one, there, abs_tol=0.005) for one in ours):
        return ""
    return (
        f"has {there:g} points and here it is {' or '.join(f'{one:g}' for one in ours)}. Points are filled in as "
        "they are; --scale makes them fit"
    )
