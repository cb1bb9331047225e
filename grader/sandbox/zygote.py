"""The clean process that imports torch once and forks a confined child for each submission and exercise.

Started by exec (`launch.py`), inside bubblewrap where there is one. It talks with the judge over one
SOCK_SEQPACKET socket in orders of a few words, one datagram each:

    -> fork SCRATCH MEMORY_MB CPU_SECONDS FILE_MB PROCESSES
       with 2 descriptors: the child's end of its socket, and the pipe for what it prints
    <- PID                      with 1 descriptor: a pidfd, to kill it and to see it end
    -> keep                     with 1 descriptor: a file with the compiled scenes of an exercise
    -> wipe SCRATCH
    -> fate PID
    <- EXIT_CODE, or - while it lives

No request, input or answer passes through here: those go over the child's own socket. When the judge is gone
(end of file), the zygote kills what it started and leaves.

Between two forks it does as little as it can, and by the plainest means: each page of memory that it writes to is
copied, and every large page among them falls into small ones, which each later fork has to copy one by one.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from typing import NoReturn

from grader.sandbox import confinement, pages, seccomp, warm, worker
from grader.sandbox.scratch import remove
from grader.sandbox.session import Session, keep_scenes

_FORKS_OF_A_CLASS = 24
"""After so many forks it is worth half a second to make the next ones cheaper, and after many more a tenth of one, for
what was written to meanwhile."""
_LOOK_MS = 100
"""How often it is looked for the end of a child that may leave processes behind."""


class Zygote:
    """The forking process. `orders` is the control socket; `read` are the paths that a child may read."""

    def __init__(self, orders: socket.socket, read: tuple[str, ...], scratch_root: str) -> None:
        self._orders = orders
        self._scratch_root = scratch_root
        # Prepared once for all children: those of most exercises, and those that may start processes.
        self._confiners = {
            processes: confinement.Confiner(confinement.Plan(read, scratch_root, processes=processes))
            for processes in (0, 1)
        }
        self._alive: dict[int, bool] = {}
        """By pid, whether the child may start processes."""
        self._fates: dict[int, int] = {}
        self._forks, self._gather_at = 0, _FORKS_OF_A_CLASS
        # Called with Python's own lock held, as in the middle of any call: the new process goes on with it.
        self._c = ctypes.PyDLL(None, use_errno=True)
        self._held = 0

    def run(self) -> None:
        # Who started us may ignore the ends of its children, and the system would then forget those of ours.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        worker.prepare_streams()
        # The warm-up made it remember a folder that no child may write to.
        tempfile.tempdir = None
        self._held = confinement.data_bytes()
        try:
            # A judge that was killed leaves an end of file, or a broken line where it had not read everything.
            with contextlib.suppress(ConnectionError):
                self._obey()
        finally:
            self._end()

    def _obey(self) -> None:
        poll = select.poll()
        poll.register(self._orders, select.POLLIN)
        while True:
            while any(self._alive.values()) and not poll.poll(_LOOK_MS):
                self._reap()
            data, descriptors, _flags, _address = socket.recv_fds(self._orders, 1024, 2)
            if not data:
                return
            self._reap()
            match data.decode().split():
                case ["fork", scratch, *numbers]:
                    self._fork(scratch, [int(number) for number in numbers], *descriptors)
                case ["keep"]:
                    with os.fdopen(descriptors[0], "rb") as file:
                        keep_scenes(file.read())
                case ["wipe", scratch]:
                    # What cannot be removed goes with the whole scratch; the next one has another folder in any case.
                    remove(f"{self._scratch_root}/{scratch}")
                case ["fate", pid]:
                    self._orders.send(str(self._fates.get(int(pid), "-")).encode())

    def _end(self) -> None:
        """Kill what was started, and leave no file: the judge, which may have been killed, cannot see to it."""
        for pid in list(self._alive):
            for kill in (os.kill, os.killpg):  # one that was forked just now has no group of its own yet
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while self._alive and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.002)
        remove(self._scratch_root)

    def _fork(self, scratch: str, limits: Sequence[int], channel: int, output: int) -> None:
        folder = f"{self._scratch_root}/{scratch}"
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        self._forks += 1
        if self._forks == self._gather_at:
            self._gather_at *= 8
            pages.collapse()
            self._held = confinement.data_bytes()
        # For the child, and done here, where a page that is written to need not be copied first.
        os.environ["TMPDIR"] = os.environ["HOME"] = folder
        # Not os.fork, which then looks after locks that other threads may hold, of which there are none here, and
        # after random generators, which each request sets: 300 pages are written to for that.
        pid = seccomp.checked(self._c.fork())
        if pid == 0:
            self._child(folder, limits, channel, output)
        pidfd = os.pidfd_open(pid)
        self._alive[pid] = limits[3] > 0
        socket.send_fds(self._orders, [str(pid).encode()], [pidfd])
        for descriptor in (pidfd, channel, output):
            os.close(descriptor)

    def _child(self, scratch: str, limits: Sequence[int], channel: int, output: int) -> NoReturn:
        code = 70
        try:
            os.close(self._orders.detach())
            worker.print_to(output)
            os.close(output)
            os.chdir(scratch)
            memory_mb, cpu_seconds, file_mb, processes = limits
            layers = self._confiners[min(processes, 1)].apply(
                scratch,
                memory_mb=memory_mb,
                cpu_seconds=cpu_seconds,
                file_mb=file_mb,
                baseline_data=self._held,
                alone=True,
            )
            worker.hello(channel, layers)
            worker.serve(channel, channel, Session(scratch))
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as a second zygote
            traceback.print_exc()
        finally:
            # Not sys.exit: the interpreter's clean-up belongs to the process that was forked.
            os._exit(code)

    def _reap(self) -> None:
        while self._alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._fates[pid] = os.waitstatus_to_exitcode(status)
            if self._alive.pop(pid, False):
                # What the child itself started (DataLoader workers) is in its process group.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
            if len(self._fates) > 256:
                del self._fates[next(iter(self._fates))]


def main() -> None:
    """`python -m grader.sandbox.zygote FD` with its settings as JSON in the first datagram."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(orders.recv(1 << 20))
    scratch_root = settings["scratch_root"]
    os.makedirs(scratch_root, exist_ok=True)
    missing = warm.up(tuple(settings["needs"]), settings["parts"], soon=not settings["many"])
    if settings["many"]:
        warm.rehearse()
    if warm.threads() != 1:
        # A child of a process with threads hangs in its next parallel operation.
        orders.send(json.dumps({"fault": f"{warm.threads()} threads before the first fork"}).encode())
        return
    import torch

    zygote = Zygote(orders, tuple(settings["read"]), scratch_root)
    orders.send(json.dumps({"torch": torch.__version__, "missing": missing}).encode())
    zygote.run()
    # Not a return: torch takes half a second to take itself down, and the judge waits for the end of this process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
