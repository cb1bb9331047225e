"""`learn release`: students get what they need and nothing that is hidden, and nothing of anybody's is lost."""

import hashlib
import io
import json
import shutil
import tomllib
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.catalogue import Catalogue, content_root
from grader.cli import cli
from grader.core.grade import LatePolicy, moment
from grader.core.submission import Submission
from grader.desk.release import in_words
from grader.intake.read import read_file

LONG = 30
"""A line longer than this, if it stands in no stub or README, stands in a hidden file for a reason of its own."""


def release(out, *words):
    return CliRunner().invoke(cli, ["release", str(out), *map(str, words)])


def everything(folder):
    """Every file by its path, the archive's files too."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name, data in list(files.items()):
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                files |= {f"{name}!{entry}": archive.read(entry) for entry in archive.namelist()}
    return files


def hidden_lines(root):
    """The lines that tell something which only hidden files hold, each with its file."""
    known, hidden = set(), {}
    for path in (root / "exercises").rglob("*"):
        if path.is_file() and (path.name == "stub.py" or path.name.startswith("README")):
            known |= {line.strip() for line in path.read_text().splitlines()}
        elif path.name == "exercise.toml":
            known |= {line.strip() for line in path.read_text().splitlines() if line.startswith("title")}
    secret = [*(root / "solutions").glob("*.py")]
    for name in ("checks.py", "scenes.py", "exercise.toml", "wrong/*.py", "right/*.py"):
        secret += (root / "exercises").glob(f"*/{name}")
    for path in secret:
        for line in map(str.strip, path.read_text().splitlines()):
            if len(line) > LONG and line not in known:
                hidden[line] = path
    return hidden


def leaks(folder, root):
    """Lines of hidden files in what is released."""
    hidden = hidden_lines(root)
    assert hidden
    found = []
    for name, data in everything(folder).items():
        text = data.decode(errors="replace")
        if name.endswith(".ipynb"):
            text += "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        lines = {line.strip() for line in text.splitlines()}
        found += [(name, line, hidden[line].name) for line in lines & hidden.keys()]
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A release of all exercises with all that can be in one."""
    out = tmp_path_factory.mktemp("release") / "out"
    told = release(out, "--due", "2026-05-31", "--late", "10%", "--notebooks", "--zip", "--title", "Week 3 | shapes")
    assert told.exit_code == 0, told.output
    return out


def test_a_release_of_everything_tells_nothing_hidden(whole):
    assert leaks(whole, content_root()) == []


@pytest.mark.parametrize("of", ["checks.py", "wrong", "solution", "hint"])
def test_that_test_can_fail(whole, tmp_path, of):
    planted = tmp_path / "planted"
    shutil.copytree(whole, planted)
    exercise = Catalogue.load().find("05")
    source = {
        "checks.py": exercise.checks,
        "wrong": next((exercise.folder / "wrong").glob("*.py")),
        "solution": exercise.solution,
        "hint": exercise.folder / "exercise.toml",
    }[of]
    line = next(line for line, path in hidden_lines(content_root()).items() if path == source)
    if of == "wrong":
        file = planted / "05_view_vs_reshape/05_view_vs_reshape.ipynb"
        file.write_text(file.read_text().replace('"source": [', '"source": [\n' + json.dumps(line + "\n") + ",", 1))
    else:
        with open(planted / "README.md", "a") as readme:
            readme.write(f"   {line}\n")
    assert [(name, found) for name, found, _ in leaks(planted, content_root())] == [
        ("05_view_vs_reshape/05_view_vs_reshape.ipynb" if of == "wrong" else "README.md", line)
    ]


def test_only_files_of_the_three_kinds_are_in_it(whole):
    catalogue = Catalogue.load()
    expected = {"README.md", "release.toml", "week-3-shapes.zip"}
    for exercise in catalogue:
        expected |= {f"{exercise.name}/{name}" for name in (exercise.file_name, f"{exercise.name}.ipynb")}
        expected |= {f"{exercise.name}/{path.name}" for path in exercise.folder.glob("README*.md")}
        assert (whole / exercise.name / exercise.file_name).read_text() == exercise.stub.read_text()
    files = everything(whole)
    assert {name for name in files if "!" not in name} == expected
    packed = {name.partition("!week-3-shapes/")[2] for name in files if "!" in name}
    assert packed == expected - {"release.toml", "week-3-shapes.zip"}
    for name in packed:
        assert files[name] == files[f"week-3-shapes.zip!week-3-shapes/{name}"]


def test_the_front_page_says_what_students_ask(whole):
    text = (whole / "README.md").read_text()
    assert text.startswith("# Week 3 \\| shapes\n")
    assert "the end of Sunday, 31 May 2026" in text
    assert "Handing in late costs 10% of what was earned for each day that was begun." in text
    for exercise in Catalogue.load():
        assert f"| {exercise.points:g} |" in next(line for line in text.splitlines() if exercise.name in line)
    assert "learn check 04_cat_and_stack/04_cat_and_stack.py" in text
    assert "hand in one file" in text


