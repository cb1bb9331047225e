"""The installed package as a wheel again, with chosen exercises in it: for a machine that has no index with it.

The wheel is put together from the files that are running here, in a checkout or installed, and so needs no build
tool and grades exactly as this installation does. The same content gives the same bytes.
"""

import base64
import hashlib
import importlib.metadata
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import grader
from grader.catalogue import templates
from grader.core.errors import MissingPart
from grader.core.exercise import Exercise

_NAME = "autogradebook"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = {"__pycache__", "content", ".mypy_cache"}


def wheel(exercises: Sequence[Exercise]) -> tuple[str, bytes]:
    """File name and content of a wheel that carries the engine and these exercises, with checks and solutions."""
    try:
        installed = importlib.metadata.distribution(_NAME)
    except importlib.metadata.PackageNotFoundError:
        raise MissingPart(f"{_NAME} is not installed here: `pip install .` in its folder, then try again.") from None
    stem = f"{_NAME}-{installed.version}"
    files = dict(_engine())
    for exercise in exercises:
        files |= _exercise(exercise)
    files |= _below(templates(), "grader/content/templates")
    about = f"{stem}.dist-info"
    for name in ("METADATA", "entry_points.txt", "licenses/LICENSE"):
        if text := installed.read_text(name):
            files[f"{about}/{name}"] = text.encode()
    files[f"{about}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: autogradebook\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{about}/RECORD"] = _record(files, f"{about}/RECORD")
    return f"{stem}-py3-none-any.whl", packed(files)


def packed(files: Mapping[str, bytes], executable: Sequence[str] = ()) -> bytes:
    """A zip of these files, the same bytes for the same content wherever it is made.

    Not compressed: what a compressor writes differs from one version to the next.
    """
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever it is made: else the mode bits mean nothing
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, files[name])
    return whole.getvalue()


def _engine() -> Iterator[tuple[str, bytes]]:
    assert grader.__file__ is not None
    root = Path(grader.__file__).parent
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and not _LEFT_OUT & set(inside.parts) and path.suffix != ".pyc":
            yield f"grader/{inside.as_posix()}", path.read_bytes()


def _exercise(exercise: Exercise) -> dict[str, bytes]:
    files = _below(exercise.folder, f"grader/content/exercises/{exercise.name}")
    files[f"grader/content/solutions/{exercise.name}.py"] = exercise.solution.read_bytes()
    return files


def _below(folder: Path, name: str) -> dict[str, bytes]:
    return {
        f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_OUT & set(path.relative_to(folder).parts)
    }


def _record(files: Mapping[str, bytes], own_name: str) -> bytes:
    lines = []
    for name, data in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    return "".join(f"{line}\n" for line in [*lines, f"{own_name},,"]).encode()
