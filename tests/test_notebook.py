"""Notebooks: what we give out, what comes back as a file, and `%%check` in a real, running kernel.

The kernel and its judge cost an import of torch, so the tests that do not end them share one.
"""

import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from rich.console import Console

from grader.catalogue import Catalogue, known_answers, templates
from grader.cli import cli
from grader.core.attempt import Attempt, CheckResult
from grader.core.submission import Submission
from grader.core.verdict import Verdict
from grader.desk.notebook import notebook_of
from grader.flow import Order, grade_batch
from grader.intake.decoded import NotReadable
from grader.intake.notebook import decode
from grader.intake.running import defined, names_of, standing_alone
from grader.intake.workspace import Answer, find
from grader.report.cell import cell_html
from grader.report.terminal import show_attempt

PATIENCE = 60
RIGHT = "def double(x):\n    return x * 2\n"
WRONG = "def double(x):\n    return x + 2.0\n"


def learn(*words):
    return CliRunner().invoke(cli, list(map(str, words)))


def essence(text):
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def book_of(*cells):
    made = [cell if isinstance(cell, nbformat.NotebookNode) else new_code_cell(cell) for cell in cells]
    return str(nbformat.writes(new_notebook(cells=made)))


@pytest.fixture
def workspace(tmp_path, monkeypatch, probe_pack):
    told = learn("init", tmp_path / "w", "--pack", probe_pack)
    assert told.exit_code == 0, told.output
    monkeypatch.chdir(tmp_path / "w")
    return tmp_path / "w"


# -- our own lines in a notebook that was handed in


def test_our_own_lines_go_without_a_word_and_the_code_stays():
    text = book_of(
        "%load_ext grader",
        "%reload_ext  grader  # again\nimport math",
        f"\n%%check 05 --device cpu\n{RIGHT}",
        "if True:\n    %check 05\n%check",
    )
    read = decode(text.encode())
    assert read.notes == ()
    assert essence(read.source) == ["import math", *essence(RIGHT), "if True:", "    pass"]
    compile(read.source, "a", "exec")
    at = read.source.split("\n").index("    return x * 2") + 1
    # The head of the cell is its line 2, here: there is an empty one above.
    assert Submission("s", "e", "p", read.source, "", read.cells).where(at) == "cell 3, line 4"


def test_other_magics_are_told_of_as_before():
    read = decode(book_of("%load_ext tensorboard\n%%checkpoint\nx = 1", "%load_ext grader_of_others\ny = 1").encode())
    assert len(read.notes) == 3


def test_a_magic_of_ours_above_another_one():
    read = decode(book_of(f"%%check 05\n%%time\n{RIGHT}").encode())
    assert essence(read.source)[-1] == "    return x * 2"
    assert len(read.notes) == 1


def test_a_broken_cell_is_named_with_its_line_as_the_editor_counts():
    read = decode(book_of("x = 1", "%%check 05\ndef f(x:\n    pass").encode())
    assert read.notes[0].startswith("Cell 2 was left out: line 2")
    assert essence(read.source) == ["x = 1"]


def test_a_broken_cell_that_is_all_there_is_shows_its_line_and_caret(workspace):
    (workspace / "01_probe.ipynb").write_text(book_of("%load_ext grader", "%%check 01\ndef double(x:\n    pass"))
    told = learn("check", "01_probe.ipynb")
    assert told.exit_code == 1
    assert "SyntaxError in cell 2, line 2" in told.output
    assert "    def double(x:\n              ^" in told.output
    assert "Nothing is written yet" not in told.output


# -- the notebook that we give out


def test_every_exercise_as_a_notebook_is_its_task_and_its_stub():
    for exercise in Catalogue.load():
        text = notebook_of(exercise)
        assert text == notebook_of(exercise)
        book = nbformat.reads(text, 4)
        nbformat.validate(book)
        assert [cell.id for cell in book.cells] == ["task", "how", "load", "answer"]
        assert book.cells[0].source == exercise.readme.read_text().strip("\n")
        read = decode(text.encode())
        assert read.notes == ()
        assert essence(read.source) == essence(exercise.stub.read_text())


