"""Children as whole new processes: for macOS and Windows, where torch cannot be forked, and for CUDA.

The protocol and the loop are those of a forked child, over the pipes of a subprocess. Importing torch takes
seconds, so one spare process is always warming up. On Linux the process confines itself as a fork would; it
does so after the warm-up and before it reads anything of the learner's.
"""

import contextlib
import json
import os
import queue
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from grader.core.errors import OurFault
from grader.core.exercise import Limits
from grader.sandbox import confinement, launch, protocol, warm
from grader.sandbox.client import PRINTED_LIMIT, START_SECONDS, Child, ChildGone, ChildSilent
from grader.sandbox.protocol import FrameReader, Kind, ProtocolError
from grader.sandbox.scratch import remove
from grader.sandbox.values import Observed

GPU_MAPPED_MB = 32 * 1024


class SpawnedChild:
    """A subprocess: its standard input and output are the line, its standard error is what it prints.

    Two threads read, because pipes cannot be waited for together on Windows; they hold bounded amounts and
    end with the process.
    """

    def __init__(self, start: launch.Launch, settings: dict[str, object], scratch: str) -> None:
        self.layers: tuple[str, ...] = ()
        self.scratch = scratch
        self.about: dict[str, str] = {}
        self._process = subprocess.Popen(
            start.argv, env=start.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._frames: queue.Queue[tuple[Kind, int, bytes] | None] = queue.Queue(maxsize=2)
        self._printed = bytearray()
        self._lock = threading.Lock()
        for target in (self._read_frames, self._read_output):
            threading.Thread(target=target, daemon=True).start()
        self._write(json.dumps(settings).encode() + b"\n")

    def greet(self) -> None:
        try:
            hello = self._frames.get(timeout=START_SECONDS)
        except queue.Empty:
            raise OurFault("a sandbox did not start in time") from None
        if hello is None or hello[0] is not Kind.HELLO:
            raise OurFault(f"a sandbox could not start: {self.printed().strip()[-800:]}")
        about, *layers = Observed(hello[2]).whole()
        self.about = json.loads(about)
        self.layers = tuple(layers)
        self.printed()

    def exchange(self, data: bytes, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        nonce = secrets.randbits(64)
        try:
            self._write(protocol.frame(Kind.REQUEST, nonce, data))
        except OSError as gone:
            raise ChildGone("the process ended") from gone
        try:
            frame = self._frames.get(timeout=max(deadline - time.monotonic(), 0))
        except queue.Empty:
            raise ChildSilent from None
        if frame is None:
            raise ChildGone("the process ended")
        kind, answered, payload = frame
        if kind is not Kind.REPLY or answered != nonce:
            raise ChildGone("it answered a question that was not asked")
        # What it printed last may still be on its way through the other thread.
        time.sleep(0.002)
        return payload

    def printed(self) -> str:
        with self._lock:
            text = self._printed.decode("utf-8", "replace")
            self._printed.clear()
        return text

    def await_end(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                assert stream is not None
                stream.close()

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def _read_frames(self) -> None:
        assert self._process.stdout is not None
        reader = FrameReader()
        try:
            while data := os.read(self._process.stdout.fileno(), reader.wants):
                reader.feed(data)
                while (frame := reader.take()) is not None:
                    self._frames.put(frame, timeout=START_SECONDS)
        except (OSError, ValueError, ProtocolError, queue.Full):
            pass
        with contextlib.suppress(queue.Full):
            self._frames.put(None, timeout=1)

    def _read_output(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(self._process.stderr.fileno(), 65536):
                with self._lock:
                    self._printed += data[: max(PRINTED_LIMIT - len(self._printed), 0)]


class SpawnHost:
    """Children by subprocess, with one spare warming up."""

    def __init__(
        self,
        needs: Sequence[str] = (),
        hidden: Sequence[Path] = (),
        *,
        bubblewrap: bool = True,
        device: str = "cpu",
        parts: Collection[str] = warm.PARTS,
    ) -> None:
        self.stages: dict[str, float] = defaultdict(float)
        self.device = device
        self.torch_version = ""
        self.missing: dict[str, str] = {}
        self.confinement = ""
        self._needs = tuple(needs)
        self._hidden = hidden
        self._parts = tuple(parts)
        self._bwrap = confinement.bubblewrap()[0] if bubblewrap else None
        self._root = tempfile.mkdtemp(prefix="autogradebook-")
        self._spare: tuple[Limits, SpawnedChild] | None = None
        self.prepare_spare(Limits())

    def ready(self) -> None:
        if self.confinement:
            return
        started = time.perf_counter()
        if self._spare is None:
            self.prepare_spare(Limits())
        assert self._spare is not None
        first = self._spare[1]
        first.greet()
        self.torch_version = first.about["torch"]
        self.missing = json.loads(first.about["missing"])
        self.confinement = confinement.level(first.layers, self._bwrap is not None)
        self.stages["zygote"] += time.perf_counter() - started

    def child(self, limits: Limits, scratch: str = "") -> SpawnedChild:
        self.ready()
        started = time.perf_counter()
        if self._spare is not None and self._spare[0] == limits and not scratch:
            child = self._spare[1]
            self._spare = None
        else:
            child = self._spawn(limits, scratch)
        self.prepare_spare(limits)
        if not child.about:
            child.greet()
        self.stages["fork"] += time.perf_counter() - started
        return child

    def prepare_spare(self, limits: Limits) -> None:
        if self._spare is not None and self._spare[0] != limits:
            self._spare[1].kill()
            self._spare = None
        if self._spare is None:
            self._spare = (limits, self._spawn(limits, ""))

    def fate(self, child: Child) -> int | None:
        assert isinstance(child, SpawnedChild)
        return child.status

    def keep(self, scenes: bytes) -> None:
        """Each child is started by itself, and makes its scenes itself."""

    def wipe(self, scratch: str) -> None:
        remove(str(Path(self._root) / scratch))

    def restart(self) -> None:
        """Nothing to restart: each child is started by itself."""

    def close(self) -> None:
        if self._spare is not None:
            self._spare[1].kill()
            self._spare = None
        remove(self._root)

    def _spawn(self, limits: Limits, scratch: str) -> SpawnedChild:
        scratch = scratch or secrets.token_hex(8)
        folder = Path(self._root) / scratch
        folder.mkdir(exist_ok=True)
        start = launch.prepare(
            "grader.sandbox.spawn",
            [],
            scratch_root=str(folder),
            hidden=self._hidden,
            bwrap=self._bwrap,
            scratch_mb=limits.scratch_mb,
            device=self.device,
        )
        settings: dict[str, object] = {
            "needs": self._needs,
            "parts": self._parts,
            "read": start.read,
            "scratch": str(folder),
            "device": self.device,
            "memory_mb": limits.memory_mb,
            "cpu_seconds": int(limits.seconds * 20) + 10,
            "file_mb": limits.scratch_mb,
            "processes": limits.processes,
        }
        return SpawnedChild(start, settings, scratch)


def main() -> None:
    """The subprocess: settings as a line of JSON on standard input, then the protocol."""
    # The line is moved away from 0 and 1 first, so that nothing that prints can write into it.
    source, sink = os.dup(0), os.dup(1)
    from grader.sandbox import worker
    from grader.sandbox.session import Session
    from grader.sandbox.values import Encoder

    settings = json.loads(_line(source))
    worker.take_over_output(2)
    os.chdir(settings["scratch"])
    os.environ["TMPDIR"] = os.environ["HOME"] = settings["scratch"]
    tempfile.tempdir = settings["scratch"]
    device = settings["device"]
    missing = warm.up(tuple(settings["needs"]), settings["parts"])
    layers: tuple[str, ...] = ()
    if sys.platform == "linux":
        plan = confinement.Plan(
            tuple(settings["read"]), settings["scratch"], processes=settings["processes"], gpu=device != "cpu"
        )
        layers = confinement.Confiner(plan).apply(
            settings["scratch"],
            # The driver maps gigabytes that nobody writes to; the judge watches what is resident.
            memory_mb=settings["memory_mb"] + (GPU_MAPPED_MB if device != "cpu" else 0),
            cpu_seconds=settings["cpu_seconds"],
            file_mb=settings["file_mb"],
        )
    if device != "cpu":
        # Only now: CUDA starts threads, and a thread that was there before would stay unconfined.
        warm.steps(device, settings["parts"])
    import torch

    about = json.dumps({"torch": torch.__version__, "missing": json.dumps(missing)})
    encoder = Encoder()
    encoder.write((about, *layers))
    worker.send(sink, protocol.frame(Kind.HELLO, 0, encoder.out))
    worker.serve(source, sink, Session(settings["scratch"], device))
    os._exit(0)


def _line(source: int) -> bytes:
    """One line, byte by byte: what follows it belongs to the protocol."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(source, 1)
        if not byte:
            os._exit(0)
        line += byte
    return line


if __name__ == "__main__":
    main()
