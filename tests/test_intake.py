"""Intake: real files, folders, notebooks and archives go in; submissions and reasons come out, never a traceback."""

import bz2
import gzip
import io
import json
import os
import socket
import stat
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.core.errors import BadFile
from grader.core.exercise import Exercise, Limits
from grader.core.submission import Submission, Unreadable, digest
from grader.intake import place as places
from grader.intake import submissions as submissions_module
from grader.intake import workspace
from grader.intake.decoded import MAX_NOTEBOOK, MAX_PYTHON
from grader.intake.folder import Folder
from grader.intake.match import Names
from grader.intake.read import read_file
from grader.intake.submissions import Intake, read_submissions

NAMES = ("04_cat_and_stack", "05_view_vs_reshape", "16_nonscalar_backward", "21_leaves_and_hooks", "38_custom_dataset")
VIEW = "05_view_vs_reshape"
Files = Mapping[str, bytes | str]


def as_bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def lay(folder: Path, files: Files) -> Path:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(as_bytes(content))
    return folder


def zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, as_bytes(content))
    return buffer.getvalue()


def tarred(files: Files, mode: str = "w:gz", members: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for member in members:
            archive.addfile(member)
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(as_bytes(content))
            archive.addfile(info, io.BytesIO(as_bytes(content)))
    return buffer.getvalue()


def save(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def notebook(*cells: str | nbformat.NotebookNode) -> str:
    nodes = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return str(nbformat.writes(new_notebook(cells=nodes)))


def readable(path: Path) -> Submission:
    found = read_file(path, "s01", VIEW)
    assert isinstance(found, Submission), found
    return found


def reason(path: Path) -> str:
    found = read_file(path)
    assert isinstance(found, Unreadable), found
    return found.reason


def who(intake: Intake) -> list[tuple[str, str]]:
    return [(one.student, one.exercise) for one in intake.submissions]


def reasons(intake: Intake) -> dict[str, str]:
    return {one.path: one.reason for one in intake.unreadable}


# One file


def test_a_python_file_is_read_with_the_hash_of_its_bytes(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfx = 1\r\ny = '\xc3\xa9'\rz = 3\n"
    found = readable(save(tmp_path / "05.py", data))
    assert found.source == "x = 1\ny = 'é'\nz = 3\n"
    assert found.sha256 == digest(data)
    assert (found.student, found.exercise, found.path) == ("s01", VIEW, "05.py")
    assert found.where(2) == "line 2"


def test_the_coding_cookie_is_followed(tmp_path: Path) -> None:
    found = readable(
        save(tmp_path / "a.py", "#!/usr/bin/python\n# -*- coding: latin-1 -*-\nname = 'José'\n".encode("latin-1"))
    )
    assert "José" in found.source


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("x = 1".encode("utf-16"), "UTF-16"),
        ("x = 1".encode("utf-32"), "UTF-32"),
        (b"x = 1\ny = '\xe9'\n", "Line 2 is not UTF-8"),
        (b"\xe9\n", "Line 1 is not UTF-8"),
        (b"x = 1\0\n", "NUL"),
        (b"# coding: klingon\n", "klingon"),
        (b"# coding: punycode\nx = 1\n", "punycode"),
        (b"# coding: unicode_escape\nx = 1\n", "escape"),
        (b"# coding: rot13\nk = 1\n", "rot-13"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "encoding"),
        (b"x" * (MAX_PYTHON + 1), "larger than 1 MiB"),
    ],
)
def test_what_is_no_text_is_said_so(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in reason(save(tmp_path / "a.py", data))


def test_what_is_no_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    assert "no such file" in reason(tmp_path / "gone.py")
    assert "folder" in reason(tmp_path / "folder.py")
    assert "not a regular file" in reason(tmp_path / "pipe.py")  # and is not waited for
    assert ".ipynb" in reason(save(tmp_path / "a.txt", b"x = 1"))
    assert isinstance(read_file(tmp_path / "a\0.py"), Unreadable)


# Notebooks


def test_a_notebook_becomes_one_text_that_knows_its_cells(tmp_path: Path) -> None:
    text = notebook(new_markdown_cell("# Task"), "import torch\nx = 1\n", "", "def f():\n    return x")
    found = readable(save(tmp_path / "05.ipynb", text.encode()))
    assert found.source == "import torch\nx = 1\n\ndef f():\n    return x\n"
    assert found.cells == ((2, 1), (4, 4))
    assert found.where(5) == "cell 4, line 2"
    assert found.notes == ()
    assert found.sha256 == digest(text.encode())


def test_lines_for_ipython_are_left_out_and_keep_their_place(tmp_path: Path) -> None:
    cell = (
        "%matplotlib inline\nimport math\n!pip install \\\n   torch\nif True:\n    %time x = 1\nmath?\nfiles = !ls\n"
        'text = """\n%not magic\n"""\ny = (7\n% 4)\nz = 1'
    )
    found = readable(save(tmp_path / "05.ipynb", notebook(cell, "a = 7 \\\n% 4").encode()))
    lines = found.source.split("\n")
    assert lines[0] == "pass  # left out: %matplotlib inline"
    assert lines[5] == "    pass  # left out: %time x = 1"
    namespace: dict[str, object] = {}
    exec(found.source, namespace)
    assert namespace["text"] == "\n%not magic\n"
    assert (namespace["y"], namespace["z"], namespace["a"]) == (3, 1, 3)
    said = [note.split(" was left out")[0] for note in found.notes]
    assert said == [f"Cell 1, line {line}" for line in (1, 3, 6, 7, 8)]


def test_a_cell_magic_takes_its_cell_with_it_but_time_does_not(tmp_path: Path) -> None:
    found = readable(save(tmp_path / "a.ipynb", notebook("%%bash\nrm -r x", "%%time\nx = 1", "y = 2").encode()))
    assert "rm -r" not in found.source.replace("# left out", "")
    assert "x = 1\n" in found.source
    assert len(found.notes) == 2
    assert found.where(found.source.split("\n").index("y = 2") + 1) == "cell 3, line 1"


def test_a_broken_cell_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    found = readable(save(tmp_path / "a.ipynb", notebook("x = 1", "y = 2\ndef f(:\n", "await x", "z = 3").encode()))
    assert found.source == "x = 1\n\nz = 3\n"
    assert found.cells == ((1, 1), (4, 3))
    assert found.notes[0].startswith("Cell 2 was left out: line 2, ")
    assert found.notes[1].startswith("Cell 3 was left out: line 1, 'await'")


def test_tests_of_nbgrader_are_not_the_learners(tmp_path: Path) -> None:
    def marked(code: str, grade: bool, solution: bool) -> nbformat.NotebookNode:
        return new_code_cell(code, metadata={"nbgrader": {"grade": grade, "solution": solution, "locked": grade}})

    text = notebook(marked("a = 1", False, True), marked("assert False", True, False), marked("b = 2", True, True))
    found = readable(save(tmp_path / "a.ipynb", text.encode()))
    assert found.source == "a = 1\n\nb = 2\n"
    assert found.notes == ()


def test_a_future_import_in_a_later_cell_moves_to_the_top(tmp_path: Path) -> None:
    text = notebook("x = 1", 'from __future__ import annotations\ns = """\nfrom __future__ import division\n"""')
    found = readable(save(tmp_path / "a.ipynb", text.encode()))
    compile(found.source, "a", "exec")
    assert found.source.count("from __future__ import division") == 1
    assert found.where(found.source.split("\n").index("x = 1") + 1) == "cell 1, line 1"
    assert found.where(found.source.split("\n").index('s = """') + 1) == "cell 2, line 2"


def test_an_old_notebook_is_read(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "outputs": [], "language": "python", "collapsed": False}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [cell]}]}
    assert readable(save(tmp_path / "a.ipynb", json.dumps(old).encode())).source == "x = 1\ny = 2\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"x = 1", "not JSON"),
        (b'{"cells": [', "not JSON"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b'{"a": "\xe9"}', "not UTF-8"),
        (b"[]", "not a notebook"),
        (b"{}", "not a notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 7}', "not a notebook"),
        (b'{"nbformat": 99, "cells": []}', "not a notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": [], "cells": []}', "not a notebook"),
        (b"[" * 200_000, "not"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "not"),
        (notebook("x = 1" + " " * MAX_PYTHON + "#").encode(), "code is larger"),
        (b" " * (MAX_NOTEBOOK + 1), "larger than 16 MiB"),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"language": "R"}}, "cells": []}',
            "for R, not for Python",
        ),
    ],
)
def test_what_is_no_notebook_is_said_so(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in reason(save(tmp_path / "a.ipynb", data))


@pytest.mark.parametrize(
    "code",
    [
        "-" * 20_000 + "1",
        "a" + ".b" * 15_000,
        "1" + "+x" * 15_000,
        "(" * 300 + ")" * 300,
        "x = '\ud800'",
        "a\0b",
        "1" * 5000,
    ],
)
def test_a_hostile_cell_costs_itself_alone(tmp_path: Path, code: str) -> None:
    text = notebook("x = 1", "CELL", "z = 3").replace('"CELL"', json.dumps(code))
    found = readable(save(tmp_path / "a.ipynb", text.encode()))
    assert found.source == "x = 1\n\nz = 3\n"
    assert len(found.notes) == 1
    assert found.notes[0].startswith("Cell 2 was left out: ")
    found.source.encode()


def test_a_cell_made_to_be_slow_is_not(tmp_path: Path) -> None:
    slow = ['f"{' + "x}{" * 300_000 + 'x}"', '"' + '\\"' * 400_000, "from __future__ import a" + " " * 400_000 + ";x"]
    for code in slow:
        path = save(tmp_path / "a.ipynb", notebook("x = 1", "%pip\n" + code, "%time\n" + code[:30_000]).encode())
        started = time.perf_counter()
        read_file(path)
        assert time.perf_counter() - started < 3


def test_odd_cells_do_no_harm(tmp_path: Path) -> None:
    cells = [
        7,
        None,
        {"cell_type": "code", "source": 5},
        {"cell_type": "code", "metadata": [], "source": ["x", " = 1"]},
    ]
    text = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells})
    found = read_file(save(tmp_path / "a.ipynb", text.encode()))
    assert isinstance(found, Unreadable) or found.source == "x = 1\n"


