"""The loop of a child: read a request, answer it, until the judge hangs up."""

import os
import sys

from grader.sandbox import protocol
from grader.sandbox.protocol import FrameReader, Kind
from grader.sandbox.session import Session
from grader.sandbox.values import Encoder


def serve(source: int, sink: int, session: Session) -> None:
    """Answer requests from the file descriptor `source` on `sink`; return when the judge hangs up."""
    reader = FrameReader()
    while True:
        whole = reader.take()
        if whole is None:
            data = os.read(source, reader.wants)
            if not data:
                return
            reader.feed(data)
            continue
        _kind, nonce, payload = whole
        send(sink, protocol.frame(Kind.REPLY, nonce, session.answer(payload)))


def hello(sink: int, layers: tuple[str, ...]) -> None:
    """Say which layers of confinement are in force; nothing of the learner's has been read yet."""
    encoder = Encoder()
    encoder.write(tuple(layers))
    send(sink, protocol.frame(Kind.HELLO, 0, encoder.out))


def send(sink: int, data: bytes) -> None:
    written = os.write(sink, data)
    while written < len(data):
        written += os.write(sink, memoryview(data)[written:])


def take_over_output(output: int) -> None:
    """Let everything that this process prints, in Python or in C, go to `output`; read nothing."""
    prepare_streams()
    print_to(output)


def prepare_streams() -> None:
    """Make Python's standard streams anew: of a process that reads nothing and prints into a pipe, by lines. A zygote
    does it once for all its forks, which then only say where the pipe is (`print_to`); until then it prints where it
    did before.
    """
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    kept = [os.dup(1), os.dup(2)]
    # A stream remembers what it was opened on: a pipe cannot be gone back in.
    source, sink = os.pipe()
    print_to(sink)
    # By lines: what was printed before a crash is on its way when the crash comes.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - lives as long as the process
    sys.stdout = open(1, "w", 1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    os.dup2(kept[0], 1)
    os.dup2(kept[1], 2)
    for descriptor in (source, sink, *kept):
        os.close(descriptor)


def print_to(output: int) -> None:
    """Let the descriptors of the standard streams be `output`."""
    os.dup2(output, 1)
    os.dup2(output, 2)
