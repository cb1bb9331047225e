"""An exercise as the rest of the system knows it: what `exercise.toml` says, and where its files lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Texts = Mapping[str, str]
"""One text in several languages, by language code; `en` is always there."""


def in_language(texts: Texts, language: str = "en") -> str:
    """The text in `language` where it was written, else in English."""
    return texts.get(language) or texts["en"]


@dataclass(frozen=True)
class Limits:
    """What one learner's process may take."""

    seconds: float = 5.0
    """Wall-clock time for each request of a check."""
    memory_mb: int = 1024
    """Memory beyond what the empty process holds."""
    processes: int = 0
    """Processes that the learner's code may start (DataLoader workers)."""
    scratch_mb: int = 64
    """Size of the private temporary folder."""


@dataclass(frozen=True)
class Exercise:
    """One exercise. `name` ("05_view_vs_reshape") is its identity; `number` is only its place in the order."""

    name: str
    number: int
    title: Texts
    points: float
    topics: tuple[str, ...]
    minutes: int
    needs: tuple[str, ...]
    """Modules beyond torch that its checks and answers import, such as "torchvision"."""
    limits: Limits
    hints: tuple[Texts, ...]
    misconceptions: Mapping[str, Texts]
    """The sentence that a learner reads, by the misconception's slug."""
    folder: Path
    solution: Path
    pack: str = "autogradebook"
    digest: str = field(default="", compare=False)
    """SHA-256 over everything that decides a verdict; a changed exercise makes stored results stale."""

    @property
    def stub(self) -> Path:
        return self.folder / "stub.py"

    @property
    def checks(self) -> Path:
        return self.folder / "checks.py"

    @property
    def scenes(self) -> Path:
        return self.folder / "scenes.py"

    @property
    def readme(self) -> Path:
        return self.folder / "README.md"

    @property
    def file_name(self) -> str:
        """The name of the learner's file."""
        return f"{self.name}.py"


@dataclass(frozen=True)
class KnownAnswer:
    """A file of `wrong/` or `right/`, with what it says of itself."""

    path: Path
    source: str
    about: str
    misconception: str | None = None
    fails: tuple[str, ...] = ()
    """The checks that must fail, all others must pass; empty for a right answer."""
