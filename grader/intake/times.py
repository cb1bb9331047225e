"""When something was handed in: what nbgrader, archives and files say of it."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from grader.core.text import one_line
from grader.intake.decoded import NotReadable

MAX_RECEIPT = 1 << 10
"""Bytes of a `timestamp.txt`; an honest one has forty."""
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


def receipt(data: bytes) -> datetime:
    """The time in nbgrader's `timestamp.txt`.

    nbgrader writes "2015-02-02 15:58:23.948203 America/Los_Angeles", with the short name of the zone ("UTC") or an
    offset in the place of that, or with nothing, which means UTC.
    """
    text = data.decode("utf-8-sig", "replace").strip()
    try:
        if len(parts := text.split()) == 3:
            return datetime.fromisoformat(" ".join(parts[:2])).replace(tzinfo=_zone(parts[2])).astimezone(UTC)
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotReadable(
            f"'{one_line(text, 60)}' is no time that nbgrader writes; write it as 2026-12-01 18:00:00 UTC."
        ) from None


def _zone(name: str) -> tzinfo:
    if found := _OFFSET.fullmatch(name):
        away = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-away if found[1] == "-" else away)
    if name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        # Not guessed: IST is Indian, Irish and Israeli time.
        raise NotReadable(
            f"The time zone '{one_line(name, 40)}' has no one meaning; write it as UTC, +01:00 or Europe/Berlin."
        ) from None


def of_file(seconds: float) -> datetime | None:
    """A file's time in seconds since 1970. The first instant of all is written where no time is known."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def of_member(date_time: tuple[int, int, int, int, int, int], extra: bytes) -> datetime | None:
    """The time of a member of a zip: in UTC where the program that packed it wrote that, else by the clock on the wall,
    which is taken for ours.
    """
    at = 0
    while at + 4 <= len(extra):
        kind, size = (int.from_bytes(extra[place : place + 2], "little") for place in (at, at + 2))
        body = extra[at + 4 : at + 4 + size]
        if kind == _EXTENDED_TIMES and len(body) >= 5 and body[0] & 1:
            return of_file(int.from_bytes(body[1:5], "little", signed=True))
        at += 4 + size
    if date_time <= _NO_TIME:
        return None
    try:
        return datetime(*date_time).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


_EXTENDED_TIMES = 0x5455
_NO_TIME = (1980, 1, 1, 0, 0, 0)
"""The first instant that a zip can hold, written where no time is known."""
