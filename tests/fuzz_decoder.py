"""Feeds the judge's decoder with bytes, guided by which lines they reach. Anyone can start it:

    pip install atheris
    python tests/fuzz_decoder.py -max_total_time=600        all options are libFuzzer's

No input may raise anything but a refusal, take more than its caps, or last; what is decoded must also be fit to be
compared and shown, since that is what the judge does with it next. Hypothesis does a little of this in every run of
the tests (`test_values.py`).
"""

import contextlib
import sys
import tempfile
from pathlib import Path

try:
    import atheris
except ImportError:
    raise SystemExit("atheris is not here: pip install atheris (Linux and macOS), then start this again.") from None

import torch

with atheris.instrument_imports(include=["grader.sandbox", "grader.checks.compare", "grader.core"]):
    from grader.checks.compare import kind_of, same_reply, show
    from grader.core.exchange import Outcome, Raised, Reply
    from grader.sandbox.protocol import FrameReader, Kind, ProtocolError, frame
    from grader.sandbox.session import decode_reply
    from grader.sandbox.values import Encoder, Malformed, Observed

torch.set_num_threads(1)


def encoded(value: object) -> bytes:
    encoder = Encoder()
    encoder.write(value)
    return bytes(encoder.out)


def reply(value: object, outcome: str = "returned", raised: object = None) -> bytes:
    return encoded((outcome, value, (torch.ones(2), 3), {"x": 1.5}, raised, ""))


X = torch.arange(6.0).reshape(2, 3)
SEEDS = [
    *map(encoded, (None, True, 7, 1 << 70, 0.5, 1j, "text", b"bytes", [1, (2, "3")], {"a": 1, 2: None}, {1, 2}, X)),
    *map(reply, (None, 3, 2.5, X, X.int(), X.bool(), X.t(), X.half(), X.numpy(), [X, "a"], {"loss": X, 1: 2}, {1, 2})),
    reply(torch.ones(2, requires_grad=True) * 2),
    reply(None, "raised", (("ValueError", "Exception"), "told", ((3, "double"),), True, None)),
    reply(None, "refused"),
    frame(Kind.REPLY, 7, reply(3)) * 2,
]
WANTED = [
    Reply(Outcome.RETURNED, value, (Observed(encoded(torch.ones(2))).whole(), 3), {"x": 1.5})
    for value in Observed(
        encoded([None, 3, 2.5, 1j, True, "a", b"b", X, X.int(), X.numpy(), [X, 1], {"loss": X}])
    ).whole()
] + [Reply(Outcome.RAISED, raised=Raised(("ValueError",), "told"))]


def one_input(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        show(Observed(data).whole())
    try:
        given = decode_reply(data)
    except Malformed:
        given = None
    if given is not None:
        kind_of(given.value)
        for wanted in WANTED:
            for strictly in (True, False):
                same_reply(given, wanted, strictly=strictly)
    reader = FrameReader()
    try:
        reader.feed(data)
        while reader.take() is not None:
            pass
    except ProtocolError:
        pass


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS):
            Path(folder, str(number)).write_bytes(seed)
        # Options given come last, and count.
        atheris.Setup(
            [sys.argv[0], "-timeout=10", "-rss_limit_mb=4096", "-max_len=65536", *sys.argv[1:], folder], one_input
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