def test_a_notebook_without_code_says_so(tmp_path: Path) -> None:
    found = readable(save(tmp_path / "a.ipynb", notebook(new_markdown_cell("nothing")).encode()))
    assert found.source == ""
    assert "no code" in found.notes[0]


def test_a_thousand_magics_are_not_a_thousand_notes(tmp_path: Path) -> None:
    found = readable(save(tmp_path / "a.ipynb", notebook("\n".join(["!ls \x1b[31m"] * 1000)).encode()))
    assert len(found.notes) == 21
    assert "980 more" in found.notes[-1]
    assert "\x1b" not in "".join(found.notes)


# Which exercise


@pytest.mark.parametrize(
    "name",
    [
        "05_view_vs_reshape.py", "05.py", "5.ipynb", "view_vs_reshape.py", "ex05.py", "Exercise 5.py",
        "05-view-vs-reshape.PY",
                "exercise_05 (1).py", "05_view_vs_reshape(2).py", "05_view_vs_reshape-1.py", "view_vs_reshape (3).py",
        "View vs Reshape - Copy.py", "05_my_solution.py", "005.py", "０５.py",
    ],
)  # fmt: skip
def test_a_name_that_fits_one_exercise(name: str) -> None:
    assert Names(NAMES).exercise_of(name) == VIEW


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("notes.py", "fits no exercise"),
        ("99_view.py", "fits no exercise"),
        (
            "viewvsreshape2.py",
            "04_cat_and_stack, 05_view_vs_reshape, 16_nonscalar_backward, … 38_custom_dataset (5 in all)",
        ),
        ("16_view_vs_reshape.py", "number says 16_nonscalar_backward and its name says 05_view_vs_reshape"),
        ("x" * 250 + ".py", "fits no exercise"),
    ],
)
def test_a_name_that_fits_none(tmp_path: Path, name: str, said: str) -> None:
    place = lay(tmp_path / "in", {f"alice/{name}": "x"})
    assert said in reasons(read_submissions(place, NAMES))[f"alice/{name}"]


