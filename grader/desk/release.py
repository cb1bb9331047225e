"""What students receive: stubs, READMEs and notebooks, with points and the due date, and nothing that is hidden.

Only three things are ever read of an exercise: its title and points, its READMEs, its stub. Hints stay out: `learn
hint` gives them one by one where the exercise is installed, and a private one is worth its own thinking.

A release is known by its `release.toml`, which says what was released and holds the hash of every file. So a second
release into the same folder changes what is different, takes away what is released no more, and neither touches what
somebody else put there nor overwrites a file of ours that somebody changed. The same input gives the same bytes.
"""

import json
import os
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from grader.catalogue import Catalogue
from grader.core.errors import BadFile
from grader.core.exercise import Exercise, in_language
from grader.core.grade import LatePolicy
from grader.core.submission import digest
from grader.core.text import one_line
from grader.desk.carry import packed
from grader.desk.notebook import notebook_of
from grader.flow import ENGINE
from grader.report.atomic import write_bytes
from grader.report.results import number

MARKER = "release.toml"
FORMAT = 1
_README = re.compile(r"README(\.[a-z]{2}(-[A-Za-z]+)?)?\.md")


@dataclass(frozen=True)
class Release:
    """What `learn release` was asked for."""

    exercises: tuple[Exercise, ...]
    title: str = "Exercises"
    due: datetime | None = None
    late: LatePolicy | None = None
    scripts: bool = True
    """Whether the .py files are in it."""
    notebooks: bool = False
    zipped: bool = False
    """Whether an archive of it all lies in it too."""
    installed: bool = False
    """Whether students who install Autogradebook have these exercises, checks and all."""


@dataclass(frozen=True)
class Released:
    """What became of the files: paths relative to the release."""

    written: tuple[str, ...] = field(default=())
    kept: tuple[str, ...] = field(default=())
    """Those that were there already, as they are to be."""
    removed: tuple[str, ...] = field(default=())
    left: tuple[str, ...] = field(default=())
    """Those that are released no more, and stay because somebody changed them."""


def are_installed(exercises: tuple[Exercise, ...]) -> bool:
    """Whether these are exercises of the installed package, with the same checks."""
    ours = Catalogue.load()
    return all((known := ours.get(one.name)) is not None and known.digest == one.digest for one in exercises)


def contents(release: Release) -> dict[str, bytes]:
    """Every file of a release but its marker, by its path."""
    texts: dict[str, str] = {}
    for exercise in release.exercises:
        folder = exercise.name
        for readme in sorted(exercise.folder.glob("README*.md")):
            if _README.fullmatch(readme.name):
                texts[f"{folder}/{readme.name}"] = readme.read_text(encoding="utf-8")
        if release.scripts:
            texts[f"{folder}/{exercise.file_name}"] = exercise.stub.read_text(encoding="utf-8")
        if release.notebooks:
            texts[f"{folder}/{exercise.name}.ipynb"] = notebook_of(exercise, checkable=release.installed)
    files = {path: text.encode() for path, text in sorted({**texts, "README.md": _front(release)}.items())}
    if release.zipped:
        top = _slug(release.title)
        files[f"{top}.zip"] = packed({f"{top}/{path}": data for path, data in files.items()})
    return files


def write(release: Release, out: Path) -> Released:
    """Make the folder `out` this release. Raises BadFile, before anything is written, where that can't be."""
    files = contents(release)
    marker = _marker(release, files)
    try:
        before = _former(out)
        first = before is None
        _refuse_changed(out, files, before or {})
        if first:
            # A release that is broken off is one nevertheless, and the next run makes the rest.
            out.mkdir(parents=True, exist_ok=True)
            write_bytes(out / MARKER, marker)
        stale = [path for path in files if not _holds(out / path, files[path])]
        for path in stale:
            write_bytes(out / path, files[path])
        removed, left = _take_away(out, {path: sha for path, sha in (before or {}).items() if path not in files})
        if not _holds(out / MARKER, marker):
            write_bytes(out / MARKER, marker)
    except OSError as error:
        raise BadFile(f"{out} can't be made a release: {error.strerror or error} ({error.filename}).") from error
    kept = tuple(path for path in files if path not in stale)
    return Released(tuple(stale), kept, tuple(removed), tuple(left))


# ------------------------------------------------------------------------------------------------ what it says


