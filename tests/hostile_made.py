"""Attacks that are no single file of Python: archives, links, names, notebooks, encodings.

Each is made when it is needed, since none of them should lie in a repository: a link that leads outside would break
whoever unpacks one, and a bomb would alarm every scanner. All are small when packed, and unpack to 100 MB at most.
"""

import io
import json
import os
import socket
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Fill = Callable[[str], str]
"""Puts the places that an attack aims at into its text."""
Make = Callable[[Path, Fill], None]
"""Puts one thing into the folder of the class."""
NOTHING = "def double(x):\n    return None\n"
SAYS = 'print("@SAID@"[::-1])\ndef double(x):\n    print("@SAID@"[::-1])\n'
STUDENTS = "@CLASS@/honest-right/01_probe.py"


@dataclass(frozen=True)
class Case:
    """One thing to hand in, and what must come of it."""

    name: str
    tries: str
    make: Make
    students: tuple[str, ...]
    """Those of whom something may be judged because of it."""
    judged: Mapping[str, tuple[str, ...]]
    """By student: the statuses that a submission may have. Who is not named must have none."""
    refused: tuple[str, ...] = ()
    """Parts of paths that must be listed as unreadable, with a reason."""

    def judge(self, statuses: Mapping[str, str], unreadable: Mapping[str, str]) -> str:
        """What is not as it must be, or nothing."""
        for student, allowed in self.judged.items():
            if statuses.get(student) not in allowed:
                return f"{student} is {statuses.get(student)}, expected {' or '.join(allowed)}"
        if more := statuses.keys() - self.judged.keys():
            return f"judged, and should not be: {', '.join(more)}"
        for part in self.refused:
            if not any(part in path and reason for path, reason in unreadable.items()):
                return f"{part!r} is not listed among what cannot be read"
        return ""


_ANY = ("failed", "error", "timeout", "crashed", "not_attempted")


class _Odd(Case):
    def judge(self, statuses: Mapping[str, str], unreadable: Mapping[str, str]) -> str:
        """Each is judged, or listed with a reason."""
        for student in self.students:
            told = any(path.startswith(f"{student}/") and reason for path, reason in unreadable.items())
            if statuses.get(student) not in _ANY and not told:
                return f"{student} is {statuses.get(student)}, and not listed either"
        return ""


CASES: list[Case] = []


def case(
    tries: str,
    judged: Mapping[str, tuple[str, ...]] | None = None,
    refused: tuple[str, ...] = (),
    students: tuple[str, ...] = (),
) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        name = "made_" + make.__name__
        known = judged or {}
        CASES.append(Case(name, tries, make, (name, *students, *known), known, refused))
        return make

    return add


def _home(folder: Path, make: Callable[..., None]) -> Path:
    home = folder / ("made_" + make.__name__)
    home.mkdir()
    return home


