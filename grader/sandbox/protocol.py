"""Frames: how a message is told from the next one on a stream of bytes.

A frame is a header of 20 bytes and a payload::

    magic "AGB1" | kind u8 | 3 zero bytes | nonce u64 | length u32 | payload (length bytes)

all little-endian. The judge draws a fresh nonce for each request and takes no reply with another one, so a
stale, doubled or guessed reply is refused. A header that breaks the form, or a length above the cap, ends
the conversation: whoever wrote it is not one of ours, or is one no longer.
"""

import struct
from enum import IntEnum

HEADER = struct.Struct("<4sB3sQI")
MAGIC = b"AGB1"
ZEROS = b"\0\0\0"
MAX_PAYLOAD = 64 * 1024 * 1024
_LEAST, _MOST = 1 << 16, 1 << 20
"""Bytes for one read."""


class Kind(IntEnum):
    """The three kinds of frame."""

    HELLO = 1
    """Child to judge, once, before it has read anything: the layers of confinement in force."""
    REQUEST = 2
    REPLY = 3


_KINDS = {int(kind): kind for kind in Kind}


class ProtocolError(Exception):
    """The other side does not speak the protocol."""


def frame(kind: Kind, nonce: int, payload: bytes | bytearray) -> bytes:
    """One whole frame, ready to be sent."""
    if len(payload) > MAX_PAYLOAD:
        raise ProtocolError(f"a message of {len(payload)} bytes is larger than {MAX_PAYLOAD}")
    return HEADER.pack(MAGIC, kind, ZEROS, nonce, len(payload)) + payload


class FrameReader:
    """Collects bytes until a frame is whole. Never holds more than one frame and what one read brought."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._head: tuple[Kind, int] | None = None
        """Kind and nonce of the frame that has begun to come."""
        self._end = 0
        """Where it ends in the bytes."""

    @property
    def wants(self) -> int:
        """How many bytes to read next: what the frame lacks, within bounds. A small frame comes with its header."""
        return min(max(self._end - len(self._data), _LEAST), _MOST)

    def feed(self, data: bytes) -> None:
        self._data += data
        if self._head is None and len(self._data) >= HEADER.size:
            self._begin()

    def take(self) -> tuple[Kind, int, bytes] | None:
        """The next whole frame as (kind, nonce, payload), or None."""
        if self._head is None or len(self._data) < self._end:
            return None
        whole = *self._head, bytes(memoryview(self._data)[HEADER.size : self._end])
        del self._data[: self._end]
        self._head, self._end = None, 0
        if len(self._data) >= HEADER.size:
            self._begin()
        return whole

    def _begin(self) -> None:
        magic, kind, zeros, nonce, length = HEADER.unpack_from(self._data)
        if magic != MAGIC or zeros != ZEROS or kind not in _KINDS:
            raise ProtocolError("the header of a message is broken")
        if length > MAX_PAYLOAD:
            raise ProtocolError(f"a message of {length} bytes is larger than {MAX_PAYLOAD}")
        self._head, self._end = (_KINDS[kind], nonce), HEADER.size + length