def test_notebook_writes_and_overwrites_nothing(workspace):
    told = learn("notebook", "01")
    assert told.exit_code == 0, told.output
    file = workspace / "01_probe.ipynb"
    assert nbformat.read(file, 4).cells[3].source.startswith("%%check 01\n")
    file.write_text("my work")
    told = learn("notebook")
    assert told.exit_code == 2
    assert "is there already" in told.output
    assert "-o FILE" in told.output
    assert learn("notebook", "--all").output.rstrip().endswith("0 notebooks written, 1 kept.")
    assert file.read_text() == "my work"
    assert learn("notebook", "01", "-o", "sub/mine.ipynb").exit_code == 0
    assert (workspace / "sub/mine.ipynb").is_file()
    assert learn("notebook", "01", "-o", "mine.txt").exit_code == 2
    assert learn("notebook", "01", "--all").exit_code == 2


def test_a_notebook_outside_of_a_workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "learn init" in learn("notebook", "05").output
    assert learn("notebook", "05", "-o", "05.ipynb").exit_code == 0
    assert learn("notebook", "--all").exit_code == 2


def test_next_says_that_a_notebook_can_be_had(workspace):
    assert "learn notebook 01" in learn("next").output
    learn("notebook", "01")
    told = learn("next").output
    assert "learn notebook" not in told
    assert str(workspace / "01_probe.ipynb") in told
    (workspace / "01_probe.py").unlink()
    assert "missing" not in learn("next").output


def test_a_notebook_in_the_learners_language(tmp_path, monkeypatch, probe_pack):
    shutil.copytree(probe_pack, tmp_path / "pack")
    (tmp_path / "pack/exercises/01_probe/README.zh.md").write_text("# 探针\n")
    learn("init", tmp_path / "w", "--pack", tmp_path / "pack", "--language", "zh")
    monkeypatch.chdir(tmp_path / "w")
    learn("notebook", "01")
    book = nbformat.read("01_probe.ipynb", 4)
    assert book.cells[0].source == "# 探针"
    assert "单元格" in book.cells[1].source


# -- which of two files is checked


def test_the_file_that_was_worked_on_is_taken(workspace, probe):
    place = find(workspace)
    file, notebook = workspace / "01_probe.py", workspace / "01_probe.ipynb"
    assert place.answer_for(probe) == Answer(file)
    learn("notebook", "01")
    assert place.answer_for(probe) == Answer(file, notebook, "is as it was given out")
    notebook.write_text(book_of("%load_ext grader", f"%%check 01\n{WRONG}"))
    assert place.answer_for(probe) == Answer(notebook, file, "is as it was given out")
    # Both worked on: the later one.
    file.write_text(RIGHT)
    os.utime(notebook, (1_000_000_000, 1_000_000_000))
    assert place.answer_for(probe) == Answer(file, notebook, "was changed before it")
    os.utime(file, (999_999_999, 999_999_999))
    assert place.answer_for(probe) == Answer(notebook, file, "was changed before it")
    # One that can't be read is somebody's work all the same.
    notebook.write_text("{ not json")
    assert place.answer_for(probe).file == notebook
    file.unlink()
    assert place.answer_for(probe) == Answer(notebook)
    notebook.unlink()
    assert place.answer_for(probe) == Answer(file)


def test_check_says_which_of_two_files_it_took(workspace):
    (workspace / "01_probe.ipynb").write_text(book_of("%load_ext grader", f"%%check 01\n{WRONG}"))
    told = learn("check")
    assert told.exit_code == 1
    assert "Taking 01_probe.ipynb; 01_probe.py is as it was given out: `learn check 01_probe.py`" in told.output
    assert "Two was added" in told.output


# -- the same answer as .py and as .ipynb


def as_notebook(source):
    """An answer as a learner's notebook has it: our magics, a cell for each function, experiments between."""
    head, *functions = re.split(r"\n\n\n(?=def |class |@)", source)
    cells = [new_markdown_cell("# Task"), "%load_ext grader", f"%matplotlib inline\n{head}"]
    for function in functions:
        cells += [f"%%check\n{function}", "!pip list\n%timeit 1 + 1"]
    return book_of(*cells)


