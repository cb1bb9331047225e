"""The judge's end: asks, keeps the clock, and knows what silence means.

`Host` is whatever can start children (`ZygoteHost` here, `spawn.SpawnHost`); `ConfinedBackend` asks one
learner's file through them, with a fresh child after each death; `LocalBackend` asks our own code in this
process.
"""

import atexit
import contextlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from grader.core.errors import OurFault
from grader.core.exchange import Outcome, Reply, Request, Word
from grader.core.exercise import Limits
from grader.sandbox import confinement, launch, protocol, warm
from grader.sandbox.protocol import FrameReader, Kind, ProtocolError
from grader.sandbox.scratch import remove
from grader.sandbox.session import Session, decode_reply, encode_request
from grader.sandbox.values import Malformed, Observed

PRINTED_LIMIT = 64 * 1024
START_SECONDS = 120.0
"""A cold disk and a slow machine may take long to import torch."""
ENDING_SECONDS = 5.0
"""For a process that closed its line to end. One that goes on without it is not waited for any longer."""
WATCH_SECONDS = 0.05
"""How often a busy child's memory is looked at."""


_ENDED, _HUNG_UP = "the process ended", "it closed its line"
"""The two ways in which a death is seen, by chance: at the end of the line, or on writing to it."""


class ChildGone(Exception):
    """The child ended, or what it said was no answer; the text says how."""


class ChildSilent(Exception):
    """The deadline passed."""


class Child(Protocol):
    """A process that holds one learner's file."""

    layers: tuple[str, ...]
    scratch: str

    def exchange(self, data: bytes, seconds: float) -> bytes: ...
    def printed(self) -> str: ...
    def await_end(self, seconds: float) -> None: ...
    def kill(self) -> None: ...


class Host(Protocol):
    """Starts children."""

    torch_version: str
    missing: dict[str, str]
    """Modules that exercises need and that cannot be imported here, with the reason."""
    confinement: str
    stages: dict[str, float]
    device: str

    def ready(self) -> None: ...
    def child(self, limits: Limits, scratch: str = "") -> Child: ...
    def prepare_spare(self, limits: Limits) -> None: ...
    def fate(self, child: Child) -> int | None: ...
    def keep(self, scenes: bytes) -> None: ...
    def wipe(self, scratch: str) -> None: ...
    def restart(self) -> None: ...
    def close(self) -> None: ...


# ------------------------------------------------------------------------------------------------ zygote


