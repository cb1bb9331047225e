"""Removing what a learner's process left: a tree that may be too deep to walk, or closed to its owner."""

import contextlib
import os
import secrets
import shutil


def remove(folder: str) -> None:
    """Remove a folder with all that is in it; nothing is said of what cannot be removed.

    Each folder in it is moved up to the top before it is emptied: so no path is longer than one may be, and
    nothing recurses, however deep it was. Links are removed and never followed, also if one is put into the
    place of a folder meanwhile, by a process that is still on its way to the end.
    """
    with contextlib.suppress(OSError):
        os.rmdir(folder)  # most are empty
        return
    if not hasattr(os, "O_PATH"):
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        top = _opened(folder, None)
        try:
            while inside := _emptied(top):
                for name in inside:
                    _lift(name, top)
        finally:
            os.close(top)
        os.rmdir(folder)


def _lift(name: str, top: int) -> None:
    """Remove a folder in `top`, and move the folders in it up to `top`."""
    inner = _opened(name, top)
    try:
        for deeper in _emptied(inner):
            os.close(_opened(deeper, inner))  # only a folder that may be written to can be moved
            os.rename(deeper, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=top)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)


def _opened(name: str, within: int | None) -> int:
    """A folder, opened, after its owner was given every right to it."""
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=within)
    try:
        os.chmod(f"/proc/self/fd/{handle}", 0o700)
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=handle)
    finally:
        os.close(handle)


def _emptied(folder: int) -> list[str]:
    """Remove the files of a folder; the names of the folders in it."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]