def both_ways(tmp_path, exercise, pack, sources):
    """Grade each source as .py and as .ipynb: {name: (attempt of the .py, attempt of the .ipynb)}."""
    for name, source in sources.items():
        handed_in = notebook_of(exercise) if name == "stub" else as_notebook(source)
        for kind, text in (("py", source), ("ipynb", handed_in)):
            home = tmp_path / f"in/{name}-{kind}"
            home.mkdir(parents=True)
            (home / f"{exercise.name}.{kind}").write_text(text)
    done = grade_batch(Order(tmp_path / "in", tmp_path / "out", pack=pack, seed=5, formats=(), jobs=1, trust=True))
    attempts = {attempt.student: attempt for attempt in done.results.attempts}
    assert not done.results.unreadable
    return {name: (attempts[f"{name}-py"], attempts[f"{name}-ipynb"]) for name in sources}


def same(ours, theirs):
    def told(attempt):
        return [(c.id, c.status, c.points, c.max_points, c.message, c.misconception, c.given) for c in attempt.checks]

    return (ours.status, ours.score, told(ours)) == (theirs.status, theirs.score, told(theirs))


@pytest.mark.parametrize("which", ["01_probe", "05_view_vs_reshape"])
def test_the_same_answer_gets_the_same_score_and_messages(tmp_path, probe_pack, which):
    pack = probe_pack if which == "01_probe" else None
    exercise = Catalogue.load(pack).find(which)
    answers = [*known_answers(exercise, "wrong"), *known_answers(exercise, "right")]
    sources = {answer.path.stem: answer.source for answer in answers}
    sources |= {"solution": exercise.solution.read_text(), "stub": exercise.stub.read_text()}
    sources["raises"] = sources["solution"].replace("return ", "return 1 / 0 or ", 1)
    graded = both_ways(tmp_path, exercise, pack, sources)
    assert [name for name, pair in graded.items() if not same(*pair)] == []
    # The comparison means something: the answers differ, and so do their verdicts.
    assert graded["solution"][0].status is Verdict.PASSED
    assert graded["stub"][1].status is Verdict.NOT_ATTEMPTED
    assert graded["raises"][1].status is Verdict.ERROR
    assert not same(graded["solution"][0], graded["raises"][1])
    assert any(check.where.startswith("cell ") for check in graded["raises"][1].checks)
    assert len({pair[1].score for pair in graded.values()}) > 2


# -- what a running notebook has defined


def test_the_last_version_of_what_was_asked_for_and_what_it_uses():
    read = defined(
        [
            (1, "%load_ext grader\n"),
            (2, "import math, torch\nx = torch.zeros(3)\nprint(x)"),
            (3, "SCALE = 2\nUNUSED = slow()\n\ndef helper(x):\n    return torch.mul(x, SCALE)"),
            (4, "class Base:\n    zero = torch.zeros(1)\n\nclass Counter(Base):\n    pass\nCounter.start = 0"),
            (5, "def double(x):\n    return 'old'"),
            (6, "%%time\n@torch.no_grad()\ndef double(x):\n    return helper(x)\ndouble(x)"),
            (7, "import torch"),
            (8, "SCALE = 3\nfor x in range(3):\n    print(double(x))"),
            (9, "def broken(:"),
        ],
        ["double", "Counter", "absent"],
    )
    lines = essence(read.source)
    assert lines == essence(
        """import math, torch
def helper(x):
    return torch.mul(x, SCALE)
class Base:
    zero = torch.zeros(1)
class Counter(Base):
    pass
Counter.start = 0
@torch.no_grad()
def double(x):
    return helper(x)
import torch
SCALE = 3"""
    )
    at = read.source.split("\n").index("    return helper(x)") + 1
    assert Submission("s", "e", "p", read.source, "", read.cells).where(at) == "cell 6, line 4"


def test_a_name_that_is_looked_up_at_once_is_taken_as_it_was_then():
    history = [(1, "def make():\n    return 1"), (2, "value = make()"), (3, "def make():\n    return 2")]
    namespace: dict[str, object] = {}
    exec(defined(history, ["value"]).source, namespace)
    assert namespace["value"] == 1


