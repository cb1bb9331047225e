"""Landlock: which files a confined process may open, change, make or remove.

A ruleset lists what is allowed beneath which folder; everything else is refused, to this process and whatever
it starts, for good. Several may be in force, and an access then needs the leave of each. Two are used,
because to build one with hundreds of paths in every fork would cost as much as all other layers together:

- The *shared* ruleset is built once: reading beneath each path of the plan, and everything beneath the root
  of all scratch folders.
- The *own* ruleset is built in each fork, out of a handful of rules: everything beneath its own scratch
  folder, and reading beneath folders that hold the plan's paths. These may be coarse, since the shared
  ruleset is exact; they must only not hold the scratch folders of others. So each path of the plan is
  replaced by the highest folder above it that is not also above the scratch root.

Also refused, where the kernel can: TCP, requests to devices, signals to processes outside, and Unix sockets,
abstract or by path, that were made outside. Nothing grants execution: no program is ever started here, and
libraries are mapped, not executed. What Landlock does not see (`stat`, `chdir`, `chmod`, open descriptors) is
the business of the system-call filter, of bubblewrap, and of who opened them.

What a kernel can handle is told by a number, its ABI; nothing is asked of it that is newer than that.
"""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Mapping

from grader.sandbox.seccomp import checked, libc

# Accesses to files, in the order of their bits.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, MAKE_DIR, MAKE_REG = (
    1 << bit for bit in range(9)
)
MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM, REFER, TRUNCATE, IOCTL_DEV = (1 << bit for bit in range(9, 16))

READ = READ_FILE | READ_DIR
WRITE = READ_FILE | WRITE_FILE | TRUNCATE
OWN = READ | WRITE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER
_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

Grants = Mapping[str, int]
"""Accesses that are allowed, by path."""

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, the same on every architecture
_VERSION = 1
_PATH_BENEATH = 1
_NO_AUDIT_LOG = 1


def abi() -> int:
    """The kernel's version of Landlock, 0 where it has none."""
    return max(int(libc().syscall(_CREATE, 0, 0, _VERSION, 0)), 0)


def missing() -> str:
    """Why there is no Landlock here, or nothing. Changes nothing."""
    if abi():
        return ""
    number = ctypes.get_errno()
    if number == errno.ENOSYS:
        return "this kernel has no Landlock, which came with Linux 5.13"
    if number == errno.EOPNOTSUPP:
        return "this kernel's Landlock is switched off: add landlock to lsm= on its command line"
    return f"the kernel refuses Landlock ({os.strerror(number)})"


_held: list[int] = []
"""Descriptors that wait in this process for its forks. A fork closes them, those of other plans too: to a
ruleset that a learner's process held, it could add for every later fork."""


class Landlock:
    """The shared ruleset, and what is needed to build the own one in each fork.

    `scratch` is what each fork may do beneath its own folder; `shared` goes for all of them. Paths that do
    not exist, or not for this user, are left out: there is nothing to read. Raises ValueError where a shared
    path holds the scratch folders.
    """

    def __init__(self, version: int, scratch_root: str, scratch: int, shared: Grants) -> None:
        self._abi = version
        self._handled = (1 << 13 + (version >= 2) + (version >= 3) + (version >= 5) + (version >= 9)) - 1
        self._scratch = scratch & self._handled
        self._shared = self._hold(self._ruleset())
        coarse: dict[str, int] = {}
        for path, access in shared.items():
            folder = _apart(os.path.realpath(path), scratch_root)
            coarse[folder] = coarse.get(folder, 0) | access
        for path, access in {**shared, scratch_root: scratch}.items():
            descriptor = _open(path)
            if descriptor >= 0:
                _add(self._shared, self._rule(descriptor, access))
                os.close(descriptor)
        opened = ((self._hold(_open(folder)), access) for folder, access in coarse.items())
        self._coarse = [self._rule(descriptor, access) for descriptor, access in opened if descriptor >= 0]

    def restrict(self, scratch: str) -> None:
        """Restrict this thread from now on. Raises OSError; needs no_new_privs."""
        own = self._hold(self._ruleset())
        folder = self._hold(os.open(scratch, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
        for rule in (*self._coarse, self._rule(folder, self._scratch)):
            _add(own, rule)
        for ruleset in (self._shared, own):
            checked(libc().syscall(_RESTRICT, ruleset, _NO_AUDIT_LOG if self._abi >= 7 else 0, 0, 0))
        while _held:
            os.close(_held.pop())

    def _ruleset(self) -> int:
        """A new one, which allows nothing yet."""
        kinds = [self._handled] + [3] * (self._abi >= 4) + [3] * (self._abi >= 6)  # files, TCP, scopes
        attributes = ctypes.create_string_buffer(struct.pack(f"={len(kinds)}Q", *kinds), 8 * len(kinds))
        return checked(libc().syscall(_CREATE, ctypes.addressof(attributes), 8 * len(kinds), 0, 0))

    def _rule(self, descriptor: int, access: int) -> "ctypes.Array[ctypes.c_char]":
        access &= self._handled
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            access &= _OF_A_FILE
        return ctypes.create_string_buffer(struct.pack("=Qi", access, descriptor), 12)

    @staticmethod
    def _hold(descriptor: int) -> int:
        if descriptor >= 0:
            _held.append(descriptor)
        return descriptor


def _add(ruleset: int, rule: "ctypes.Array[ctypes.c_char]") -> None:
    checked(libc().syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.addressof(rule), 0))


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return -1


def _apart(path: str, scratch_root: str) -> str:
    """The highest of `path` and the folders above it that is not `scratch_root` or above that."""
    steps, other = path.rstrip("/").split("/"), scratch_root.split("/")
    for depth in range(1, len(steps) + 1):
        if steps[:depth] != other[:depth]:
            return "/".join(steps[:depth])
    raise ValueError(f"{path} holds the scratch folders of all learners ({scratch_root})")
