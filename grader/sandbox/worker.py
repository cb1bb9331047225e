"""The loop of a child: read a request, answer it, until the judge hangs up."""

import os
import sys
import time

from grader.sandbox import protocol
from grader.sandbox.protocol import FrameReader, Kind
from grader.sandbox.session import Session
from grader.sandbox.values import Encoder

_SLOW_SECONDS = 0.02
_MUCH = 1 << 18


def serve(source: int, sink: int, session: Session) -> None:
    """Answer requests from the file descriptor `source` on `sink`; return when the judge hangs up.

    Where more requests are here already, their answers go out together, so that the judge wakes up once.
    """
    reader = FrameReader()
    answers = bytearray()
    while True:
        whole = reader.take()
        if whole is None:
            if answers:
                send(sink, answers)
                answers.clear()
            data = os.read(source, reader.wants)
            if not data:
                return
            reader.feed(data)
            continue
        started = time.monotonic()
        _kind, nonce, payload = whole
        answers += protocol.frame(Kind.REPLY, nonce, session.answer(payload))
        if time.monotonic() - started > _SLOW_SECONDS or len(answers) > _MUCH:
            send(sink, answers)
            answers.clear()


def hello(sink: int, layers: tuple[str, ...]) -> None:
    """Say which layers of confinement are in force; nothing of the learner's has been read yet."""
    encoder = Encoder(observe=True)
    encoder.write(tuple(layers))
    send(sink, protocol.frame(Kind.HELLO, 0, encoder.out))


def send(sink: int, data: bytes | bytearray) -> None:
    sent = os.write(sink, data)
    while sent < len(data):
        sent += os.write(sink, bytes(data[sent : sent + _MUCH]))


def take_over_output(output: int) -> None:
    """Let everything that this process prints, in Python or in C, go to `output`; read nothing."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(null)
    # By lines: what was printed before a crash is on its way when the crash comes.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - lives as long as the process
    sys.stdout = open(1, "w", 1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