def test_the_marker_holds_what_was_released(whole):
    said = tomllib.loads((whole / "release.toml").read_text())
    catalogue = Catalogue.load()
    assert said["format"] == 1
    assert datetime.fromisoformat(said["due"]) == moment("2026-05-31")
    assert LatePolicy.parse(said["late"]) == LatePolicy(0.1)
    assert [(one["name"], one["digest"]) for one in said["exercises"]] == [(e.name, e.digest) for e in catalogue]
    for name, sha in said["files"].items():
        assert hashlib.sha256((whole / name).read_bytes()).hexdigest() == sha


def test_the_same_input_gives_the_same_bytes(whole, tmp_path):
    words = ("--due", "2026-05-31", "--late", "10%", "--notebooks", "--zip", "--title", "Week 3 | shapes")
    assert release(tmp_path / "again", *words).exit_code == 0
    assert everything(tmp_path / "again") == everything(whole)
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*")}
    assert "0 files written" in release(whole, *words).output
    assert before == {path: path.stat().st_mtime_ns for path in whole.rglob("*")}


def test_what_students_get_can_be_checked_and_is_the_stub(whole):
    for exercise in Catalogue.load():
        for name in (exercise.file_name, f"{exercise.name}.ipynb"):
            read = read_file(whole / exercise.name / name)
            assert isinstance(read, Submission)
            assert read.notes == ()
            assert essence(read.source) == essence(exercise.stub.read_text())


def essence(text):
    return [line.rstrip() for line in text.splitlines() if line.strip()]


# -- a private pack


@pytest.fixture
def private(tmp_path, probe_pack):
    """A pack that students do not have, with READMEs in two languages and notes that are nobody's business."""
    shutil.copytree(probe_pack, tmp_path / "pack")
    folder = tmp_path / "pack/exercises/01_probe"
    (folder / "README.md").write_text("# Probe\n\nDouble a tensor, count, draw noise.\n")
    (folder / "README.zh.md").write_text("# 探针\n")
    (folder / "README.solution.md").write_text("What the answer is, for those who teach this.\n")
    (folder / "notes.md").write_text("Last year half of the class copied this one.\n")
    return tmp_path / "pack"


def test_a_private_pack_is_released_to_work_with_and_to_be_graded(private, tmp_path):
    out = tmp_path / "out"
    told = release(out, "--pack", private, "--notebooks", "--zip")
    assert told.exit_code == 0, told.output
    assert "can't check" in told.output
    assert leaks(out, private) == []
    names = {name for name in everything(out) if "!" not in name}
    assert names == {
        "README.md", "release.toml", "exercises.zip",
        "01_probe/README.md", "01_probe/README.zh.md", "01_probe/01_probe.py", "01_probe/01_probe.ipynb",
    }  # fmt: skip
    front = (out / "README.md").read_text()
    assert "learn check" not in front
    assert "To check yourself" not in front
    # The notebook has no magic that would fail on a student's machine.
    book = (out / "01_probe/01_probe.ipynb").read_text()
    assert "load_ext" not in book
    assert "%%check" not in book
    for kind in ("py", "ipynb"):
        read = read_file(out / f"01_probe/01_probe.{kind}")
        assert isinstance(read, Submission)
        assert essence(read.source) == essence((private / "exercises/01_probe/stub.py").read_text())


def test_the_leak_test_sees_a_private_pack_too(private, tmp_path):
    out = tmp_path / "out"
    release(out, "--pack", private)
    shutil.copy(private / "exercises/01_probe/checks.py", out / "01_probe/01_probe.py")
    assert leaks(out, private)


# -- a second release into the same folder


def test_a_second_release_changes_what_changed_and_nothing_else(private, tmp_path):
    out = tmp_path / "out"
    release(out, "--pack", private, "--notebooks", "--zip")
    (out / "01_probe/students_own.txt").write_text("mine")
    (out / ".git").mkdir()
    before = (out / "01_probe/01_probe.py").stat().st_mtime_ns
    (private / "exercises/01_probe/README.md").write_text("# Probe\n\nDouble a tensor, twice.\n")
    told = release(out, "--pack", private)
    assert told.exit_code == 0, told.output
    assert "twice" in (out / "01_probe/README.md").read_text()
    assert (out / "01_probe/01_probe.py").stat().st_mtime_ns == before
    assert not (out / "01_probe/01_probe.ipynb").exists()
    assert not (out / "exercises.zip").exists()
    assert (out / "01_probe/students_own.txt").read_text() == "mine"


