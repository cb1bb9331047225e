"""A cold check: what is done first, what is left out, and that no verdict depends on it."""

import subprocess
import sys
from dataclasses import replace

import pytest

from grader.catalogue import Catalogue
from grader.core.errors import WrongUsage
from grader.core.exercise import Limits
from grader.core.verdict import Verdict
from grader.flow import check_one
from grader.judge.opening import start_host
from grader.judge.settings import Settings
from grader.sandbox import warm

ORDER = """
import subprocess, sys
import click

heavy = {"torch", "numpy", "pytest", "rich", "nbformat"}
echo, popen = click.echo, subprocess.Popen

def told(text="", **options):
    print("told after", sorted(heavy & set(sys.modules)), flush=True)
    click.echo = echo

class Spy(popen):
    def __init__(self, command, **options):
        if "grader.sandbox.zygote" in command or "grader.sandbox.spawn" in command:
            print("sandbox after", sorted(heavy & set(sys.modules)), flush=True)
        super().__init__(command, **options)

click.echo, subprocess.Popen = told, Spy
sys.argv = ["learn", "check", sys.argv[1]]
from grader.cli import main
main()
"""


@pytest.fixture
def answer(tmp_path):
    """An answer to exercise 05 in a file, in no workspace."""

    def write(source):
        file = tmp_path / "05_view_vs_reshape.py"
        file.write_text(source)
        return file

    return write


@pytest.fixture(scope="module")
def view():
    return Catalogue.load().find("05")


def test_it_speaks_and_starts_the_sandbox_before_it_imports_anything_heavy(answer, view):
    """Both import torch, at the same time: this is what keeps the promise, whatever else the machine does."""
    done = subprocess.run(
        [sys.executable, "-c", ORDER, answer(view.solution.read_text())], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("told after []\nsandbox after []\n"), done.stdout + done.stderr
    assert "Well done" in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize(("more", "code"), [("", 0), ("\ndef flatten_samples(x):\n    return x.sum()\n", 1)])
def test_what_is_written_arrives_though_the_process_is_left_at_once(answer, view, more, code):
    """Into a pipe, where nothing is written before the end; and nothing of ours is left running."""
    file = answer(view.solution.read_text() + more)
    command = [sys.executable, "-m", "grader.cli", "check", "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout.endswith("}\n")
    assert ("failed" in done.stdout) == bool(code)


def test_a_part_is_left_out_where_no_text_names_what_it_is_for():
    assert warm.parts_for(["import torch\n\n\ndef f(x):\n    return x.view(3, -1)  # compiles, optimally\n"]) == ()
    assert warm.parts_for(["x = 1", "torch.optim.SGD"]) == ("dynamo",)
    assert warm.parts_for(["from torch.utils.checkpoint import checkpoint as c"]) == ("dynamo",)
    assert warm.parts_for(["from PIL import Image"]) == ("images",)
    # Whatever leads to names unseen may lead to these.
    assert warm.parts_for(["getattr(torch, 'op' + 'tim')"]) == warm.PARTS


SPARSE = """
import sys

from grader.catalogue import Catalogue
from grader.core.submission import Submission
from grader.judge.opening import _run_in_a_sandbox, open_judge
from grader.judge.settings import Settings
from grader.sandbox import warm

sparse, files = [], []
for exercise in Catalogue.load():
    file = Submission("s", exercise.name, exercise.file_name, exercise.solution.read_text(encoding="utf-8"), "")
    if "dynamo" not in warm.parts_for(_run_in_a_sandbox([exercise], [file])):
        sparse.append(exercise)
        files.append(file)
with open_judge(sparse, Settings(seed=1), files) as judge:
    for file in files:
        print(file.exercise, judge.judge(file).status, "torch._dynamo" in sys.modules)
"""


def test_an_exercise_that_is_checked_without_a_part_has_no_use_for_it():
    """The reference answers in the judge's own process whatever the learner is asked: what it imports, they would."""
    done = subprocess.run([sys.executable, "-c", SPARSE], capture_output=True, text=True, check=False)
    told = done.stdout.splitlines()
    assert any(line.startswith("05_") for line in told), done.stdout + done.stderr
    assert all(line.endswith("passed False") for line in told), done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="there is a zygote on Linux only")
@pytest.mark.parametrize("bubblewrap", [True, False])
def test_a_child_imports_by_itself_what_was_left_out(view, submission, bubblewrap):
    """However well a learner hides it: confinement lets it, and the verdict is the same."""
    hides = """
import sys
import torch
torch.__getattribute__("op" + "tim").SGD([torch.zeros(1, requires_grad=True)], lr=0.1).step()
assert "torch._dyn" + "amo" in sys.modules
"""
    source = view.solution.read_text() + hides
    assert warm.parts_for([source]) == ()
    patient = replace(view, limits=Limits(seconds=60))
    attempt = check_one(patient, submission(source, view.name), Settings(seed=3, worker="fork", bubblewrap=bubblewrap))
    assert attempt.status is Verdict.PASSED, [(check.id, check.message) for check in attempt.checks]


def test_a_worker_that_cannot_be_had_is_refused_before_anything_starts(view):
    with pytest.raises(WrongUsage, match="fork worker"):
        start_host([view], Settings(device="cuda", worker="fork"))