class ForkedChild:
    """A fork of the zygote: a socket to talk, a pipe for what it prints, a pidfd to see and to end it."""

    def __init__(self, channel: socket.socket, output: int, scratch: str, memory_mb: int) -> None:
        self.layers: tuple[str, ...] = ()
        self.scratch = scratch
        self._channel = channel
        self._line = channel.fileno()
        self._output = output
        self._pidfd = -1
        self._pid = 0
        self._memory = memory_mb * 1024 * 1024
        self._baseline: int | None = None
        self._printed = bytearray()
        self._reader = FrameReader()
        self._poll = select.poll()
        channel.setblocking(False)
        os.set_blocking(output, False)

    def arrived(self, pidfd: int, pid: int) -> None:
        """The zygote has forked; the child says hello once it is confined."""
        self._pidfd, self._pid = pidfd, pid
        for descriptor in (self._output, pidfd):
            self._poll.register(descriptor, select.POLLIN)
        self._poll.register(self._channel, select.POLLIN)

    def greet(self) -> None:
        kind, _nonce, payload = self._frame(time.monotonic() + START_SECONDS)
        if kind is not Kind.HELLO:
            raise OurFault("a sandbox did not say hello")
        self.layers = Observed(payload).whole()
        self._baseline = self._resident()

    def exchange(self, data: bytes, seconds: float) -> bytes:
        """Send a request and wait for its reply. Raises ChildSilent, ChildGone."""
        deadline = time.monotonic() + seconds
        nonce = secrets.randbits(64)
        self._send(protocol.frame(Kind.REQUEST, nonce, data), deadline)
        kind, answered, payload = self._frame(deadline)
        if kind is not Kind.REPLY or answered != nonce:
            raise ChildGone("it answered a question that was not asked")
        # What it printed was read before the reply: it was on its way earlier.
        return payload

    def printed(self) -> str:
        """What was printed since the last call."""
        if not self._printed:
            return ""
        text = self._printed.decode("utf-8", "replace")
        self._printed.clear()
        return text

    def await_end(self, seconds: float) -> None:
        """Wait until it has ended, but no longer than that."""
        ending = select.poll()
        ending.register(self._pidfd, select.POLLIN)
        ending.poll(seconds * 1000)

    def kill(self) -> None:
        """End it; of one that the zygote never forked, close our ends."""
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = -1
        if self._output >= 0:
            # Also of one that never arrived, because its zygote ended first.
            os.close(self._output)
            self._output = -1
            self._channel.close()

    @property
    def pid(self) -> int:
        """As the zygote knows it; in a process namespace of its own that is not the judge's number."""
        return self._pid

    def _send(self, data: bytes, deadline: float) -> None:
        sent = 0
        while sent < len(data):
            try:
                sent += self._channel.send(memoryview(data)[sent:] if sent else data)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ChildSilent from None
                # It may print while it reads; a full pipe must not hold it up.
                self._drain()
                poll = select.poll()
                poll.register(self._channel, select.POLLOUT)
                poll.poll(20)
            except OSError as gone:
                raise ChildGone(_HUNG_UP) from gone

    def _frame(self, deadline: float) -> tuple[Kind, int, bytes]:
        while True:
            try:
                whole = self._reader.take()
            except ProtocolError as fault:
                raise ChildGone(str(fault)) from fault
            if whole is not None:
                return whole
            left = deadline - time.monotonic()
            if left <= 0:
                raise ChildSilent
            ready = [descriptor for descriptor, _ in self._poll.poll(min(left, WATCH_SECONDS) * 1000)]
            if not ready:
                self._watch_memory()
            if self._output in ready:
                self._drain()
            if self._line in ready:
                self._receive()
            elif self._pidfd in ready:
                # Ended, and nothing more is on the line: what it wrote before was read above.
                raise ChildGone(_ENDED)

    def _receive(self) -> None:
        try:
            data = self._channel.recv(self._reader.wants)
        except BlockingIOError:
            return
        except OSError as gone:
            raise ChildGone(_HUNG_UP) from gone
        if not data:
            raise ChildGone(_ENDED)
        try:
            self._reader.feed(data)
        except ProtocolError as fault:
            raise ChildGone(str(fault)) from fault

    def _drain(self) -> None:
        """Take what was printed; keep a bounded part of it."""
        for _ in range(64):
            try:
                data = os.read(self._output, 65536)
            except BlockingIOError:
                return
            if not data:
                self._poll.unregister(self._output)
                return
            room = PRINTED_LIMIT - len(self._printed)
            if room > 0:
                self._printed += data[:room]
            if len(data) < 65536:
                return

    def _resident(self) -> int | None:
        """Bytes resident, by way of the pidfd, so that no number of another process is looked at."""
        try:
            pid = int(_words(f"/proc/self/fdinfo/{self._pidfd}").partition(b"Pid:")[2].split()[0])
            return int(_words(f"/proc/{pid}/statm").split()[1]) * os.sysconf("SC_PAGESIZE")
        except (OSError, IndexError, ValueError):
            return None

    def _watch_memory(self) -> None:
        resident = self._resident()
        if resident is not None and self._baseline is not None and resident - self._baseline > self._memory:
            self.kill()
            raise ChildGone(f"it took more than {self._memory // 2**20} MB of memory")