def test_what_somebody_changed_is_neither_overwritten_nor_removed(private, tmp_path):
    out = tmp_path / "out"
    release(out, "--pack", private, "--notebooks")
    (out / "01_probe/01_probe.py").write_text("# an hour of work\n")
    (out / "01_probe/01_probe.ipynb").write_text("my notebook")
    (private / "exercises/01_probe/stub.py").write_text("def double(x):\n    raise NotImplementedError\n")
    before = everything(out)
    told = release(out, "--pack", private)
    assert told.exit_code == 2
    assert "01_probe.py was not written by" in told.output
    assert everything(out) == before
    (out / "01_probe/01_probe.py").unlink()
    told = release(out, "--pack", private)
    assert told.exit_code == 0, told.output
    assert "01_probe.ipynb is released no more" in told.output
    assert (out / "01_probe/01_probe.ipynb").read_text() == "my notebook"


def test_a_release_that_was_broken_off_is_finished(private, tmp_path):
    out = tmp_path / "out"
    release(out, "--pack", private)
    whole = everything(out)
    for path in (out / "README.md", out / "01_probe/01_probe.py"):
        path.unlink()
    assert release(out, "--pack", private).exit_code == 0
    assert everything(out) == whole


def test_a_folder_of_somebody_elses_is_refused(private, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("x")
    told = release(mine, "--pack", private)
    assert told.exit_code == 2
    assert "not empty" in told.output
    assert [path.name for path in mine.iterdir()] == ["thesis.tex"]
    assert release(mine / "thesis.tex", "--pack", private).exit_code == 2


@pytest.mark.parametrize(
    "marker",
    [
        "nonsense",
        "format = 99\n[files]\n",
        'format = 1\n[files]\n"../victim.txt" = "{sha}"\n',
        'format = 1\n[files]\n"/etc/hostname" = "{sha}"\n',
        'format = 1\n[files]\n"a\\\\..\\\\victim.txt" = "{sha}"\n',
    ],
)
def test_a_marker_that_lies_moves_nothing_outside(private, tmp_path, marker):
    victim = tmp_path / "victim.txt"
    victim.write_text("keep me")
    out = tmp_path / "out"
    out.mkdir()
    (out / "release.toml").write_text(marker.replace("{sha}", hashlib.sha256(b"keep me").hexdigest()))
    told = release(out, "--pack", private)
    assert told.exit_code == 2, told.output
    assert "release.toml" in told.output
    assert "Traceback" not in told.output
    assert victim.read_text() == "keep me"
    assert [path.name for path in out.iterdir()] == ["release.toml"]


def test_a_link_does_not_lead_a_release_outside(private, tmp_path):
    out = tmp_path / "out"
    release(out, "--pack", private)
    elsewhere = tmp_path / "elsewhere"
    shutil.move(out / "01_probe", elsewhere)
    try:
        (out / "01_probe").symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make links")
    (private / "exercises/01_probe/stub.py").write_text("def double(x): ...\n")
    told = release(out, "--pack", private)
    assert told.exit_code == 2
    assert "link" in told.output
    assert "NotImplementedError" in (elsewhere / "01_probe.py").read_text()


# -- words


def test_wrong_words_are_told(tmp_path):
    assert "is no date" in release(tmp_path / "a", "--due", "next week").output
    assert "say --due" in release(tmp_path / "a", "--late", "zero").output
    assert "late policy" in release(tmp_path / "a", "--due", "2026-05-31", "--late", "harsh").output
    assert "learn list" in release(tmp_path / "a", "--exercise", "99").output
    assert not (tmp_path / "a").exists()


def test_due_dates_in_words():
    assert in_words(moment("2026-05-31")).startswith("the end of Sunday, 31 May 2026 (UTC")
    there = datetime(2026, 2, 1, 9, 5, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert in_words(there) == "Sunday, 1 February 2026, 09:05 (UTC-03:30)"


def test_a_title_is_text_and_no_markup(private, tmp_path):
    told = release(tmp_path / "a", "--pack", private, "--title", "<b>Week</b> [3](x)\n\x1b[31m# no", "--zip")
    assert told.exit_code == 0, told.output
    first = (tmp_path / "a/README.md").read_text().splitlines()[0]
    assert "\\<b\\>Week" in first
    assert "\x1b" not in first
    assert tomllib.loads((tmp_path / "a/release.toml").read_text())["title"].startswith("<b>Week</b>")
    assert list(tmp_path.glob("a/*.zip")) == [tmp_path / "a/b-week-b-3-x-31m-no.zip"]


def test_private_looks_like_nothing_of_this_machine(whole):
    for name, data in everything(whole).items():
        assert str(Path.home()).encode() not in data or str(Path.home()) == "/", name
        assert str(content_root()).encode() not in data, name
