"""The clean process that imports torch once and forks a confined child for each submission and exercise.

Started by exec (`launch.py`), inside bubblewrap where there is one. It talks with the judge over one
SOCK_SEQPACKET socket in JSON orders, one datagram each:

    -> {"do": "fork", "scratch": NAME, "memory_mb": …, "cpu_seconds": …, "file_mb": …, "processes": …}
       with 2 descriptors: the child's end of its socket, and the pipe for what it prints
    <- {"pid": …}                                        with 1 descriptor: a pidfd, to kill it and to see it end
    -> {"do": "wipe", "scratch": NAME}   -> {"do": "fate", "pid": …}   <- {"status": …}

No request, input or answer passes through here: those go over the child's own socket. When the judge is gone
(end of file), the zygote kills what it started and leaves.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from typing import Any, NoReturn

from grader.sandbox import confinement, pages, warm, worker
from grader.sandbox.scratch import remove
from grader.sandbox.session import Session

_FORKS_OF_A_CLASS = 24
"""After so many forks it is worth a quarter of a second to make the next ones cheaper."""


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
        self._alive: set[int] = set()
        self._fates: dict[int, int] = {}
        self._forks = 0

    def run(self) -> None:
        signal.signal(signal.SIGCHLD, self._reap)
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
            poll.poll()
            data, descriptors, _flags, _address = socket.recv_fds(self._orders, 65536, 4)
            if not data:
                return
            order = json.loads(data)
            if order["do"] == "fork":
                self._fork(order, *descriptors)
            elif order["do"] == "wipe":
                self._wipe(order["scratch"])
            elif order["do"] == "fate":
                self._reap()
                self._say({"status": self._fates.get(order["pid"])})

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

    def _fork(self, order: dict[str, Any], channel: int, output: int) -> None:
        scratch = os.path.join(self._scratch_root, order["scratch"])
        os.makedirs(scratch, mode=0o700, exist_ok=True)
        self._forks += 1
        if self._forks == _FORKS_OF_A_CLASS:
            pages.collapse()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            self._child(order, scratch, channel, output)
        pidfd = os.pidfd_open(pid)
        self._alive.add(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        socket.send_fds(self._orders, [json.dumps({"pid": pid}).encode()], [pidfd])
        for descriptor in (pidfd, channel, output):
            os.close(descriptor)

    def _child(self, order: dict[str, Any], scratch: str, channel: int, output: int) -> NoReturn:
        code = 70
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            self._orders.close()
            worker.take_over_output(output)
            os.close(output)
            os.chdir(scratch)
            os.environ["TMPDIR"] = os.environ["HOME"] = scratch
            # The warm-up made it remember another folder, which this process may not write to.
            tempfile.tempdir = None
            layers = self._confiners[min(order["processes"], 1)].apply(
                scratch,
                memory_mb=order["memory_mb"],
                cpu_seconds=order["cpu_seconds"],
                file_mb=order["file_mb"],
            )
            worker.hello(channel, layers)
            worker.serve(channel, channel, Session(scratch))
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as a second zygote
            traceback.print_exc()
        finally:
            # Not sys.exit: the interpreter's clean-up belongs to the process that was forked.
            os._exit(code)

    def _wipe(self, name: str) -> None:
        # What cannot be removed goes with the whole scratch; the next one has another folder in any case.
        remove(os.path.join(self._scratch_root, name))

    def _reap(self, *_: object) -> None:
        for pid in list(self._alive):
            try:
                done, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                done, status = pid, 0
            if done:
                self._alive.discard(pid)
                self._fates[pid] = os.waitstatus_to_exitcode(status)
                # What the child itself started (DataLoader workers) is in its process group.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        while len(self._fates) > 256:
            del self._fates[next(iter(self._fates))]

    def _say(self, words: dict[str, Any]) -> None:
        self._orders.send(json.dumps(words).encode())


def main() -> None:
    """`python -m grader.sandbox.zygote FD` with its settings as JSON in the first datagram."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(orders.recv(1 << 20))
    scratch_root = settings["scratch_root"]
    os.makedirs(scratch_root, exist_ok=True)
    missing = warm.up(tuple(settings["needs"]), settings["parts"], soon=not settings["many"])
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