def _zip(path: Path, files: Mapping[str, bytes | str]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def _notebook(*cells: Mapping[str, object], **metadata: object) -> str:
    return json.dumps({"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _code(source: str, **more: object) -> dict[str, object]:
    return {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": source,
            **more}  # fmt: skip


# -------------------------------------------------------------------------------------------- files beside it


@case(
    "to have files beside the answer run: conftest.py, sitecustomize.py, a .pth, a torch.py, a package grader",
    {"made_ships_modules": ("failed",)},
    ("conftest.py", "sitecustomize.py", "evil.pth", "torch.py"),
)
def ships_modules(folder: Path, fill: Fill) -> None:
    home = _home(folder, ships_modules)
    (home / "01_probe.py").write_text("import torch\n" + NOTHING)
    (home / "grader").mkdir()
    for name in ("conftest.py", "sitecustomize.py", "usercustomize.py", "torch.py", "grader/__init__.py", "checks.py"):
        (home / name).write_text(fill(SAYS))
    (home / "evil.pth").write_text(fill("import os; " + SAYS.splitlines()[0]))
    (home / "pytest.ini").write_text("[pytest]\naddopts = -p conftest\n")


@case(
    "two answers to one exercise, so that the better one is taken",
    refused=("made_two_answers/01_probe.py", "made_two_answers/probe.py"),
)
def two_answers(folder: Path, fill: Fill) -> None:
    home = _home(folder, two_answers)
    (home / "01_probe.py").write_text(NOTHING)
    (home / "probe.py").write_text(NOTHING + "# another\n")


# ------------------------------------------------------------------------------------------ links and devices


@case(
    "to hand in a link to another student's file, to the solution, and to a folder", refused=("made_links/01_probe.py",)
)
def links(folder: Path, fill: Fill) -> None:
    home = _home(folder, links)
    (home / "01_probe.py").symlink_to(fill(STUDENTS))
    (home / "02_workers.py").symlink_to(fill("@PACK@/solutions/02_workers.py"))
    (home / "folder").symlink_to(fill("@CLASS@/honest-right"))
    (home / "round").symlink_to(".")


@case("a folder of another student by a link in the class", refused=("made_link_to_folder",))
def link_to_folder(folder: Path, fill: Fill) -> None:
    (folder / "made_link_to_folder").symlink_to(fill("@CLASS@/honest-right"))


@case("to hang who reads a pipe, a socket or a device", refused=("made_pipes/01_probe.py",))
def pipes(folder: Path, fill: Fill) -> None:
    home = _home(folder, pipes)
    os.mkfifo(home / "01_probe.py")
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(home)  # a path that is too long for a socket's address
        try:
            listener.bind("02_workers.py")
        finally:
            os.chdir(here)


@case("a file of a terabyte that takes no room", refused=("made_huge/01_probe.py",))
def huge(folder: Path, fill: Fill) -> None:
    home = _home(folder, huge)
    with open(home / "01_probe.py", "wb") as file:
        file.truncate(2**40)


# ----------------------------------------------------------------------------------------------------- archives


@case(
    "to climb out of an archive: by dots, from the root, by a drive, by backslashes",
    {"made_zip_climbs": ("failed",)},
    ("escape", "absolute"),
)
def zip_climbs(folder: Path, fill: Fill) -> None:
    data = fill(SAYS)
    _zip(
        folder / "made_zip_climbs.zip",
        {"01_probe.py": NOTHING, "../escape.py": data, "../../canary/made_zip_climbs.py": data, "/absolute.py": data,
         fill("@CANARY@/made_zip_climbs.py"): data, "C:\\drive.py": data, "..\\..\\back.py": data,
         "a/../../escape2.py": data, "../honest-right/01_probe.py": data},
    )  # fmt: skip


@case("to hand in a link inside a zip", refused=("01_probe.py",))
def zip_links(folder: Path, fill: Fill) -> None:
    with zipfile.ZipFile(folder / "made_zip_links.zip", "w") as archive:
        link = zipfile.ZipInfo("01_probe.py")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, fill(STUDENTS))


@case("links, hard links, devices and pipes in a tar, and a file that is written through a link")
def tar_links(folder: Path, fill: Fill) -> None:
    with tarfile.open(folder / "made_tar_links.tar.gz", "w:gz") as archive:
        for name, kind, target in (
            ("01_probe.py", tarfile.SYMTYPE, STUDENTS), ("02_workers.py", tarfile.LNKTYPE, "../honest-right/a.py"),
            ("pipe.py", tarfile.FIFOTYPE, ""), ("device.py", tarfile.CHRTYPE, ""), ("out", tarfile.SYMTYPE, "@CANARY@"),
        ):  # fmt: skip
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.devmajor, entry.devminor = kind, fill(target), 1, 5
            archive.addfile(entry)
        for name in ("out/made_tar_links.py", "../../canary/made_tar_links.py", fill("@CANARY@/made_tar_links.py")):
            entry = tarfile.TarInfo(name)
            entry.size = len(NOTHING)
            archive.addfile(entry, io.BytesIO(NOTHING.encode()))


@case("an archive of 100 kB that unpacks to 100 MB", refused=("made_zip_bomb",))
def zip_bomb(folder: Path, fill: Fill) -> None:
    _zip(folder / "made_zip_bomb.zip", {"01_probe.py": b"#" * (100 << 20)})


@case("archives within archives within archives", refused=("made_zip_nested",))
def zip_nested(folder: Path, fill: Fill) -> None:
    data = NOTHING.encode()
    name = "01_probe.py"
    for depth in range(6):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr(name, data)
        data, name = held.getvalue(), f"deeper{depth}.zip"
    (folder / "made_zip_nested.zip").write_bytes(data)


@case("an archive whose directory lies about its sizes", refused=("made_zip_lies",))
def zip_lies(folder: Path, fill: Fill) -> None:
    _zip(folder / "made_zip_lies.zip", {"01_probe.py": "# " + "x" * 300_000})
    data = (folder / "made_zip_lies.zip").read_bytes()
    at = data.rindex(b"PK\x01\x02") + 24
    (folder / "made_zip_lies.zip").write_bytes(data[:at] + (10).to_bytes(4, "little") + data[at + 4 :])


@case("an archive that is broken, empty, or none at all", refused=("made_zip_broken",))
def zip_broken(folder: Path, fill: Fill) -> None:
    home = _home(folder, zip_broken)
    (home / "broken.zip").write_bytes(b"PK\x03\x04" + os.urandom(500))
    (home / "broken.tar.gz").write_bytes(b"\x1f\x8b" + os.urandom(500))
    (home / "empty.zip").write_bytes(b"")


# -------------------------------------------------------------------------------------------------------- names

MARKED = "<hostile-tag onhostile=1>made_name_markup"
FORMULA = "=cmd|' hostile'!A0 made_name_formula"
TEMPLATE = "{{ hostile }}{% raw %}made_name_template"


@case("markup in the name of a student and of files", {MARKED: ("failed",)}, ("<hostile-tag>",))
def name_markup(folder: Path, fill: Fill) -> None:
    home = folder / MARKED
    home.mkdir()
    (home / "01_probe.py").write_text(NOTHING)
    (home / "<hostile-tag>.py").write_text(NOTHING)
    (home / "'-alert(1)-'<script>hostile.txt").write_text("")


@case("a formula in the name of a student", {FORMULA: ("failed",)}, ("@SUM(1+1)",))
def name_formula(folder: Path, fill: Fill) -> None:
    home = folder / FORMULA
    home.mkdir()
    (home / "01_probe.py").write_text(NOTHING)
    (home / "@SUM(1+1).txt").write_text("")


@case("expressions of template languages in a name", {TEMPLATE: ("failed",)})
def name_template(folder: Path, fill: Fill) -> None:
    (folder / TEMPLATE).mkdir()
    (folder / TEMPLATE / "01_probe.py").write_text(NOTHING)


@case(
    "terminal escapes, line breaks, and signs that turn the direction of writing, in names",
    refused=("made_name_escapes",),
)
def name_escapes(folder: Path, fill: Fill) -> None:
    home = _home(folder, name_escapes)
    for name in (
        "\x1b[2J\x1b]0;hostile\x07.py",
        "two\nlines.py",
        "\u202egnp.py",
        "a\x00b".replace("\x00", "\x7f") + ".py",
    ):
        (home / name).write_text(NOTHING)
    odd = folder / "made_name_escapes\x1b[31m\u202e"
    odd.mkdir()
    (odd / "01_probe.py").write_text(NOTHING)
    (folder / os.fsdecode(b"made_name_escapes\xff\xfe")).mkdir()
    (folder / os.fsdecode(b"made_name_escapes\xff\xfe") / "01_probe.py").write_text(NOTHING)


@case("names that are paths, options, or reserved on some system")
def name_reserved(folder: Path, fill: Fill) -> None:
    home = _home(folder, name_reserved)
    for name in (
        "-rf.py",
        "--help.py",
        "CON.py",
        "..py",
        "...",
        "~",
        "$(touch hostile).py",
        "%2e%2e%2f01_probe.py",
        "a" * 250,
    ):
        (home / name).write_text(NOTHING)


@case("a folder that is deeper than any student's", refused=("made_deep",))
def deep(folder: Path, fill: Fill) -> None:
    home = _home(folder, deep)
    path = home.joinpath(*["d"] * 60)
    path.mkdir(parents=True)
    (path / "01_probe.py").write_text(NOTHING)


# ---------------------------------------------------------------------------------------------------- notebooks


@case(
    "to have the cells of a notebook call the shell or leave by magics", {"made_notebook_magics": ("failed", "error")}
)
def notebook_magics(folder: Path, fill: Fill) -> None:
    home = _home(folder, notebook_magics)
    (home / "01_probe.ipynb").write_text(
        _notebook(
            _code(
                fill("!touch @CANARY@/made_notebook_magics\n%run @CLASS@/honest-right/01_probe.py\n%load_ext hostile")
            ),
            _code(fill("%%bash\ntouch @CANARY@/made_notebook_magics.2")),
            _code(fill("get_ipython().system('touch @CANARY@/made_notebook_magics.3')")),
            _code("%cd /\n" + NOTHING),
        )
    )


@case(
    "markup and scripts in the outputs, the metadata and the texts of a notebook",
    {"made_notebook_outputs": ("failed", "error")},
)
def notebook_outputs(folder: Path, fill: Fill) -> None:
    home = _home(folder, notebook_outputs)
    mark = "<hostile-tag onhostile=1><script>hostile()</script>"
    html = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": mark, "application/javascript": "hostile()"},
    }
    stream = {"output_type": "stream", "name": "stdout", "text": fill("@SAID@") + "\x1b[2J" + mark}
    (home / "01_probe.ipynb").write_text(
        _notebook(
            {"cell_type": "markdown", "id": "b", "metadata": {}, "source": mark},
            _code(NOTHING + f"# {mark}\nraise ValueError({mark!r})", outputs=[html, stream], metadata={"x": mark}),
            kernelspec={"name": "python3", "display_name": mark, "language": "python"},
        )
    )


@case("a notebook that is nested, endless or no notebook", refused=("made_notebook_odd",))
def notebook_odd(folder: Path, fill: Fill) -> None:
    for number, text in enumerate(
        (
            "[" * 200_000,
            '{"cells": 1e999}',
            '{"cells": [], "nbformat": "4"}',
            '{"cells": [{"cell_type": "code", "source": 7}]}',
        )
    ):
        home = folder / f"made_notebook_odd{number}"
        home.mkdir()
        (home / "01_probe.ipynb").write_text(text)


CASES[-1] = _Odd(
    "made_notebook_odd", CASES[-1].tries, notebook_odd, tuple(f"made_notebook_odd{n}" for n in range(4)), {}
)


# ---------------------------------------------------------------------------------- source bombs and encodings

ODD = {
    "utf7": b"# coding: utf-7\n+AAo-print('x')\n",
    "rot13": b"# coding: rot13\ncevag('x')\n",
    "unicode_escape": b"# coding: unicode_escape\n\\u0064ef double(x): pass\n",
    "zeros": b"def double(x):\n    return None\x00\n",
    "latin": b"# \xff\xfe\ndef double(x):\n    return None\n",
    "utf16": "def double(x):\n    return None\n".encode("utf-16"),
    "deep": b"x = " + b"(" * 50_000 + b")" * 50_000,
    "long": b"x = " + b"-" * 400_000 + b"1",
    "attributes": b"x = a" + b".a" * 100_000,
    "digits": b"x = " + b"9" * 100_000,
    "power": b"x = 9**9**9**9\n",
    "lines": b"\n" * 500_000 + b"def double(x): return None\n",
    "indents": b"".join(b" " * n + b"if 1:\n" for n in range(99)) + b" " * 99 + b"pass\n",
    "names": "def dоuble(x):\n    return None\n".encode(),
    "form_feed": b"\x0c\rdef double(x):\x0c return None\r\n",
}


@case("source that is slow or impossible to compile, and encodings that hide what is written")
def odd_sources(folder: Path, fill: Fill) -> None:
    for name, data in ODD.items():
        home = folder / f"made_odd_{name}"
        home.mkdir()
        (home / "01_probe.py").write_bytes(data)


CASES[-1] = _Odd("made_odd_sources", CASES[-1].tries, odd_sources, tuple(f"made_odd_{name}" for name in ODD), {})
