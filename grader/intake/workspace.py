"""A learner's workspace: the folder that holds their files, found by the marker `learn.toml` as git finds `.git`.

Nothing of a learner's is ever overwritten: `create` keeps what is there, `reset` puts a copy aside first.
"""

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.core.errors import BadFile
from grader.core.exercise import Exercise
from grader.core.submission import Submission
from grader.intake.read import read_file

MARKER = "learn.toml"
KEPT = "kept"
FORMAT = 1


@dataclass(frozen=True)
class Answer:
    """The file that holds a learner's answer."""

    file: Path
    other: Path | None = None
    """The one that was not taken, where there is one as .py and one as .ipynb."""
    why: str = ""
    """Why it was not taken, in words that follow its name."""


@dataclass(frozen=True)
class Workspace:
    folder: Path
    language: str = "en"
    pack: str | None = None
    """A folder of exercises other than our own."""

    def file_for(self, exercise: Exercise) -> Path:
        return self.folder / exercise.file_name

    def notebook_for(self, exercise: Exercise) -> Path:
        return self.file_for(exercise).with_suffix(".ipynb")

    def answer_for(self, exercise: Exercise) -> Answer:
        """The learner's .py or .ipynb. Where both are there: the one they worked on, of two such the later one."""
        file, notebook = self.file_for(exercise), self.notebook_for(exercise)
        if not notebook.is_file():
            return Answer(file)
        if not file.is_file():
            return Answer(notebook)
        stub = exercise.stub.read_text(encoding="utf-8")
        if _as_given_out(notebook, stub):
            return Answer(file, notebook, "is as it was given out")
        if _as_given_out(file, stub):
            return Answer(notebook, file, "is as it was given out")
        first, second = sorted((notebook, file), key=lambda path: path.stat().st_mtime_ns)
        return Answer(second, first, "was changed before it")

    def reset(self, exercise: Exercise, stub: str) -> Path | None:
        """Put the stub back; the copy that was kept of the learner's file, or None where there was none."""
        file = self.file_for(exercise)
        fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
        try:
            kept = self._keep(file) if os.path.lexists(file) else None
            try:
                write_new(fresh, stub.encode())
                os.replace(fresh, file)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            raise BadFile(f"{file} can't be reset: {error.strerror or error}. Nothing of it was lost.") from error
        return kept

    def _keep(self, file: Path) -> Path:
        folder = self.folder / KEPT
        folder.mkdir(exist_ok=True)
        now = datetime.now().strftime("%Y%m%d-%H%M%S")
        data = file.read_bytes()
        again = 1
        while True:
            number = f"-{again}" if again > 1 else ""
            copy = folder / f"{file.stem}.{now}{number}{file.suffix}"
            try:
                write_new(copy, data)
            except FileExistsError:
                again += 1
            else:
                return copy


@dataclass(frozen=True)
class Created:
    """What `create` did."""

    workspace: Workspace
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    """Files that were there before, and were left as they are."""


def find(start: Path) -> Workspace | None:
    """The workspace that `start` lies in, or None."""
    start = Path(os.path.abspath(start))
    for folder in (start, *start.parents):
        marker = folder / MARKER
        if marker.is_file():
            return _load(marker)
    return None


def create(
    folder: Path, stubs: Sequence[tuple[Exercise, str]], language: str = "en", pack: str | None = None
) -> Created:
    """Make a workspace, or add what it lacks: one file for each exercise, with the text of its stub."""
    workspace = Workspace(Path(os.path.abspath(folder)), language, pack)
    said = [f"format = {FORMAT}", f"language = {json.dumps(language, ensure_ascii=False)}"]
    if pack is not None:
        said.append(f"pack = {json.dumps(pack, ensure_ascii=False)}")
    texts = [(workspace.file_for(exercise), stub) for exercise, stub in stubs]
    # The marker comes last: a workspace that was made half is none, and `init` makes the rest.
    texts.append((workspace.folder / MARKER, "\n".join(said) + "\n"))
    written, kept = [], []
    try:
        workspace.folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts:
            if os.path.lexists(path):
                kept.append(path)
            else:
                write_new(path, text.encode())
                written.append(path)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BadFile(f"{folder} can't be made a workspace: {why}.") from error
    return Created(_load(workspace.folder / MARKER), tuple(written), tuple(kept))


def _as_given_out(file: Path, stub: str) -> bool:
    def essence(text: str) -> list[str]:
        return [line.rstrip() for line in text.splitlines() if line.strip()]

    read = read_file(file)
    return isinstance(read, Submission) and essence(read.source) in ([], essence(stub))


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet (not even in a race), all of it or nothing."""
    with open(path, "xb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise


def _load(marker: Path) -> Workspace:
    try:
        said = tomllib.loads(marker.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadFile(
            f"{marker} can't be read ({error}). Mend it, or remove it and run `learn init {marker.parent}`."
        ) from error
    language, pack = said.get("language", "en"), said.get("pack")
    if said.get("format") != FORMAT:
        raise BadFile(f"{marker} was written by another version of Autogradebook; update it, then go on.")
    if not isinstance(language, str) or not isinstance(pack, str | None):
        raise BadFile(f"{marker}: `language` and `pack` must be texts. Mend it, then go on.")
    return Workspace(marker.parent, language, pack)
