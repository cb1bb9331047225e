"""What a process that is about to run a learner's code gives up, and how.

Theory of operation
-------------------
A process that will run a learner's code was started by us, has one thread, and has read nothing of the
learner's yet. It calls `Confiner.apply`, and from then on nothing in it, ours or the learner's, can do more
than this, nor take any of it back:

- Read the paths of its plan (Python, its libraries), random numbers and what the processors are.
- Read, write, make and remove files beneath its own scratch folder, each up to a size. How much all of them
  take together is bounded only by the file system that the folder lies on.
- Take memory up to a budget beyond what it already holds, processor time up to a limit, 256 descriptors.
- Start threads, and with `Plan.processes` also processes that are confined as it is.
- Use the descriptors that it was given, whatever they are: handing over only what a learner may have is the
  caller's duty.

It cannot start programs, reach a network, open a device, signal or inspect another process, gain a privilege,
change its own limits upwards, or leave its process group (so `killpg` finds it and all that it started).
Root stays root in name, since a Python beneath /root could not be read otherwise, but without capabilities.

Each layer holds by itself where another is missing: Landlock guards files (`landlock.py`), the system-call
filter everything else (`seccomp.py`), limits bound what is left. bubblewrap around the whole adds that the
paths that cannot be opened cannot even be seen, and that processes outside have no number. Layers that this
machine lacks are left out of what `apply` returns; a layer that should work and does not is an error, and the
process must then end without having read the learner's code.

Two plans are looser. With `processes`, forks, Unix sockets and /dev/shm are open, as DataLoader workers need
them: files in /dev/shm count towards no budget and siblings share it, the number of processes is bounded only
for users other than root, and before Landlock's ABI 9 a socket file outside that the user may write to can be
connected to, unless bubblewrap hides it. With `gpu`, the driver's devices take requests that no filter
understands, its shared memory counts towards no budget, and /proc and /sys can be read. The driver starts
threads, so such a process is confined before it first touches the device.
"""

import contextlib
import functools
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.core.errors import OurFault
from grader.core.text import one_line
from grader.sandbox import landlock, seccomp

if sys.platform != "win32":
    import resource


class ConfinementFailed(OurFault):
    """A process could not be confined as it should have been; no learner's code may run in it."""


@dataclass(frozen=True)
class Plan:
    """What a process about to run a learner's code may still do."""

    read: tuple[str, ...]
    """Files and folders that may be read, and mapped as code."""
    scratch_root: str
    """The folder beneath which each process's private folder lies."""
    processes: int = 0
    """Above 0: what DataLoader workers need (forks, Unix sockets, /dev/shm) is allowed too."""
    gpu: bool = False
    """A CUDA worker: the driver's devices may be used, /proc and /sys read, memory shared."""


