"""Tells what was found: exporters for a class, and the terminal's words for a learner.

An exporter is a module `to_NAME.py` with one function,

    write(results: Results, out: Path, templates: Path) -> list[Path]

that writes its files into the folder `out`, each whole or not at all, and answers with their paths. A new
format is a new file: nothing else lists them. Only the modules of the formats that are asked for are imported.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, cast

from grader.core.errors import AutogradebookError, OurFault, WrongUsage
from grader.core.text import one_line
from grader.report.results import Results

_PREFIX = "to_"


class Exporter(Protocol):
    def write(self, results: Results, out: Path, templates: Path) -> list[Path]: ...


def formats() -> tuple[str, ...]:
    """The names of all formats."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.removeprefix(_PREFIX) for name in modules if name.startswith(_PREFIX)))


def parse_formats(text: str) -> tuple[str, ...]:
    """The formats named in "html,json"; WrongUsage for one that is not known, before any work is done."""
    known = formats()
    asked = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))
    unknown = [one_line(word, 40) for word in asked if word not in known]
    if unknown or not asked:
        what = f"Unknown format: {', '.join(unknown)}." if unknown else "No format was named."
        raise WrongUsage(f"{what} The formats are {', '.join(known)}; name one or more, with commas between.")
    return asked


def exporter(name: str) -> Exporter:
    (name,) = parse_formats(name)
    return cast(Exporter, importlib.import_module(f"{__name__}.{_PREFIX}{name}"))


def write_all(names: Iterable[str], results: Results, out: Path, templates: Path) -> list[Path]:
    """Write every format; one that fails does not keep the others from being written."""
    written: list[Path] = []
    failed: list[AutogradebookError] = []
    for name in names:
        try:
            written += exporter(name).write(results, out, templates)
        except AutogradebookError as error:
            failed.append(error)
        except Exception as error:  # noqa: BLE001 - a fault in one format must not cost the others
            failed.append(OurFault(f"The {name} report could not be made ({one_line(repr(error), 200)})."))
    if failed:
        raise failed[0]
    return written
