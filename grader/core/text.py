"""Text that came from somebody else, made fit to be shown."""

import unicodedata

# Categories of characters that steer a terminal or a page instead of showing something: control, format
# (among them the signs that turn the direction of writing), surrogate, private use, unassigned, and the
# two separators that some programs take for the end of a line.
_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, limit: int = 4000) -> str:
    """`text` without control characters (newlines and tabs stay), cut at `limit` characters.

    Each character that is taken out is shown as U+FFFD, so that nothing disappears unseen. Terminal
    escapes lose their first character and become harmless text.
    """
    cut = text[: limit + 1]
    shown = "".join(
        ch if ch in "\n\t" or unicodedata.category(ch) not in _STEERING else "\N{REPLACEMENT CHARACTER}"
        for ch in cut.replace("\r\n", "\n")
    )
    if len(text) > limit:
        return shown[:limit] + " …"
    return shown


def one_line(text: str, limit: int = 200) -> str:
    """`clean`, with every run of white space made one space."""
    return " ".join(clean(text, limit * 2).split())[:limit]