class Confiner:
    """Prepared once in the clean process, applied in each child right after the fork."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._landlock: landlock.Landlock | None = None
        self._filter: seccomp.Filter | None = None
        self._most_tasks: int | None = None
        if sys.platform != "linux":
            return
        # The kernel does not count root's.
        self._most_tasks = _tasks(os.getuid()) + _TASKS if os.getuid() else None
        version = landlock.abi()
        if version:
            scratch, shared = _grants(plan)
            try:
                self._landlock = landlock.Landlock(version, os.path.realpath(plan.scratch_root), scratch, shared)
            except (OSError, ValueError) as error:
                raise ConfinementFailed(f"Landlock could not be prepared: {error}") from error
        if not seccomp.missing():
            self._filter = seccomp.Filter(processes=plan.processes > 0, gpu=plan.gpu, signals_scoped=version >= 6)

    def apply(
        self,
        scratch: str,
        *,
        memory_mb: int,
        cpu_seconds: int,
        file_mb: int,
        baseline_data: int | None = None,
        alone: bool = False,
    ) -> tuple[str, ...]:
        """Give up what is not needed, for good. Returns the names of the layers now in force.

        `scratch` is this process's folder, the scratch root itself or beneath it. `memory_mb` counts from
        `baseline_data`, the bytes of private writable memory that this process holds now; by default they
        are read from /proc. `alone`: it was forked just now and so has no other thread; else it is looked for them.
        Raises ConfinementFailed where a layer that this machine has cannot be applied.
        """
        if sys.platform != "linux":
            return ()
        if not alone and (threads := _other_threads()):
            raise ConfinementFailed(f"other threads of this process would stay unconfined: {threads}")
        folder, root = os.path.normpath(scratch), os.path.normpath(self._plan.scratch_root)
        if not f"{folder}/".startswith(f"{root}/"):
            raise ConfinementFailed(f"{scratch} is not beneath the scratch root {root}")
        held = data_bytes() if baseline_data is None else baseline_data
        layers: list[tuple[str, Callable[[], None]]] = [
            ("rlimits", lambda: self._limit(held + memory_mb * 2**20, cpu_seconds, file_mb * 2**20)),
            ("no_new_privs", _leave),
            ("capabilities", _drop_capabilities),
        ]
        if (files := self._landlock) is not None:
            layers.append(("landlock", lambda: files.restrict(folder)))
        if self._filter is not None:
            layers.append(("seccomp", self._filter.load))
        for name, put_in_force in layers:
            try:
                put_in_force()
            except (OSError, ValueError) as error:
                raise ConfinementFailed(f"the layer {name} could not be applied: {error}") from error
        return tuple(name for name, _ in layers)

    def _limit(self, data: int, cpu_seconds: int, file_bytes: int) -> None:
        def lower(what: int, soft: int, above: int = 0) -> None:
            hard = resource.getrlimit(what)[1]
            most = soft + above if hard == resource.RLIM_INFINITY else min(soft + above, hard)
            resource.setrlimit(what, (min(soft, most), most))

        lower(resource.RLIMIT_CORE, 0)
        # SIGXCPU first, which says what it was; a second later SIGKILL, which no handler stops.
        lower(resource.RLIMIT_CPU, cpu_seconds, above=1)
        lower(resource.RLIMIT_FSIZE, file_bytes)
        lower(resource.RLIMIT_NOFILE, 1024 if self._plan.processes or self._plan.gpu else 256)
        # Not RLIMIT_AS: torch maps far more than it ever uses.
        lower(resource.RLIMIT_DATA, data)
        if self._most_tasks is not None:
            lower(resource.RLIMIT_NPROC, self._most_tasks)


_TASKS = 1024
"""Threads and processes that a user may have beyond those at the start, all learners' together."""


def _grants(plan: Plan) -> tuple[int, landlock.Grants]:
    """For Landlock: what a process may do beneath its own folder, and beneath all others."""
    paths = [*plan.read, "/dev/urandom", "/dev/random", "/dev/full", "/sys/devices/system/cpu", "/proc/cpuinfo"]
    # Not /dev/zero: a shared mapping of it is memory that no limit counts.
    if plan.gpu:
        paths += ["/dev/zero", "/proc", "/sys"]
    shared = dict.fromkeys(paths, landlock.READ) | {"/dev/null": landlock.WRITE}
    scratch = landlock.OWN
    if plan.processes:
        scratch |= landlock.MAKE_SOCK
        # Their names are random and the folder cannot be listed, so siblings do not find each other's.
        shared["/dev/shm"] = landlock.WRITE | landlock.MAKE_REG | landlock.REMOVE_FILE
    if plan.gpu:
        for device in Path("/dev").glob("nvidia*"):
            shared[str(device)] = landlock.READ | landlock.WRITE | landlock.IOCTL_DEV
    return scratch, shared


def _leave() -> None:
    """Leave the group of who started us, close our memory to others, and close every way to more rights."""
    if os.getpgrp() != os.getpid():
        os.setsid()
    seccomp.prctl(_PR_SET_DUMPABLE, 0)
    seccomp.prctl(_PR_SET_NO_NEW_PRIVS, 1)


_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_CAPABILITY_VERSION_3 = 0x20080522


def _drop_capabilities() -> None:
    # The bounding set stays: with no_new_privs no program gains from it, and emptying it takes 41 calls.
    header, none = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24)
    seccomp.checked(seccomp.libc().capset(header, none))


def _other_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task")) - 1
    except OSError:
        return threading.active_count() - 1


def data_bytes() -> int:
    """Private writable memory of this process, as RLIMIT_DATA counts it (with the stack: a little more)."""
    try:
        fields = Path("/proc/self/statm").read_text().split()
    except OSError as error:
        raise ConfinementFailed(f"no memory limit without /proc or baseline_data ({error.strerror})") from error
    return int(fields[5]) * resource.getpagesize()