def _words(path: str) -> bytes:
    """A short file of the kernel's, at the least expense."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


class ZygoteHost:
    """Children by fork. One zygote; at most one spare child, forked and confined ahead of time.

    parts: of the warm-up (`warm.PARTS`). many: whether many children will come, so that it pays to make forks cheap.
    ahead: whether a processor is free to make the next child while one works.
    """

    def __init__(
        self,
        needs: Sequence[str] = (),
        hidden: Sequence[Path] = (),
        *,
        bubblewrap: bool = True,
        scratch_mb: int = 256,
        parts: Collection[str] = warm.PARTS,
        many: bool = True,
        ahead: bool = True,
    ) -> None:
        self.stages: dict[str, float] = defaultdict(float)
        self.device = "cpu"
        self._hidden = hidden
        self._needs = tuple(needs)
        self._scratch_mb = scratch_mb
        self._parts = tuple(parts)
        self._many = many
        self._ahead = ahead
        self._bwrap = confinement.bubblewrap()[0] if bubblewrap else None
        self._spare: tuple[Limits, ForkedChild] | None = None
        self._before = False
        """Whether a child was asked for already."""
        self._ordered: list[ForkedChild] = []
        """Asked for, in order; the zygote has not answered yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._own_scratch: str | None = None
        self._kept: set[bytes] = set()
        self.torch_version = ""
        self.missing: dict[str, str] = {}
        self.confinement = ""
        self._begin()

    # -- starting

    def _begin(self) -> None:
        """Start the zygote; it imports torch while the judge does the same. `ready` waits for it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._kept.clear()
        if self._bwrap:
            scratch_root = "/scratch"
        else:
            # Short: the path of a Unix socket in it (DataLoader workers) may have 107 characters.
            scratch_root = self._own_scratch = tempfile.mkdtemp(prefix="s" if tempfile.tempdir else "autogradebook-")
        start = launch.prepare(
            "grader.sandbox.zygote",
            [str(theirs.fileno())],
            scratch_root=scratch_root,
            hidden=self._hidden,
            bwrap=self._bwrap,
            scratch_mb=self._scratch_mb,
        )
        self._scratch_root = scratch_root
        self._inside_bwrap = start.bubblewrap
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when the zygote fails, closed with it
        self._process = subprocess.Popen(
            start.argv,
            env=start.env,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
            close_fds=True,
        )
        theirs.close()
        ours.settimeout(START_SECONDS)
        self._orders = ours
        settings = {
            "scratch_root": scratch_root,
            "needs": self._needs,
            "parts": self._parts,
            "many": self._many,
            "read": start.read,
        }
        ours.send(json.dumps(settings).encode())
        self._ready = False

    def ready(self) -> None:
        """Wait until the zygote can fork. Raises OurFault with what it said if it cannot."""
        if self._ready:
            return
        started = time.perf_counter()
        words = json.loads(self._hear())
        if "fault" in words:
            raise OurFault(f"the sandbox could not start: {words['fault']}")
        self.torch_version, self.missing = words["torch"], words["missing"]
        self._ready = True
        # The first child tells how children are confined, and then waits to be the spare.
        self.prepare_spare(Limits())
        assert self._spare is not None
        self._collect(self._spare[1])
        self.confinement = confinement.level(self._spare[1].layers, self._inside_bwrap)
        self.stages["zygote"] += time.perf_counter() - started

    # -- children

    def child(self, limits: Limits, scratch: str = "") -> ForkedChild:
        """A confined process that has read nothing yet. `scratch` names a folder of an earlier child, to go
        on with what is in it; without it the folder is new.
        """
        self.ready()
        started = time.perf_counter()
        if self._spare is not None and self._spare[0] == limits and not scratch:
            child = self._spare[1]
            self._spare = None
        else:
            child = self._fork(limits, scratch)
        self._collect(child)
        if self._ahead and (self._many or self._before):
            # Asked for now, so that the next one is forked while this one works.
            self.prepare_spare(limits)
        self._before = True
        self.stages["fork"] += time.perf_counter() - started
        return child

    def prepare_spare(self, limits: Limits) -> None:
        """Ask for the next child now, so that it is there when it is wanted."""
        self.ready()
        if self._spare is not None and self._spare[0] != limits:
            self._drop_spare()
        if self._spare is None:
            self._spare = (limits, self._fork(limits, ""))

    def keep(self, scenes: bytes) -> None:
        """Many children will be given these compiled scenes: forks from now on have them at hand."""
        if not self._many or scenes in self._kept:
            return
        self.ready()
        self._kept.add(scenes)
        with os.fdopen(os.memfd_create("scenes"), "w+b") as file:
            file.write(scenes)
            file.seek(0)
            self._say("keep", file.fileno())

    def wipe(self, scratch: str) -> None:
        self._say(f"wipe {scratch}")

    def fate(self, child: Child) -> int | None:
        """How a child ended: exit code, or minus the number of a signal; None if it lives. A claim, for a message."""
        assert isinstance(child, ForkedChild)
        self._collect_all()
        self._say(f"fate {child.pid}")
        status = self._hear().decode()
        return None if status == "-" else int(status)

    def close(self) -> None:
        # Those that are still being forked among them: the zygote ends all that it started.
        for child in {*self._ordered, *([self._spare[1]] if self._spare else [])}:
            child.kill()
        self._ordered.clear()
        self._spare, self._ready = None, False
        if self._process is not None:
            self._orders.close()
            # It leaves by itself. Who has more to do meanwhile waits for its end at the end of everything.
            leave = partial(_end, self._process, self._errors, self._own_scratch)
            leave() if self._many else atexit.register(leave)
            self._process = self._own_scratch = None

    def restart(self) -> None:
        """A new zygote in the place of one that was killed."""
        self.close()
        self._begin()
        self.ready()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            # Its answer must be off the line before that to the next order.
            self._collect(spare[1])
            spare[1].kill()

    def _fork(self, limits: Limits, scratch: str) -> ForkedChild:
        scratch = scratch or secrets.token_hex(4)
        ours, theirs = socket.socketpair()
        output, printing = os.pipe()
        cpu_seconds = int(limits.seconds * 20) + 10
        order = f"fork {scratch} {limits.memory_mb} {cpu_seconds} {limits.scratch_mb} {limits.processes}"
        try:
            self._say(order, theirs.fileno(), printing)
        except OurFault:
            ours.close()
            os.close(output)
            raise
        finally:
            theirs.close()
            os.close(printing)
        child = ForkedChild(ours, output, scratch, limits.memory_mb)
        self._ordered.append(child)
        return child

    def _collect(self, child: ForkedChild) -> None:
        """Wait until `child` runs. The zygote answers in the order in which it was asked."""
        while not child.layers:
            if not self._ordered:
                raise OurFault(f"the sandbox's zygote has ended: {self._last_words()}")
            self._collect_next()

    def _collect_all(self) -> None:
        while self._ordered:
            self._collect_next()

    def _collect_next(self) -> None:
        child = self._ordered.pop(0)
        try:
            data, descriptors, _flags, _address = socket.recv_fds(self._orders, 65536, 1)
        except OSError as gone:
            raise OurFault(f"the sandbox's zygote is silent: {self._last_words()}") from gone
        if not data or not descriptors:
            raise OurFault(f"the sandbox's zygote has ended: {self._last_words()}")
        child.arrived(descriptors[0], int(data))
        try:
            child.greet()
        except (ChildGone, ChildSilent) as gone:
            said = child.printed().strip()[-500:]
            child.kill()
            raise OurFault(f"a sandbox could not be confined: {said}") from gone

    def _say(self, order: str, *descriptors: int) -> None:
        try:
            socket.send_fds(self._orders, [order.encode()], descriptors)
        except OSError as gone:
            raise OurFault(f"the sandbox's zygote has ended: {self._last_words()}") from gone

    def _hear(self) -> bytes:
        try:
            data = self._orders.recv(65536)
        except OSError as gone:
            raise OurFault(f"the sandbox's zygote is silent: {self._last_words()}") from gone
        if not data:
            raise OurFault(f"the sandbox's zygote has ended: {self._last_words()}")
        return data

    def _last_words(self) -> str:
        if self._errors.closed:
            return "it was closed"
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode("utf-8", "replace").strip() or "it said nothing"


def _end(process: subprocess.Popen[bytes], errors: IO[bytes], scratch: str | None) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    errors.close()
    if scratch is not None:
        remove(scratch)


# ---------------------------------------------------------------------------------------------- backends


@dataclass(frozen=True)
class Heard:
    """What came back for a request: the bytes of a reply, or in their place what the silence means."""

    payload: bytes = b""
    printed: str = ""
    told: Reply | None = None
    """The reply that was not read from bytes: a timeout, a death, a restart."""

    @property
    def plain(self) -> bool:
        return self.told is None or self.told.outcome is Outcome.RETURNED


class ConfinedBackend:
    """One learner's file behind the wall. Every request is answered: by the child, or by what its death says.

    A death costs the request that was running and no other: the next one gets a fresh child, with the file
    loaded again. What the dead child held (objects, files in memory) is gone.
    """

    def __init__(
        self,
        host: Host,
        file_name: str,
        source: str,
        scenes: bytes | None,
        limits: Limits,
    ) -> None:
        self._host = host
        self._load = Request(Word.LOAD, args=(file_name, source, scenes))
        self._scenes = scenes
        self._limits = limits
        self._child: Child | None = None
        self._scratch = ""
        self.load_failure: Reply | None = None
        """Set for good once the file could not be loaded: nothing else is worth asking."""

    def ask(self, request: Request) -> Reply:
        return self.read(self.hear(request), request)

    def hear(self, request: Request) -> Heard:
        """Ask, and leave the reply unread: what is known byte for byte need not be taken apart again."""
        if request.word is Word.RESTART:
            self.drop()
            return Heard(told=Reply(Outcome.RETURNED))
        if self.load_failure is None and self._child is None:
            self._start(request.seed)
        if self.load_failure is not None:
            return Heard(told=self.load_failure)
        started = time.perf_counter()
        heard = self._exchange(request)
        self._host.stages["ask"] += time.perf_counter() - started
        return heard

    def read(self, heard: Heard, request: Request) -> Reply:
        """The reply to `request` in what was heard."""
        if heard.told is not None:
            return heard.told
        try:
            return replace(decode_reply(heard.payload, request), printed=heard.printed)
        except Malformed as fault:
            # Whatever else it says is as little worth.
            self.drop()
            return Reply(Outcome.CRASHED, reason=f"what came back is not an answer ({fault})", printed=heard.printed)

    def drop(self) -> None:
        """End the child. The scratch folder stays until `close`."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def close(self) -> None:
        self.drop()
        if self._scratch:
            self._host.wipe(self._scratch)

    def _start(self, seed: int) -> None:
        if self._scenes:
            self._host.keep(self._scenes)
        self._child = self._host.child(self._limits, self._scratch)
        self._scratch = self._child.scratch
        started = time.perf_counter()
        reply = self.read(self._exchange(replace(self._load, seed=seed)), self._load)
        self._host.stages["load"] += time.perf_counter() - started
        if reply.outcome is not Outcome.RETURNED:
            self.load_failure = reply
            self.drop()

    def _how_it_ended(self, child: Child, reason: str) -> str:
        if reason not in (_ENDED, _HUNG_UP):
            return reason
        # Its line closes a moment before it has ended, on a busy machine a long one: what the learner reads must not
        # depend on that.
        child.await_end(ENDING_SECONDS)
        # Raises OurFault where the zygote is gone as well: then the child did not die by its own hand.
        status = self._host.fate(child)
        if status == -signal.SIGKILL:
            # The whole sandbox may be dying, and the zygote have told this with its last breath.
            time.sleep(0.05)
            self._host.fate(child)
        return _ended(status) or reason

    def _exchange(self, request: Request) -> Heard:
        child = self._child
        assert child is not None
        seconds = request.seconds or self._limits.seconds
        try:
            return Heard(child.exchange(encode_request(request), seconds), child.printed())
        except ChildSilent:
            outcome, reason = Outcome.TIMEOUT, f"no answer within {seconds:g} seconds"
        except ChildGone as gone:
            outcome, reason = Outcome.CRASHED, self._how_it_ended(child, str(gone))
        printed = child.printed()
        self.drop()
        return Heard(printed=printed, told=Reply(outcome, reason=reason, printed=printed))