def _front(release: Release) -> str:
    """The README of the whole release."""
    total = sum(exercise.points for exercise in release.exercises)
    parts = [f"# {_cell(release.title)}", "\n".join(_when(release))]
    rows = ["| exercise | title | points |", "|---|---|---:|"]
    for exercise in release.exercises:
        title = _cell(in_language(exercise.title))
        rows.append(f"| [{exercise.name}]({exercise.name}/README.md) | {title} | {number(exercise.points)} |")
    rows.append(f"| | together | {number(total)} |")
    parts += ["\n".join(rows), "## To work", _how_to_work(release)]
    if release.installed:
        parts += ["## To check yourself", _how_to_check(release)]
    parts += ["## To hand in", _how_to_hand_in(release)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _when(release: Release) -> list[str]:
    if release.due is None:
        return []
    said = [f"**Due: {in_words(release.due)}.**"]
    if release.late is not None:
        said.append(release.late.sentence)
    return said


def in_words(due: datetime) -> str:
    """A due date as a sentence says it, in English whatever the machine speaks."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    months = (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    )  # fmt: skip
    day = f"{days[due.weekday()]}, {due.day} {months[due.month - 1]} {due.year}"
    offset = f"{due:%z}"
    zone = f" (UTC{offset[:3]}:{offset[3:5]})" if offset else ""
    if (due.hour, due.minute, due.second) == (23, 59, 59):
        return f"the end of {day}{zone}"
    return f"{day}, {due:%H:%M}{zone}"


def _how_to_work(release: Release) -> str:
    kind = {
        (True, False): "a `.py` file",
        (False, True): "a notebook (`.ipynb`)",
        (True, True): "a `.py` file and, if you would rather work in Jupyter, the same as a notebook (`.ipynb`)",
    }[release.scripts, release.notebooks]
    needs = ["torch", *sorted({module for exercise in release.exercises for module in exercise.needs} - {"torch"})]
    return (
        f"Each exercise is a folder with its task (`README.md`) and {kind}, in which the functions are still to be "
        f"written. You need Python 3.11 or newer with {' and '.join(needs)}."
    )


def _how_to_check(release: Release) -> str:
    name = release.exercises[0].name
    file = f"{name}/{name}{'.py' if release.scripts else '.ipynb'}"
    said = (
        f"With Autogradebook installed, in this folder:\n\n    learn check {file}\n\n"
        "The verdict names what is wrong. It is the same check that grades what you hand in, with inputs drawn anew."
    )
    if release.notebooks:
        said += " In a notebook, running the cell with your answer tells the verdict beneath it."
    return said


def _how_to_hand_in(release: Release) -> str:
    what = {
        (True, False): "the `.py` file",
        (False, True): "the notebook",
        (True, True): "one file, the `.py` or the notebook,",
    }[release.scripts, release.notebooks]
    return (
        f"For each exercise hand in {what} under the name that it has here: the name says which exercise it answers. "
        "An exercise in which not everything is right counts for what is."
    )


def _cell(text: str) -> str:
    """Text on one line of Markdown, in a table or not."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", one_line(text))


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "exercises"


# ------------------------------------------------------------------------------------------------- the marker


def _marker(release: Release, files: Mapping[str, bytes]) -> bytes:
    lines = [
        "# Made by `learn release`, which knows this folder by it. Students may have it; graders read it.",
        f"format = {FORMAT}",
        f"grader = {_text(ENGINE)}",
        f"title = {_text(one_line(release.title))}",
    ]
    if release.due is not None:
        lines.append(f"due = {_text(release.due.isoformat())}")
    if release.late is not None:
        lines.append(f"late = {_text(str(release.late))}")
    for exercise in release.exercises:
        lines += [
            "",
            "[[exercises]]",
            f"name = {_text(exercise.name)}",
            f"title = {_text(one_line(in_language(exercise.title)))}",
            f"points = {number(exercise.points)}",
            f"digest = {_text(exercise.digest)}",
        ]
    lines += ["", "[files]", *(f"{_text(path)} = {_text(digest(data))}" for path, data in sorted(files.items()))]
    return ("\n".join(lines) + "\n").encode()


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _former(out: Path) -> dict[str, str] | None:
    """The files of the release that lies in `out`, by path, with their hashes; None where nothing lies there."""
    marker = out / MARKER
    if not os.path.lexists(marker):
        # Names with a dot, such as .git, are nobody's homework.
        if out.exists() and not out.is_dir():
            raise BadFile(f"{out} is a file; name a folder.")
        if out.is_dir() and any(not entry.name.startswith(".") for entry in out.iterdir()):
            raise BadFile(f"{out} is not empty, and no former release (it has no {MARKER}). Name a new folder.")
        return None
    try:
        said: dict[str, Any] = tomllib.loads(marker.read_bytes().decode())
        form, files = said["format"], said["files"]
        good = isinstance(files, dict) and all(isinstance(sha, str) and _inside(path) for path, sha in files.items())
    except (ValueError, KeyError, UnicodeDecodeError) as error:
        raise BadFile(f"{marker} can't be read ({one_line(str(error), 100)}). Name a new folder.") from error
    if form != FORMAT:
        raise BadFile(f"{marker} was written by another version of Autogradebook; update it, or name a new folder.")
    if not good:
        raise BadFile(f"{marker} names files that no release has. Name a new folder.")
    return dict(files)


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not {"..", "/"} & set(parts) and "\\" not in path and ":" not in path and path != MARKER


def _refuse_changed(out: Path, files: Mapping[str, bytes], before: Mapping[str, str]) -> None:
    """Say so where a file that is to be written is somebody else's by now."""
    for path, data in files.items():
        file = out / path
        if file.parent.is_symlink() or file.is_symlink():
            raise BadFile(f"{file} lies behind a link, and a release stays in its folder. Remove the link, then again.")
        if os.path.lexists(file) and not _holds(file, data) and _hash(file) != before.get(path):
            raise BadFile(
                f"{file} was not written by `learn release`, or was changed since. Nothing was released: "
                "move it out of the way (or remove it, to have it as it is released), then run this again."
            )


def _take_away(out: Path, gone: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Remove what is released no more; what somebody changed, or what lies behind a link, stays."""
    removed, left = [], []
    for path, sha in sorted(gone.items()):
        file = out / path
        if not os.path.lexists(file):
            continue
        if file.is_symlink() or file.parent.is_symlink() or _hash(file) != sha:
            left.append(path)
            continue
        file.unlink()
        removed.append(path)
        if file.parent != out:
            with suppress(OSError):  # something of somebody else's lies there
                file.parent.rmdir()
    return removed, left


def _holds(file: Path, data: bytes) -> bool:
    return _hash(file) == digest(data)


def _hash(file: Path) -> str | None:
    return digest(file.read_bytes()) if file.is_file() else None