def test_what_is_changed_step_by_step_keeps_its_steps():
    history = [(1, "x = 1"), (2, "x = x + 1\nif x:\n    x += 1"), (3, "t = {}\nt['a'] = x"), (4, "from math import *")]
    namespace: dict[str, object] = {}
    exec(defined(history, ["t", "x"]).source, namespace)
    assert namespace["t"] == {"a": 3}
    assert "pi" in namespace


def test_nothing_that_was_asked_for_was_run():
    with pytest.raises(NotReadable, match=r"defines double, Counter\. Run the cell"):
        defined([(1, "x = 1"), (2, "double(")], ["double", "Counter"])


def test_a_cell_takes_from_others_only_what_it_lacks():
    history = [(1, "import torch\nSCALE = 2\nprint(1)"), (2, "def double(x):\n    return 'old'")]
    alone = standing_alone(history, 3, "SCALE = 5\ndef double(x):\n    return x * SCALE\ndouble(1)")
    assert alone.cells == ()
    assert alone.source.split("\n")[1] == "SCALE = 5"  # its line 2, below the magic
    with_others = standing_alone(history, 3, "def double(x):\n    return torch.add(x, SCALE)")
    assert essence(with_others.source) == [
        "import torch",
        "SCALE = 2",
        "def double(x):",
        *essence("    return torch.add(x, SCALE)"),
    ]
    at = with_others.source.split("\n").index("def double(x):") + 1
    assert Submission("s", "e", "p", with_others.source, "", with_others.cells).where(at) == "cell 3, line 2"
    assert standing_alone(history, 3, "def double(x:\n  SCALE").source == "\ndef double(x:\n  SCALE"


def test_what_a_stub_defines(probe):
    assert names_of(probe.stub.read_text()) == ("double", "Counter", "draw_noise")


# -- a verdict as a page


def attempts(probe):
    def check(status, **more):
        points = 1.0 if status is Verdict.PASSED else 0.0
        return CheckResult(f"test_{status}", f"Check <b>{status}</b>", status, points, 1.0, **more)

    hostile = "<script>alert(1)</script>\x1b[31m {{7*7}} & \u202egnp"
    made = {
        "passed": [check(Verdict.PASSED)],
        "failed": [
            check(Verdict.PASSED),
            check(Verdict.FAILED, message=hostile, given=hostile, printed=f"{hostile}\n" * 20),
            check(Verdict.ERROR, message="Two was added.\nmore", misconception="add-for-double", where="line 2",
                  traceback="line 2, in double\n    x"),
            check(Verdict.TIMEOUT, message="It took too long."),
            check(Verdict.SKIPPED, message="It waits."),
        ],
        "syntax": [check(Verdict.ERROR, message="SyntaxError in line 1", where="line 1", traceback="def (x:\n    ^")],
        "nothing": [check(Verdict.NOT_ATTEMPTED, message="Still to be written.")],
        "ours": [check(Verdict.INTERNAL_ERROR, message="The check itself failed.")],
        "elsewhere": [check(Verdict.PASSED), check(Verdict.SKIPPED, message="needs cuda", counts=False)],
        "silent": [check(Verdict.CRASHED)],
    }  # fmt: skip
    note = {"failed": f"Cell 3 was left out: {hostile}"}
    return {
        name: Attempt(
            "you", probe.name, "this cell", "0", tuple(checks), 1, "cpu", "full", "2", note=note.get(name, "")
        )
        for name, checks in made.items()
    }