def test_a_number_that_two_exercises_have() -> None:
    names = Names((VIEW, "05_other"))
    assert names.exercise_of("05_other.py") == "05_other"
    with pytest.raises(Exception, match="fits 05_other and 05_view_vs_reshape"):
        names.exercise_of("05.py")


# Layouts: the same class, handed in by every road

CLASS = {"alice/05.py": "a = 1\n", "alice/16.py": "a = 2\n", "bob/05.py": "b = 1\n"}
GRADED = [("alice", VIEW), ("alice", "16_nonscalar_backward"), ("bob", VIEW)]


def inside(folder: str, files: Files = CLASS) -> Files:
    return {f"{folder}/{path}": content for path, content in files.items()}


LAYOUTS: dict[str, Files] = {
    "plain": CLASS,
    "deeper": {"alice/week 1/05.py": "1", "alice/week 2/16.py": "2", "bob/a/b/c/d/05.py": "3"},
    "wrapped": inside("Class of 2026"),
    "wrapped with stray files": {**inside("Class"), "Class/grades.csv": "x", "README.txt": "x"},
    "submitted": inside("submitted", {"alice/ps1/05.ipynb": notebook("1"), "alice/ps1/16.py": "", "bob/ps1/05.py": ""}),
    "course": {
        **inside("submitted", {"alice/ps1/05.py": "1", "alice/ps1/16.py": "2", "bob/ps1/05.py": "3"}),
        "submitted/bob/ps1/timestamp.txt": "2026-01-01 00:00:00 UTC",
        "source/ps1/05.py": "solution",
        "autograded/alice/ps1/05.py": "1",
        "gradebook.db": "x",
    },
    "wrapped course": inside("c", {**inside("submitted"), "source/ps1/05.py": "x", "nbgrader_config.py": ""}),
    "moodle": {
        "alice_4711_assignsubmission_file/05.py": "1",
        "alice_4711_assignsubmission_file/16.py": "2",
        "bob_12_assignsubmission_file_/05.py": "3",
    },
    "flat moodle": {
        "alice_4711_assignsubmission_file_05.py": "1",
        "alice_4711_assignsubmission_file_16.py": "2",
        "bob_12_assignsubmission_file_05_view_vs_reshape.py": "3",
    },
    "canvas": {
        "alice_LATE_4711_99_05_view_vs_reshape.py": "1",
        "alice_4711_100_16.py": "2",
        "bob_12_101_05-1.py": "3",
    },
    "wrapped canvas": inside("download", {"alice_1_2_05.py": "1", "alice_1_3_16.py": "2", "bob_2_4_05.py": "3"}),
    "archives": {
        "alice.zip": zipped({"work/05.py": "1", "work/16.py": "2", "__MACOSX/._05.py": "x"}),
        "bob.tar.gz": tarred({"./05.py": "3"}),
    },
    "wrapped archives": inside(
        "c", {"alice.zip": zipped({"05.py": "1", "16.py": "2"}), "bob.zip": zipped({"05.py": ""})}
    ),
    "archives in folders": {"alice/a.zip": zipped({"05.py": "1", "16.py": "2"}), "bob/b.tgz": tarred({"x/05.py": ""})},
    "archives from moodle": {
        "alice_4711_assignsubmission_file/w.zip": zipped({"05.py": "1", "16.py": "2"}),
        "bob_12_assignsubmission_file/w.zip": zipped({"05.py": ""}),
    },
    "archives from canvas": {
        "alice_1_2_work.zip": zipped({"05.py": "1", "16.py": "2"}),
        "bob_LATE_2_4_work.zip": zipped({"05.py": ""}),
    },
    "workspaces": {
        **inside("alice", {"learn.toml": "format = 1", "05.py": "1", "16.py": "2", ".learn/progress.json": "{}"}),
        "alice/kept/05_view_vs_reshape.20260101-000000.py": "old",
        "bob/05.py": "3",
    },
    "with junk": {
        **CLASS,
        "alice/__pycache__/05.cpython-311.pyc": "x",
        "alice/.ipynb_checkpoints/05-checkpoint.ipynb": "x",
        "bob/.DS_Store": "x",
        "__MACOSX/bob/._05.py": "x",
        ".git/config": "x",
        "bob/Thumbs.db": "x",
    },
}
STRAY = {"wrapped with stray files": {"Class/grades.csv", "README.txt"}}