def _ended(status: int | None) -> str:
    if status is None:
        return ""
    if status >= 0:
        return f"exit code {status}: something ended the process, such as os._exit() or quit()"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return {
        "SIGSEGV": "segmentation fault (SIGSEGV), often endless recursion or memory that is not yours",
        "SIGKILL": "killed (SIGKILL), most often for memory",
        "SIGXCPU": "out of processor time (SIGXCPU)",
        "SIGXFSZ": "a file grew larger than allowed (SIGXFSZ)",
        "SIGSYS": "a system call that is not allowed (SIGSYS)",
    }.get(name, name)


class LocalBackend:
    """Our own code (a reference solution) in this process, seen through the same eyes as a learner's."""

    def __init__(self, file_name: str, source: str, scenes: bytes | None, device: str = "cpu") -> None:
        self._load = Request(Word.LOAD, args=(file_name, source, scenes))
        self._device = device
        self._folder = tempfile.TemporaryDirectory(prefix="autogradebook-")
        self._session: Session | None = None

    def ask(self, request: Request) -> Reply:
        if request.word is Word.RESTART:
            self._session = None
            return Reply(Outcome.RETURNED)
        if self._session is None:
            self._session = Session(self._folder.name, self._device)
            loaded = self._answer(replace(self._load, seed=request.seed))
            if loaded.outcome is not Outcome.RETURNED:
                raise OurFault(f"{self._load.args[0]}: the reference cannot be loaded: {loaded.raised}")
        return self._answer(request)

    def close(self) -> None:
        self._session = None
        self._folder.cleanup()

    def _answer(self, request: Request) -> Reply:
        assert self._session is not None
        return decode_reply(self._session.answer(encode_request(request)), request)