def words_of_page(page):
    """What is shown on it, without what only a screen reader says."""
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    page = re.sub(r'<span class="agb-vh">.*?</span>', "", page, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", page)).split()


@pytest.mark.parametrize("name", ["passed", "failed", "syntax", "nothing", "ours", "elsewhere", "silent"])
def test_the_page_has_the_words_of_the_terminal_in_their_order(probe, name):
    import io

    attempt = attempts(probe)[name]
    submission = Submission("you", probe.name, "this cell", RIGHT, "0")
    out = io.StringIO()
    show_attempt(attempt, probe, Console(file=out, width=200), "en", submission)
    page = cell_html(attempt, probe, templates(), "en", submission)
    said = out.getvalue().replace("line 2:  ", "line 2 : ").split()
    assert words_of_page(page) == said


def test_the_page_runs_nothing_that_a_stranger_wrote(probe):
    page = cell_html(attempts(probe)["failed"], probe, templates())
    assert "<script" not in page
    assert "<b>" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert "{{7*7}}" in page


def test_the_page_can_be_heard_and_is_not_told_by_colour_alone(probe):
    page = cell_html(attempts(probe)["failed"], probe, templates())
    assert 'aria-label="01 Probe: took too long, 1 of 5 points"' in page
    items = re.findall(r"<li>(.*?)</li>", page, flags=re.S)[:5]
    for item, verdict in zip(
        items, ("passed", "wrong answer", "raised an error", "took too long", "skipped"), strict=True
    ):
        heard = re.sub(r'<span [^>]*aria-hidden="true">.*?</span>', "", item)
        assert verdict in heard
    for pre in re.findall(r"<pre[^>]*>", page):
        assert 'tabindex="0"' in pre
        assert "aria-label=" in pre


def test_the_colours_of_the_page_can_be_read_in_both_themes():
    style = (templates() / "cell.css").read_text()
    named = dict(re.findall(r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\)", style))
    for theme in (0, 1):
        colour = {name: both.split(", ")[theme] for name, both in named.items()}
        for ink in ("ink", "soft", "good", "bad", "again"):
            assert contrast(colour[ink], colour["card"]) >= 4.5, (ink, theme)
        for page in ("inset", "warn-page", "idea-page"):
            assert contrast(colour["ink"], colour[page]) >= 4.5
        assert contrast(colour["soft"], colour["idea-page"]) >= 4.5


def contrast(one, other):
    def light(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((light(one), light(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


# -- a running notebook


class Kernel:
    """A real Jupyter kernel in a folder."""

    def __init__(self, folder):
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(folder), startup_timeout=PATIENCE)

    def run(self, code, wait=True):
        """What a cell showed: a list of messages' contents, the last version of what was replaced."""
        shown = {}

        def hear(message):
            content, kind = message["content"], message["msg_type"]
            key = content.get("transient", {}).get("display_id") or len(shown)
            if kind in ("display_data", "update_display_data", "execute_result", "stream", "error"):
                shown[key] = content | {"kind": kind}

        began = time.monotonic()
        reply = self.client.execute_interactive(code, output_hook=hear, timeout=PATIENCE)
        return Shown(list(shown.values()), reply["content"]["status"], time.monotonic() - began)

    def value(self, expression):
        (shown,) = self.run(expression).parts
        return shown["data"]["text/plain"]

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Shown:
    def __init__(self, parts, status, seconds):
        self.parts, self.status, self.seconds = parts, status, seconds

    @property
    def text(self):
        said = []
        for part in self.parts:
            said += part.get("traceback", [])
            said += [part.get("text", ""), part.get("data", {}).get("text/plain", "")]
        return "\n".join(filter(None, said))

    @property
    def html(self):
        return "".join(part.get("data", {}).get("text/html", "") for part in self.parts)


@pytest.fixture(scope="module")
def home(tmp_path_factory, probe_pack):
    folder = tmp_path_factory.mktemp("kernel") / "w"
    assert learn("init", folder, "--pack", probe_pack).exit_code == 0
    # A library's name for a file of one's own: it must not be taken for the library by the judge.
    (folder / "pytest.py").write_text("raise RuntimeError('not me')")
    return folder


@pytest.fixture(scope="module")
def running(home):
    pytest.importorskip("ipykernel")
    kernel = Kernel(home)
    assert kernel.run("%load_ext grader").parts == []
    yield kernel
    kernel.end()


def test_a_cell_is_run_and_graded(running, home, probe):
    told = running.run(f"%%check 01\nprint('ran')\n{probe.solution.read_text()}\nanswer = 42\nanswer")
    assert told.status == "ok"
    assert "ran" in told.text
    assert "42" in told.text
    assert re.search(r"01 Probe  (\d) of \1 points", told.text)
    assert "All checks pass" in told.html
    assert running.value("answer, double(3)") == "(42, 6)"
    progress = json.loads((home / ".learn/progress.json").read_text())
    assert progress["exercises"]["01_probe"]["passed_at"]


def test_the_kernel_holds_no_judge_and_no_check(running):
    running.run(f"%%check 01\n{RIGHT}")
    held = running.value(
        "import sys; [name for name in sys.modules if name.split('.')[:2][-1] in "
        "('judge', 'checks', 'catalogue', 'flow', 'sandbox', 'pytest', '_pytest')]"
    )
    assert held == "[]"


def test_the_second_verdict_comes_at_once(running):
    running.run(f"%%check 01\n{RIGHT}")
    seconds = []
    for number in range(3):
        told = running.run(f"%%check 01\n{WRONG}# {number}\n")
        assert "Two was added" in told.text
        seconds.append(told.seconds)
        time.sleep(0.5)
    # The best of three: this machine does other things too.
    assert min(seconds) < 0.5, seconds


def test_a_seed_repeats_a_check(running):
    cell = "%%check 01 --seed {}\ndef double(x):\n    return x * 2 - x.mean()\n"
    given = [re.findall(r"double\(.*", running.run(cell.format(seed)).text) for seed in (5, 5, 6)]
    assert given[0] == given[1] != given[2]
    assert given[0]


def test_a_syntax_error_is_shown_once_with_line_and_caret(running):
    told = running.run("%%check 01\ndef double(x):\n    return x *\n")
    assert "SyntaxError in line 3" in told.text
    assert re.search(r"    return x \*\n +\^", told.text)
    assert len(told.parts) == 1
    assert "^</pre>" in told.html


def test_an_error_of_the_cell_is_told_by_both(running):
    told = running.run("%%check 01\n\ndef double(x):\n    return x / 0 + missing\n\nmissing_too\n")
    assert "Your file could not be loaded" in told.text
    assert "line 6" in told.text
    (error,) = [part for part in told.parts if part["kind"] == "error"]
    assert re.search(r"line(.\[[\d;]+m|\s)*6|---> 6|6 missing_too", "".join(error["traceback"]))


def test_what_a_cell_lacks_comes_from_the_cells_before(running):
    running.run("import torch\nTWO = 2\n1 / 0")
    told = running.run("%%check 01\ndef double(x):\n    return torch.mul(x, TWO)\n")
    assert "✓" in told.text
    assert "NameError" not in told.text


def test_the_line_magic_grades_what_was_run(running, probe):
    running.run(probe.solution.read_text())
    running.run("%%time\ndef double(x):\n    return 2 * x\ndouble(1)")
    assert "All checks pass" in running.run("%check 01").text
    running.run("def double(x):\n    return x + 2.0")
    assert "Two was added" in running.run("x = 5\n%check 01 --seed 2").text


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("%%check 99\nx = 1", "learn list"),
        ("%check --fast", "No such option"),
        ("%check 01 02", "unexpected extra argument"),
        ("%check '01", "can't be read"),
        ("%%check 01 --device quantum\nx = 1", "quantum"),
        ("%%check 01 --seed soon\nx = 1", "soon"),
    ],
)
def test_what_is_wrong_is_one_sentence(running, cell, sentence):
    told = running.run(cell)
    assert told.status == "error"
    assert sentence in told.text
    said = told.text.removeprefix("Not graded.\n")
    assert said.startswith("learn: ")
    assert "\n" not in said
    assert "Traceback" not in told.text


def test_an_interrupt_ends_the_wait_and_not_the_judge(running):
    before = judges(running)
    message = running.client.execute("%%check 01\ndef double(x):\n    while True: pass\n")
    time.sleep(1)
    running.manager.interrupt_kernel()
    reply = running.client.get_shell_msg(timeout=PATIENCE)
    while reply["parent_header"].get("msg_id") != message:
        reply = running.client.get_shell_msg(timeout=PATIENCE)
    assert reply["content"]["status"] == "error"
    assert "Interrupted" in reply["content"]["evalue"]
    told = running.run(f"%%check 01\n{WRONG}")
    assert "Two was added" in told.text
    assert judges(running) == before


def test_a_judge_that_died_is_told_and_replaced(running):
    (judge,) = judges(running)
    running.run(f"%%check 01\n{RIGHT}")
    os.kill(judge, signal.SIGKILL)
    told = running.run(f"%%check 01\n{WRONG}")
    if told.status == "error":
        # It died between our looking and our asking.
        assert "ended by itself" in told.text
        told = running.run(f"%%check 01\n{WRONG}")
    assert "Two was added" in told.text
    assert judges(running) != {judge}


def judges(kernel):
    """The processes that judge on the CPU."""
    found = kernel.value(
        "import grader.cli._magic as m; [j._process.pid for (_, d), j in m._judges.items() if d == 'cpu' and j.alive]"
    )
    return set(json.loads(found))


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", ["killed", "unloaded"])
def test_the_judge_ends_with_the_kernel(home, how):
    pytest.importorskip("ipykernel")
    kernel = Kernel(home)
    try:
        kernel.run("%load_ext grader")
        kernel.run(f"%%check 01\n{RIGHT}")
        (judge,) = judges(kernel)
        assert not is_gone(judge)
        if how == "killed":
            os.kill(int(kernel.value("import os; os.getpid()")), signal.SIGKILL)
        else:
            kernel.run("%unload_ext grader")
            assert "not found" in kernel.run("%check 01").text
        deadline = time.monotonic() + PATIENCE
        while not is_gone(judge):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        kernel.end()


def test_a_notebook_of_ours_runs_from_top_to_bottom(home, probe):
    """As `jupyter execute` runs it, outside of any workspace too."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    elsewhere = home.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    assert learn("notebook", "05", "-o", elsewhere / "05_view_vs_reshape.ipynb").exit_code == 0
    book = nbformat.read(elsewhere / "05_view_vs_reshape.ipynb", 4)
    solution = Catalogue.load().find("05").solution.read_text()
    book.cells += [new_code_cell(f"%%check 05\n{solution}"), new_code_cell("%check 05")]
    nbclient.NotebookClient(
        book, timeout=PATIENCE, kernel_name="python3", resources={"metadata": {"path": str(elsewhere)}}
    ).execute()
    said = [
        "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        for cell in book.cells
        if cell.cell_type == "code"
    ]
    assert "Nothing is written yet" in said[1]
    assert "12 of 12 points" in said[2]
    assert "12 of 12 points" in said[3]
    assert [path.name for path in elsewhere.iterdir()] == ["05_view_vs_reshape.ipynb"]


def test_in_plain_ipython(home, probe):
    pytest.importorskip("IPython")
    script = f"%load_ext grader\n%check 01\n%%check 01\n{RIGHT}\n\n\n%check 01\nexit\n"
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        input=script, capture_output=True, text=True, cwd=home, timeout=PATIENCE * 2, check=False,
        env={**os.environ, "IPYTHONDIR": str(home.parent / "ipython"), "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "No cell that was run defines" in done.stdout
    assert done.stdout.count("01 Probe  ") == 2, done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_workspace_that_cannot_be_read_is_told_in_a_sentence(tmp_path, running):
    (tmp_path / "learn.toml").write_text("nonsense")
    told = running.run(f"import os; here = os.getcwd(); os.chdir({str(tmp_path)!r})\n%check 01")
    assert "learn.toml can't be read" in told.text
    assert "Traceback" not in told.text
    running.run("os.chdir(here)")


def test_a_pack_that_is_gone_is_told_in_a_sentence(tmp_path, running):
    (tmp_path / "learn.toml").write_text(f'format = 1\npack = "{tmp_path / "gone"}"\n')
    told = running.run(f"import os; here = os.getcwd(); os.chdir({str(tmp_path)!r})\n%check 01")
    assert "has no folder exercises/" in told.text
    assert "Traceback" not in told.text
    running.run("os.chdir(here)")