@pytest.mark.parametrize("packed", ["folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_by_every_road(tmp_path: Path, layout: str, packed: str) -> None:
    files = LAYOUTS[layout]
    if packed == "folder":
        place = lay(tmp_path / "in", files)
    elif packed == "zip":
        place = save(tmp_path / "in.zip", zipped(files))
    else:
        place = save(tmp_path / f"in.{packed}", tarred(files, "w:" + packed[4:]))
    intake = read_submissions(place, NAMES)
    assert who(intake) == GRADED
    assert set(reasons(intake)) == STRAY.get(layout, set())
    assert intake.students == ("alice", "bob")
    assert not any(path.suffix == ".py" for path in tmp_path.iterdir())


def test_canvas_and_moodle_say_more(tmp_path: Path) -> None:
    intake = read_submissions(lay(tmp_path / "a", LAYOUTS["canvas"]), NAMES)
    assert intake.late == {"alice_LATE_4711_99_05_view_vs_reshape.py"}
    assert intake.ids == {"alice": "4711", "bob": "12"}
    intake = read_submissions(lay(tmp_path / "b", LAYOUTS["archives from canvas"]), NAMES)
    assert intake.late == {"bob_LATE_2_4_work.zip/05.py"}
    intake = read_submissions(lay(tmp_path / "c", {"Anna_2_de la_Cruz_7_assignsubmission_file/05.py": ""}), NAMES)
    assert intake.ids == {"Anna_2_de la_Cruz": "7"}


def test_two_people_of_one_name_are_two(tmp_path: Path) -> None:
    files = {"Wei Zhang_1_assignsubmission_file/05.py": "1", "Wei Zhang_2_assignsubmission_file/05.py": "2"}
    intake = read_submissions(lay(tmp_path / "in", files), NAMES)
    assert intake.students == ("Wei Zhang (1)", "Wei Zhang (2)")
    assert len(intake.submissions) == 2


@pytest.mark.parametrize(
    ("name", "files", "students"),
    [
        ("submitted", {"alice/ps1/05.py": "", "alice/ps2/16.py": ""}, ["alice"]),
        ("in", {"alice/hw/05.py": ""}, ["alice"]),
        ("class", {"class/alice/05.py": ""}, ["alice"]),
        ("in", {"alice/05.py": "", "alice/more/16.py": ""}, ["alice"]),
        ("in", {"submitted/05.py": "", "zoe/05.py": ""}, ["submitted", "zoe"]),
        ("in", {"c/alice/w.zip": zipped({"05.py": ""}), "c/bob/w.zip": zipped({"05.py": ""})}, ["alice", "bob"]),
    ],
)
def test_one_folder_at_the_top(tmp_path: Path, name: str, files: Files, students: list[str]) -> None:
    assert list(read_submissions(lay(tmp_path / name, files), NAMES).students) == students


def test_an_empty_folder_is_a_student_who_handed_in_nothing(tmp_path: Path) -> None:
    place = lay(tmp_path / "in", CLASS)
    (place / "carol").mkdir()
    assert read_submissions(place, NAMES).students == ("alice", "bob", "carol")


def test_accents_make_one_student_whatever_system_packed_them(tmp_path: Path) -> None:
    place = save(tmp_path / "a.zip", zipped({"Jose\u0301/05.py": "1", "Jos\u00e9/16.py": "2", "bob/05.py": ""}))
    assert read_submissions(place, NAMES).students == ("José", "bob")


def test_macos_forgets_to_say_that_names_are_utf_8(tmp_path: Path) -> None:
    data = zipped({"Zoé/05.py": "1", "bob/05.py": ""})
    # Bit 11 of the flags says UTF-8, in the header before a file and in the table of contents.
    place = save(
        tmp_path / "a.zip",
        data.replace(b"\x14\0\0\x08", b"\x14\0\0\0").replace(b"\x14\x03\x14\0\0\x08", b"\x14\x03\x14\0\0\0"),
    )
    with zipfile.ZipFile(place) as archive:
        assert "Zoé/05.py" not in archive.namelist()
    assert read_submissions(place, NAMES).students == ("Zoé", "bob")


# What can't be graded


def test_everything_else_is_listed_and_nothing_is_dropped(tmp_path: Path) -> None:
    files: Files = {
        **CLASS,
        "alice/notes.docx": "",
        "bob/x.rar": "",
        "loose.py": "",
        "05.py": "",
        "bob/38.py": b"\xff",
        "d.zip": "no",
    }
    intake = read_submissions(lay(tmp_path / "in", files), NAMES)
    assert who(intake) == GRADED
    said = reasons(intake)
    assert sorted(said) == ["05.py", "alice/notes.docx", "bob/38.py", "bob/x.rar", "d.zip", "loose.py"]
    assert "student's folder" in said["05.py"]
    assert "not a .py or .ipynb" in said["alice/notes.docx"]
    assert "UTF-8" in said["bob/38.py"]
    assert "can't be read here" in said["bob/x.rar"]
    assert "no archive that can be opened" in said["d.zip"]


def test_two_answers_to_one_exercise_are_both_refused(tmp_path: Path) -> None:
    files = {**CLASS, "alice/old/05 (1).py": "a = 0\n", "bob/16.py": "x = 1", "bob/16.ipynb": notebook("x = 1")}
    intake = read_submissions(lay(tmp_path / "in", files), NAMES)
    assert who(intake) == [("alice", "16_nonscalar_backward"), ("bob", VIEW)]
    said = reasons(intake)
    assert "alice/old/05 (1).py is another; keep one" in said["alice/05.py"]
    assert "alice/05.py is another; keep one" in said["alice/old/05 (1).py"]
    assert set(said) == {"alice/05.py", "alice/old/05 (1).py", "bob/16.py", "bob/16.ipynb"}


def test_the_same_bytes_twice_are_one_answer(tmp_path: Path) -> None:
    intake = read_submissions(lay(tmp_path / "in", {**CLASS, "alice/05 (1).py": CLASS["alice/05.py"]}), NAMES)
    assert who(intake) == GRADED
    assert intake.submissions[0].path == "alice/05 (1).py"
    assert not intake.unreadable


def test_one_name_twice_in_an_archive(tmp_path: Path) -> None:
    # Of one length, so that the second name can be written over where it stands.
    data = zipped({"alice/05.py": "a = 1", "alice/5a.py": "a = 2", "bob/05.py": ""})
    intake = read_submissions(save(tmp_path / "a.zip", data.replace(b"alice/5a.py", b"alice/05.py")), NAMES)
    assert who(intake) == [("bob", VIEW)]
    assert [one.path for one in intake.unreadable] == ["alice/05.py"] * 2


def test_a_tar_of_the_folder_itself(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(lay(tmp_path / "in", CLASS), ".")
    intake = read_submissions(tmp_path / "a.tar.gz", NAMES)
    assert who(intake) == GRADED
    assert not intake.unreadable


def test_the_order_never_changes(tmp_path: Path) -> None:
    files = {f"s{number:02}/{name}.py": str(number) for number in range(20) for name in NAMES} | {
        "s1/x.doc": "",
        "a/y.doc": "",
    }
    backwards = dict(reversed(files.items()))
    first = read_submissions(save(tmp_path / "a.zip", zipped(files)), NAMES)
    second = read_submissions(lay(tmp_path / "a", backwards), NAMES)
    assert list(first.handed_in) == list(second.handed_in) == [one.path for one in first.submissions]
    # Times are those of the place.
    first, second = replace(first, handed_in={}), replace(second, handed_in={})
    assert first == second == read_submissions(save(tmp_path / "a.tar", tarred(backwards, "w:")), NAMES)
    assert len(first.submissions) == 100


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "There is no"),
        (lambda path: path.mkdir(), "holds no submissions"),
        (lambda path: (path / "alice").mkdir(parents=True), "holds no submissions"),
        (lambda path: path.write_text("x = 1"), "neither a folder nor an archive"),
        (os.mkfifo, "neither a folder nor an archive"),
    ],
)
def test_a_place_that_holds_nothing(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    place = tmp_path / "in\x1b[31m"
    make(place)
    with pytest.raises(BadFile, match=said) as told:
        read_submissions(place, NAMES)
    assert "\x1b" not in str(told.value)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz", "a.tgz"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an archive",
        b"PK\3\4 broken",
        gzip.compress(b"not a tar", mtime=0),
        b"\x1f\x8bbroken",
        b"\xfd7zXZ broken",
        b"BZh9xx",
    ],
)
def test_an_archive_that_is_none(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(BadFile, match="can't be opened"):
        read_submissions(save(tmp_path / name, data), NAMES)


# Hostile things


def test_a_folder_of_traps(tmp_path: Path) -> None:
    secret = lay(tmp_path / "secret", {"05.py": "SECRET"})
    place = lay(tmp_path / "in", CLASS)
    mallory = place / "mallory"
    mallory.mkdir()
    (mallory / "05.py").symlink_to(secret / "05.py")
    (mallory / "16.py").symlink_to("/dev/zero")
    (mallory / "more").symlink_to(secret)
    (mallory / "loop").symlink_to(mallory)
    (mallory / "gone.py").symlink_to("nowhere")
    os.mkfifo(mallory / "04.py")
    with socket.socket(socket.AF_UNIX) as listening:
        at = os.getcwd()
        os.chdir(mallory)  # the path of a socket must be short
        try:
            listening.bind("21.py")
        finally:
            os.chdir(at)
        os.truncate(save(mallory / "38.py", b""), 1 << 40)
        intake = read_submissions(place, NAMES)
    assert who(intake) == GRADED
    said = reasons(intake)
    assert {path.split("/")[1]: "link" in why for path, why in said.items()} == {
        "05.py": True, "16.py": True, "more": True, "loop": True, "gone.py": True,
        "04.py": False, "21.py": False, "38.py": False,
    }  # fmt: skip
    assert "larger than 1 MiB" in said["mallory/38.py"]
    assert intake.students == ("alice", "bob", "mallory")


def test_a_file_that_becomes_a_link_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = lay(tmp_path / "in", CLASS)
    listing = Folder.listing

    def swap(folder: Folder) -> object:
        found = listing(folder)
        (place / "bob/05.py").unlink()
        (place / "bob/05.py").symlink_to("/etc/hostname")
        return found

    monkeypatch.setattr(Folder, "listing", swap)
    intake = read_submissions(place, NAMES)
    assert who(intake) == GRADED[:2]
    assert "bob/05.py" in reasons(intake)


ODD = ["05\x1b[31m.py", "05\u202egpj.py", "05\n.py", "05\t.py", "05\u200b.py", b"05_\xff\xfe.py", "05\x7f.py"]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("road", ["folder", "zip", "tar"])
def test_odd_names_are_cleaned_and_listed(tmp_path: Path, name: str | bytes, road: str) -> None:
    text = name if isinstance(name, str) else os.fsdecode(name)
    if road == "zip" and isinstance(name, bytes):
        text = "05_\x02\x03.py"  # a zip has no bytes that are no text
    files = {**CLASS, f"mallory/{text}": "x", f"{text}/05.py": "x"}
    if road == "folder":
        place = lay(tmp_path / "in", files)
    elif road == "zip":
        place = save(tmp_path / "in.zip", zipped(files))
    else:
        place = save(tmp_path / "in.tar", tarred(files))
    intake = read_submissions(place, NAMES)
    assert who(intake) == GRADED
    assert len(intake.unreadable) == 2
    assert intake.students == ("alice", "bob", "mallory")
    for one in intake.unreadable:
        assert "can't be shown" in one.reason
        assert one.path.isprintable()
        one.path.encode()


def test_long_and_deep_names(tmp_path: Path) -> None:
    place = lay(tmp_path / "in", {**CLASS, "c" * 255 + "/05.py": "x", "dora/" + "d/" * 40 + "05.py": "x"})
    intake = read_submissions(place, NAMES)
    assert "c" * 255 in intake.students
    assert list(reasons(intake).values()) == ["It lies more than 32 folders deep."]
    files = {**CLASS, "m/" + "x" * 60_000 + ".py": "", "m/" + "é" * 200 + ".py": "", "m/" + "d/" * 5000 + "05.py": ""}
    for data in (zipped(files), tarred(files)):
        intake = read_submissions(save(tmp_path / f"a{data[:2].hex()}.zip", data), NAMES)
        assert who(intake) == GRADED
        assert len(intake.unreadable) == 3
        assert all(len(one.path) <= 400 for one in intake.unreadable)


TRAVERSALS = ["../05.py", "mallory/../../05.py", "/etc/05.py", "..\\05.py", "C:\\x\\05.py", "mallory/.../../../05.py"]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_paths_that_lead_outside(tmp_path: Path, path: str) -> None:
    for name, data in (("a.zip", zipped({**CLASS, path: "x"})), ("a.tar", tarred({**CLASS, path: "x"}))):
        intake = read_submissions(save(tmp_path / name, data), NAMES)
        assert who(intake) == GRADED
        assert len(intake.unreadable) == 1
        assert "outside" in intake.unreadable[0].reason or "absolute" in intake.unreadable[0].reason
        assert intake.students == ("alice", "bob")


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.CONTTYPE,
        b"V",
    ],
)
def test_links_and_devices_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("mallory/05.py")
    member.type, member.linkname = kind, "../alice/05.py"
    if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
        member.size = 600  # said by some programs, though nothing follows
    intake = read_submissions(save(tmp_path / "a.tar.gz", tarred(CLASS, members=(member,))), NAMES)
    assert intake.students == ("alice", "bob", "mallory")
    if kind == tarfile.CONTTYPE:  # an ordinary file by another name
        assert len(intake.submissions) == 4
    else:
        assert who(intake) == GRADED
        assert list(reasons(intake)) == ["mallory/05.py"]
        assert ("link" in reasons(intake)["mallory/05.py"]) == (kind in (tarfile.SYMTYPE, tarfile.LNKTYPE))


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip(tmp_path: Path, mode: int) -> None:
    path = save(tmp_path / "a.zip", zipped(CLASS))
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("mallory/05.py")
        info.create_system, info.external_attr = 3, (mode | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    intake = read_submissions(path, NAMES)
    assert who(intake) == GRADED
    assert list(reasons(intake)) == ["mallory/05.py"]


def test_a_zip_with_a_password_or_a_rare_method(tmp_path: Path) -> None:
    data = bytearray(zipped({**CLASS, "mallory/05.py": "x"}))
    at = data.rindex(b"PK\1\2")
    data[at + 8] |= 1
    intake = read_submissions(save(tmp_path / "a.zip", bytes(data)), NAMES)
    assert "password" in reasons(intake)["mallory/05.py"]
    with zipfile.ZipFile(save(tmp_path / "b.zip", zipped(CLASS)), "a") as archive:
        archive.writestr("mallory/05.py", b"\0" * 1000, zipfile.ZIP_BZIP2)
    intake = read_submissions(tmp_path / "b.zip", NAMES)
    assert who(intake) == GRADED
    assert "ordinary zip" in reasons(intake)["mallory/05.py"]


def test_a_zip_that_lies_about_a_size(tmp_path: Path) -> None:
    data = bytearray(zipped({**CLASS, "mallory/05.py": "x" * (4 * MAX_PYTHON)}))
    at = data.rindex(b"PK\1\2")
    assert int.from_bytes(data[at + 24 : at + 28], "little") == 4 * MAX_PYTHON
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    intake = read_submissions(save(tmp_path / "a.zip", bytes(data)), NAMES)
    assert who(intake) == GRADED
    assert "damaged" in reasons(intake)["mallory/05.py"]


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MAX_UNPACKED", 8 << 20)
    monkeypatch.setattr(submissions_module, "MAX_OF_STUDENT", 6 << 20)
    zeros = bytes(2 << 20)
    # One student's bomb costs that student, and nobody else.
    for name, data in (
        ("one.zip", zipped({"a/38.py": zeros, **CLASS})),
        ("many.zip", zipped({**{f"a/{at}/16.ipynb": zeros for at in range(50)}, **CLASS})),
        ("inner.zip", zipped({"mallory.zip": zipped({"16.py": bytes(20 << 20)}), **CLASS})),
        ("inner.tgz", tarred({"mallory.tgz": tarred({"16.py": bytes(20 << 20)}), **CLASS})),
    ):
        intake = read_submissions(save(tmp_path / name, data), NAMES)
        assert [one for one in who(intake) if one[0] in ("alice", "bob")] == GRADED
        assert intake.unreadable
    # A tar has to be unpacked to its end, so the bomb ends it; what was read before counts, and all is said.
    for name, data in (
        ("a.tgz", tarred({**CLASS, "z/38.py": bytes(12 << 20), "zz/05.py": ""})),
        ("a.txz", tarred({**CLASS, "z/38.py": bytes(12 << 20)}, "w:xz")),
        ("a.tbz2", tarred({**CLASS, "z/38.py": bytes(12 << 20)}, "w:bz2")),
    ):
        intake = read_submissions(save(tmp_path / name, data), NAMES)
        assert who(intake) == GRADED
        said = reasons(intake)
        assert "larger than 1 MiB" in said["z/38.py"]
        assert "unpacks to more than" in said[name.split(".")[0]]


def test_what_a_bomb_makes_of_memory_and_time(tmp_path: Path) -> None:
    """The real limits, in a process that may hold 400 MiB."""
    whole = tarred(CLASS, "w:")[: 3 * 1024]
    endless = tarfile.TarInfo("mallory/05.py")
    endless.size = 4 << 30
    save(tmp_path / "bomb.tar.gz", gzip.compress(whole + endless.tobuf()) + gzip.compress(bytes(1 << 20)) * 600)
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 600 << 20
    save(tmp_path / "header.tar.gz", gzip.compress(whole + header.tobuf()) + gzip.compress(bytes(1 << 20)) * 500)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (400 << 20,) * 2)\n"
        "from pathlib import Path\n"
        "from grader.intake.submissions import read_submissions\n"
        f"for name in ('bomb', 'header'):\n"
        f"    i = read_submissions(Path({str(tmp_path)!r}, name + '.tar.gz'), {NAMES!r})\n"
        "    print(len(i.submissions), [u.reason for u in i.unreadable])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    first, second = told.splitlines()
    assert first.startswith("3 ")
    assert "unpacks to more than 512 MiB" in first
    assert second.startswith("3 ")
    assert "endless name" in second


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tarred", "zipped"):
        monkeypatch.setattr(f"grader.intake.{module}.MAX_ENTRIES", 20)
    files = {**CLASS, **{f"mallory/{at}.py": "" for at in range(30)}}
    with pytest.raises(BadFile, match="more than 20 entries"):
        read_submissions(save(tmp_path / "a.zip", zipped(files)), NAMES)
    intake = read_submissions(save(tmp_path / "a.tar", tarred(files)), NAMES)
    assert "more than 20 entries" in reasons(intake)["a"]
    assert [one for one in who(intake) if one[0] != "mallory"] == GRADED


