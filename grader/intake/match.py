"""Which exercise a file answers, by the number or the name in its own name."""

import posixpath
import re
import unicodedata
from collections.abc import Sequence

from grader.intake.decoded import NotReadable

_NUMBER = re.compile(r"(?:exercise_?|ex_?)?0*(\d{1,4})(?:_(.*)|(\(.*))?")
# What browsers, Canvas and file managers add to the name of a second copy.
_COPY = re.compile(r"_?\(\d+\)|_copy(_\d+)?|_\d+")


class Names:
    """The exercises that are known, by name ("05_view_vs_reshape"); the digits in front are the number."""

    def __init__(self, names: Sequence[str]) -> None:
        self._exact = frozenset(names)
        self._names = sorted(self._exact)
        self._by_form: dict[str, list[str]] = {}
        self._by_number: dict[int, list[str]] = {}
        for name in self._names:
            digits, _, slug = name.partition("_")
            if digits.isdecimal():
                self._by_number.setdefault(int(digits), []).append(name)
                if slug:
                    self._by_form.setdefault(_form(slug), []).append(name)
            self._by_form.setdefault(_form(name), []).append(name)

    def exercise_of(self, file_name: str) -> str:
        """The one exercise that a file of this name answers."""
        stem = posixpath.splitext(file_name)[0]
        if stem in self._exact:  # as most files are named
            return stem
        form = _form(stem)
        found = self._named(form)
        if numbered := _NUMBER.fullmatch(form):
            by_number = self._by_number.get(int(numbered[1]), [])
            by_name = found or self._named(numbered[2] or "")
            if by_name and by_number and not set(by_name) & set(by_number):
                raise NotReadable(f"Its number says {by_number[0]} and its name says {by_name[0]}; rename it.")
            found = [name for name in by_number if name in by_name] or by_name or by_number
        if len(found) > 1:
            raise NotReadable(f"Its name fits {' and '.join(found)}; rename it to one of them.")
        if not found:
            raise NotReadable(f"Its name fits no exercise, by number or name; known: {self._known()}.")
        return found[0]

    def _named(self, form: str) -> list[str]:
        if form in self._by_form:
            return self._by_form[form]
        # "view_vs_reshape (1)": of all the beginnings that leave the sign of a copy, the longest.
        for known in sorted(self._by_form, key=len, reverse=True):
            if form.startswith(known) and _COPY.fullmatch(form, len(known)):
                return self._by_form[known]
        return []

    def _known(self) -> str:
        if len(self._names) <= 4:
            return ", ".join(self._names) or "none"
        return f"{', '.join(self._names[:3])}, … {self._names[-1]} ({len(self._names)} in all)"


def _form(stem: str) -> str:
    """A name as it is compared: case, spaces, dashes and full-width letters make no difference."""
    return re.sub(r"[\s.-]+", "_", unicodedata.normalize("NFKC", stem).casefold()).strip("_")
