"""Reads `exercise.toml` and finds an exercise by what a person types."""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.catalogue.places import content_root
from grader.core.errors import BadExercise, BadFile, WrongUsage
from grader.core.exercise import Exercise, Limits

_NAME = re.compile(r"(\d\d+)_([a-z0-9_]+)")


class Catalogue:
    """All exercises of the package, or of a pack, in order."""

    def __init__(self, exercises: Sequence[Exercise], broken: Mapping[str, BadExercise] | None = None) -> None:
        self._exercises = tuple(sorted(exercises, key=lambda exercise: (exercise.number, exercise.name)))
        self.broken = dict(broken or {})
        """For an author: folders that break the contract of an exercise, and how."""

    @classmethod
    def load(cls, pack: Path | None = None, *, for_author: bool = False) -> "Catalogue":
        """The installed exercises, or those of the folder `pack`, which holds `exercises/` and `solutions/`.

        Raises BadExercise for a folder that breaks the contract: a class must not be graded without it. For an
        author, who may be writing two at a time, it is kept in `broken` instead.
        """
        root = pack or content_root()
        if not (root / "exercises").is_dir():
            raise BadFile(f"{root} has no folder exercises/: a pack is a folder with exercises/ and solutions/.")
        found, broken = [], {}
        for folder in sorted((root / "exercises").iterdir()):
            if not folder.is_dir() or folder.name.startswith((".", "_")):
                continue
            try:
                found.append(_read(folder, root))
            except BadExercise as fault:
                if not for_author:
                    raise
                broken[folder.name] = fault
        if not found and not broken:
            raise BadFile(f"{root / 'exercises'} holds no exercise: add a folder NN_name with an exercise.toml.")
        return cls(found, broken)

    def __iter__(self) -> Iterator[Exercise]:
        return iter(self._exercises)

    def __len__(self) -> int:
        return len(self._exercises)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(exercise.name for exercise in self._exercises)

    def get(self, name: str) -> Exercise | None:
        """The exercise of exactly this name."""
        return next((exercise for exercise in self._exercises if exercise.name == name), None)

    def chosen(self, asked: Sequence[str]) -> tuple[Exercise, ...]:
        """The exercises that a person named, or all, in order. Raises WrongUsage as `find` does."""
        names = {self.find(text).name for text in asked}
        return tuple(exercise for exercise in self if not names or exercise.name in names)

    def find(self, text: str) -> Exercise:
        """The exercise that a person means by "05", "5", "05_view_vs_reshape", "view_vs_reshape" or a file name.

        Raises WrongUsage with what is near when there is none, or more than one.
        """
        wanted = Path(text).name.removesuffix(".py").removesuffix(".ipynb").strip().lower()
        if wanted.isdigit():
            hits = [exercise for exercise in self._exercises if exercise.number == int(wanted)]
        else:
            hits = [exercise for exercise in self._exercises if wanted in (exercise.name, _stem(exercise.name))]
            hits = hits or [exercise for exercise in self._exercises if wanted and wanted in exercise.name]
        if len(hits) == 1:
            return hits[0]
        for name, fault in self.broken.items():
            if wanted in (name, _stem(name), name.partition("_")[0]):
                raise fault
        if hits:
            names = ", ".join(exercise.name for exercise in hits[:6])
            raise WrongUsage(f"'{text}' could be {names}. Say which one by its full name.")
        raise WrongUsage(f"There is no exercise '{text}'. `learn list` shows all {len(self)}.")


def _stem(name: str) -> str:
    return name.partition("_")[2]


def _read(folder: Path, root: Path) -> Exercise:
    file = folder / "exercise.toml"
    match = _NAME.fullmatch(folder.name)
    if match is None:
        raise BadExercise(f"{folder}: an exercise's folder is called NN_name, in lower case.")
    try:
        facts = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadExercise(f"{folder} has no exercise.toml.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadExercise(f"{file}: {fault}.") from fault
    try:
        exercise = Exercise(
            name=folder.name,
            number=int(match[1]),
            title=_texts(facts["title"]),
            points=float(facts["points"]),
            topics=tuple(facts["topics"]),
            minutes=int(facts["minutes"]),
            needs=tuple(facts.get("needs", ())),
            limits=Limits(**facts.get("limits", {})),
            hints=tuple(_texts(hint) for hint in facts.get("hints", ())),
            misconceptions={slug: _texts(text) for slug, text in facts.get("misconceptions", {}).items()},
            folder=folder,
            solution=root / "solutions" / f"{folder.name}.py",
            digest=_digest(folder, root / "solutions" / f"{folder.name}.py"),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise BadExercise(f"{file}: {type(fault).__name__}: {fault}.") from fault
    for needed in (exercise.stub, exercise.checks, exercise.solution, exercise.readme):
        if not needed.is_file():
            raise BadExercise(f"{folder.name} lacks {needed}.")
    return exercise


def _texts(value: Any) -> dict[str, str]:
    """A text alone is English; a table holds it by language."""
    texts = {"en": value} if isinstance(value, str) else dict(value)
    if "en" not in texts or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("a text must be there in English (en)")
    return {language: text.strip() for language, text in texts.items()}


def _digest(folder: Path, solution: Path) -> str:
    """Over everything that decides a verdict or a message. READMEs and stubs' prose may change freely."""
    whole = hashlib.sha256()
    parts = [folder / name for name in ("exercise.toml", "checks.py", "scenes.py", "stub.py")]
    parts += [solution, *sorted((folder / "wrong").glob("*.py"))]
    for part in parts:
        if part.is_file():
            data = part.read_bytes()
            whole.update(f"{part.name}:{len(data)}:".encode())
            whole.update(data)
    return whole.hexdigest()
