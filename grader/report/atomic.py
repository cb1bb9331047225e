"""Files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from grader.core.errors import BadFile


def write_text(path: Path, text: str, *, encoding: str = "utf-8", durable: bool = True) -> Path:
    return write_bytes(path, text.encode(encoding, "backslashreplace"), durable=durable)


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> Path:
    return write_parts(path, (data,), durable=durable)


def write_parts(path: Path, parts: Iterable[bytes], *, durable: bool = True) -> Path:
    """Put `parts` one behind the other at `path`; who reads it meanwhile, or after a failure, sees the old file.

    `durable` waits until the disk has it, so that a power cut cannot leave an empty file under the name.
    """
    beside = path.with_name(f".{path.name[:60]}.{secrets.token_hex(6)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not tempfile: its files are private to the owner, and a report should have the usual permissions.
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(parts)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise
    except OSError as error:
        raise BadFile(
            f"{path} cannot be written: {error.strerror or error}. What was there before is still there. "
            "Make room or permit writing, and run the same command again."
        ) from error
    return path
