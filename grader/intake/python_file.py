"""A `.py` file: from bytes to text, by the rules that Python itself follows (UTF-8, BOM, PEP 263)."""

import codecs
import io
import re
import tokenize

from grader.core.text import one_line
from grader.intake.decoded import MAX_PYTHON, Decoded, NotReadable, megabytes, refuse_other_unicode

# Encodings of text that people really save files in. Python would take any codec that is named in the
# first lines, and among them are some that take quadratic time (punycode) or hide text (unicode_escape).
_TEXT_ENCODING = re.compile(
    r"utf-8(-sig)?|ascii|iso8859-\d+|cp\d+|koi8-[rut]|mac-\w+|gb\w+|big5\w*|euc_\w+|shift_jis\w*|tis-620"
)


def decode(data: bytes) -> Decoded:
    """The text of a `.py` file, with every line ending made a newline."""
    if len(data) > MAX_PYTHON:
        raise NotReadable(f"It is larger than {megabytes(MAX_PYTHON)}.")
    refuse_other_unicode(data)
    if b"\0" in data:
        raise NotReadable("It holds NUL bytes, so it is no Python text; save it as UTF-8.")
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotReadable(f"Line {line} is not {encoding.upper()}; save the file as UTF-8.") from None
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n"))


def _encoding(data: bytes) -> str:
    try:
        named, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        encoding = codecs.lookup(named).name
    except (SyntaxError, LookupError) as error:
        if str(error).startswith("invalid or missing encoding"):
            return "utf-8"  # the text says which line it is
        raise NotReadable(
            f"It names an encoding that can't be used ({one_line(str(error), 80)}); save it as UTF-8."
        ) from None
    if not _TEXT_ENCODING.fullmatch(encoding):
        raise NotReadable(f"It names the encoding {one_line(encoding, 40)}; save it as UTF-8.")
    return encoding