def test_a_table_of_contents_that_is_too_large(tmp_path: Path) -> None:
    data = bytearray(zipped(CLASS))
    at = data.rindex(b"PK\5\6")
    data = data[:at] + bytes(20 << 20) + data[at:]
    at += 20 << 20
    data[at + 12 : at + 16] = (20 << 20).to_bytes(4, "little")
    with pytest.raises(BadFile, match="table of contents"):
        read_submissions(save(tmp_path / "a.zip", bytes(data)), NAMES)


def test_a_thousand_useless_files_are_counted(tmp_path: Path) -> None:
    place = lay(tmp_path / "in", {**CLASS, **{f"mallory/{at:04}.doc": "" for at in range(1000)}})
    lay(place, {"bob/env/pyvenv.cfg": "", "bob/env/lib/05.py": "not bob's", "bob/env/lib/16.py": ""})
    intake = read_submissions(place, NAMES)
    assert who(intake) == GRADED
    assert len(intake.unreadable) == 102
    assert "900 more" in reasons(intake)["mallory"]
    assert "Python environment" in reasons(intake)["bob/env"]


def test_archives_in_archives_in_archives(tmp_path: Path) -> None:
    nested = zipped({"05.py": "x", "more.zip": zipped({"16.py": "y"})})
    intake = read_submissions(save(tmp_path / "a.zip", zipped({"mallory/w.zip": nested, **CLASS})), NAMES)
    assert ("mallory", VIEW) in who(intake)
    assert "archive inside an archive" in reasons(intake)["mallory/w.zip/more.zip"]


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.txz", "a.tbz2"])
def test_a_damaged_archive_says_so_and_never_raises(tmp_path: Path, name: str) -> None:
    files = {**CLASS, **{f"s{at}/16.py": os.urandom(500).hex() for at in range(20)}}
    mode = {"a.tar": "w:", "a.tgz": "w:gz", "a.txz": "w:xz", "a.tbz2": "w:bz2"}.get(name)
    data = zipped(files) if mode is None else tarred(files, mode)
    whole = len(read_submissions(save(tmp_path / name, data), NAMES).submissions)
    assert whole == 23
    for cut in range(0, len(data), len(data) // 40):
        try:
            intake = read_submissions(save(tmp_path / name, data[:cut]), NAMES)
        except BadFile:
            continue
        # The last bytes of a compressed archive are only its padding.
        assert intake.unreadable or len(intake.submissions) == whole
    for at in range(0, len(data), len(data) // 60):
        broken = bytearray(data)
        broken[at : at + 3] = b"\xff\x00\xff"
        try:
            intake = read_submissions(save(tmp_path / name, bytes(broken)), NAMES)
        except BadFile:
            continue
        assert intake.submissions or intake.unreadable


def test_a_cut_at_a_border_is_seen(tmp_path: Path) -> None:
    data = tarred(CLASS, "w:")
    intake = read_submissions(save(tmp_path / "a.tar", data[: 4 * 512]), NAMES)
    assert len(intake.submissions) == 2
    assert "too early" in reasons(intake)["a"]


def test_a_joined_xz_is_read_to_its_end(tmp_path: Path) -> None:
    import lzma

    data = tarred(CLASS, "w:")
    parts = lzma.compress(data[:700]) + b"\0" * 8 + lzma.compress(data[700:])
    assert who(read_submissions(save(tmp_path / "a.tar.xz", parts), NAMES)) == GRADED
    parts = bz2.compress(data[:700]) + bz2.compress(data[700:])
    assert who(read_submissions(save(tmp_path / "a.tar.bz2", parts), NAMES)) == GRADED


# Workspace


def exercise(name: str) -> Exercise:
    return Exercise(
        name, int(name[:2]), {"en": name}, 1.0, (), 10, (), Limits(), (), {}, Path("exercises", name), Path("solutions")
    )


STUBS = [(exercise(name), f"# {name}\n") for name in NAMES]


def test_a_workspace_is_made_and_found_from_below(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "course", STUBS, language="zh", pack='C:\\my "pack"')
    assert len(made.written) == len(NAMES) + 1
    assert made.kept == ()
    deep = tmp_path / "course/a/b"
    deep.mkdir(parents=True)
    found = workspace.find(deep)
    assert found == made.workspace == workspace.Workspace(tmp_path / "course", "zh", 'C:\\my "pack"')
    assert found.file_for(STUBS[1][0]).read_text() == f"# {VIEW}\n"
    assert workspace.find(tmp_path) is None


def test_making_it_again_overwrites_nothing(tmp_path: Path) -> None:
    lay(tmp_path, {f"{VIEW}.py": "mine", "learn.toml": 'format = 1\nlanguage = "zh"\n'})
    made = workspace.create(tmp_path, STUBS)
    assert set(made.kept) == {tmp_path / f"{VIEW}.py", tmp_path / "learn.toml"}
    assert len(made.written) == len(NAMES) - 1
    assert (tmp_path / f"{VIEW}.py").read_text() == "mine"
    assert made.workspace.language == "zh"


def test_reset_keeps_every_version(tmp_path: Path) -> None:
    work = workspace.create(tmp_path, STUBS).workspace
    one, stub = STUBS[1]
    copies = []
    for text in ("first", "second", "third"):
        work.file_for(one).write_text(text)
        copies.append(work.reset(one, stub))
        assert work.file_for(one).read_text() == stub
    assert [copy.read_text() for copy in copies if copy] == ["first", "second", "third"]
    assert {copy.parent for copy in copies if copy} == {tmp_path / "kept"}
    assert all(copy and copy.name.startswith(f"{VIEW}.2") and copy.suffix == ".py" for copy in copies)
    work.file_for(one).unlink()
    assert work.reset(one, stub) is None
    assert work.file_for(one).read_text() == stub
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_reset_that_fails_loses_nothing(tmp_path: Path) -> None:
    work = workspace.create(tmp_path, STUBS).workspace
    one, stub = STUBS[1]
    work.file_for(one).write_text("mine")
    (tmp_path / "kept").write_text("in the way")
    with pytest.raises(BadFile, match="can't be reset"):
        work.reset(one, stub)
    assert work.file_for(one).read_text() == "mine"


@pytest.mark.parametrize(
    "text", ["format = ", "format = 2", "format = 1\nlanguage = 7", "", b"\xff", 'format = 1\npack = ["a"]']
)
def test_a_broken_marker_is_said_so(tmp_path: Path, text: str | bytes) -> None:
    lay(tmp_path, {"learn.toml": text})
    with pytest.raises(BadFile, match=r"learn\.toml"):
        workspace.find(tmp_path)


def test_a_workspace_where_none_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="can't be made"):
        workspace.create(tmp_path / "file", STUBS)


def test_intake_imports_only_core_and_never_torch() -> None:
    code = (
        "import sys, grader.intake.submissions, grader.intake.workspace\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'nbformat')"
        " or m.startswith('grader.') and m.split('.')[1] not in ('core', 'intake')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