def _tasks(user: int) -> int:
    """How many threads the user's processes have, as far as they can be seen."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # it has just ended
            facts = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            if int(facts["Uid"].split()[0]) == user:
                found += int(facts["Threads"])
    return found


# ------------------------------------------------------------------------------ what this machine offers


@dataclass(frozen=True)
class Probe:
    """Which layers work on this machine, each tried in a process that was thrown away."""

    landlock_abi: int = 0
    seccomp: bool = False
    no_new_privs: bool = False
    user_namespaces: bool = False
    bwrap: str | None = None
    """Path of a bubblewrap that really makes a sandbox."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """For each that is missing, by the name of its field ("landlock" for its ABI): why, and what helps."""


@functools.cache
def probe() -> Probe:
    """What this machine offers. The first call takes about a tenth of a second."""
    if sys.platform != "linux":
        names = ("landlock", "seccomp", "no_new_privs", "user_namespaces", "bwrap")
        return Probe(reasons=dict.fromkeys(names, "only Linux has this"))
    # Started anew, so that nothing is forked that holds threads, torch or a judge's secrets.
    here = str(Path(__file__).parents[2])
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _TRY, here], capture_output=True, text=True, check=False, timeout=60
    )
    if answer.returncode != 0:
        raise ConfinementFailed(f"the layers could not be tried: {one_line(answer.stderr[-300:])}")
    reasons: dict[str, str] = json.loads(answer.stdout)
    bwrap, reasons["bwrap"] = bubblewrap()
    return Probe(
        landlock_abi=0 if reasons["landlock"] else landlock.abi(),
        seccomp=not reasons["seccomp"],
        no_new_privs=not reasons["no_new_privs"],
        user_namespaces=not reasons["user_namespaces"],
        bwrap=bwrap,
        reasons={name: reason for name, reason in reasons.items() if reason},
    )


_TRY = """
import sys
sys.path.insert(0, sys.argv[1])
from grader.sandbox import confinement
print(confinement._try_all())
"""


def _try_all() -> str:
    """In a process of its own: for each layer the reason why it does not work, or nothing, as JSON."""
    trials = (_try_no_new_privs, _try_landlock, _try_seccomp, _try_user_namespaces)
    return json.dumps({trial.__name__.removeprefix("_try_"): _in_a_fork(trial) for trial in trials})


def _in_a_fork(trial: Callable[[], str]) -> str:
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        reason = "it failed without a word"
        try:
            reason = trial()
        except (OSError, ValueError) as error:
            reason = str(error)
        finally:
            os.write(sink, reason.encode())
            os._exit(0)
    os.close(sink)
    with open(source) as answer:
        reason = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return reason if status == 0 else f"trying it ended a process with {status}"


def _try_no_new_privs() -> str:
    try:
        seccomp.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    except OSError as error:
        return f"the kernel refuses no_new_privs ({error.strerror})"
    return ""


def _try_landlock() -> str:
    if reason := landlock.missing():
        return reason
    seccomp.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    here = os.path.dirname(os.path.realpath(__file__))
    landlock.Landlock(landlock.abi(), here, landlock.OWN, {}).restrict(here)
    try:
        os.listdir("/")
    except PermissionError:
        return ""
    return "Landlock was applied and does not hold"


def _try_seccomp() -> str:
    if reason := seccomp.missing():
        return reason
    seccomp.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    seccomp.Filter(processes=False, gpu=False, signals_scoped=False).load()
    try:
        os.close(os.memfd_create("trial"))
    except PermissionError:
        return ""
    return "the system-call filter was applied and does not hold"


def _try_user_namespaces() -> str:
    try:
        seccomp.checked(seccomp.libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNS))
    except OSError as error:
        return f"the system forbids user namespaces ({error.strerror}), as Ubuntu 24.04 and Docker do by default"
    return ""


_CLONE_NEWNS, _CLONE_NEWUSER = 0x20000, 0x10000000


@functools.cache
def bubblewrap() -> tuple[str | None, str]:
    """The path of a bubblewrap that works, or why there is none. A host must know no more than this of `probe`."""
    return _try_bwrap() if sys.platform == "linux" else (None, "only Linux has this")


def _try_bwrap() -> tuple[str | None, str]:
    bwrap, true = shutil.which("bwrap"), shutil.which("true")
    if bwrap is None or true is None:
        return None, "bubblewrap is not installed (on Debian and Ubuntu: apt install bubblewrap)"
    command = [bwrap, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/", "/"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--", true]
    try:
        run = subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"bubblewrap does not work here: {error}"
    if run.returncode != 0:
        return None, f"bubblewrap does not work here: {one_line(run.stderr) or run.returncode}"
    return bwrap, ""


def level(layers: Collection[str], inside_bwrap: bool) -> str:
    """One word for how a process is confined: "full", "landlock+seccomp", "partial" or "none"."""
    guards = {"landlock", "seccomp"}.intersection(layers)
    if "rlimits" not in layers or not (guards or inside_bwrap):
        return "none"
    if len(guards) < 2:
        return "partial"
    return "full" if inside_bwrap else "landlock+seccomp"
