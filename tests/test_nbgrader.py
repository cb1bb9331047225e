"""A course of the real nbgrader: exercises go in, submissions come back, and everybody says the same."""

import ast
import csv
import html
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.catalogue import Catalogue
from grader.cli import cli
from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import BadExercise, BadFile, WrongUsage
from grader.core.grade import DueDates, LatePolicy
from grader.core.submission import HandedIn, SaidBy, Submission, Unreadable
from grader.core.verdict import Verdict
from grader.desk.nbgrader_cell import judged
from grader.desk.nbgrader_course import Course, answer_cell, make_source, write_scores
from grader.flow import Order, check_several, grade_batch
from grader.intake.read import read_file
from grader.judge.settings import Settings
from grader.ledger.gradebook import Gradebook, RunInfo
from grader.ledger.nbgrader_gradebook import NbgraderGradebook

# nbgrader's programs take a while to start, and run a kernel for each student.
pytestmark = pytest.mark.timeout(900)

PACK = Path(__file__).parent / "pack"
EXERCISE = "05_view_vs_reshape"
SEED = 5
CHECKS = {"test_double": 2.0, "test_double_int": 1.0, "test_counter": 1.0, "test_noise": 1.0, "test_scene": 1.0}
"""Those of 01_probe that count without CUDA."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What Jupyter keeps for a user lies in a folder of this test."""
    home = tmp_path_factory.mktemp("home")
    names = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    # Its programs start each other by name: the environment that it lies in is active for who uses it.
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {name: str(home / name) for name in names} | {"JUPYTER_NO_CONFIG": "1", "PATH": path}


@pytest.fixture(scope="module")
def nbgrader(environment):
    """Run one of nbgrader's programs in the folder of a course."""

    def run(folder, *words, fails=False):
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def learn(*words, code=0):
    told = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert told.exit_code == code, told.output
    return told.output


# ----------------------------------------------------------------------------------------------- the round trip


@dataclass(frozen=True)
class RoundTrip:
    folder: Path
    out: Path
    sources: dict[str, str]
    """What each student wrote into the solution cell."""
    released: str
    exported: dict[str, float]
    """By nbgrader alone."""
    graded: dict[str, Attempt]
    """By `learn grade` on the submitted tree."""
    as_python: dict[str, Attempt]
    """By `learn grade` on the same code in .py files."""


@pytest.fixture(scope="module")
def trip(tmp_path_factory, nbgrader):
    """Source, generate, release, submit, autograde, feedback, export; and `learn grade` on what was submitted."""
    import nbformat

    base = tmp_path_factory.mktemp("nbgrader")
    folder = base / "course"
    folder.mkdir()
    learn("nbgrader", "source", folder, "ps1", "--exercise", "05")
    terms = json.loads((folder / "autogradebook.json").read_text())
    (folder / "autogradebook.json").write_text(json.dumps(terms | {"seed": SEED}))
    nbgrader(folder, "generate_assignment", "ps1")

    released = folder / "release/ps1" / f"{EXERCISE}.ipynb"
    exercise = Catalogue.load().find(EXERCISE)
    stub = cell(nbformat.read(released, 4), "answer").source
    written = cell(nbformat.read(folder / "source/ps1" / f"{EXERCISE}.ipynb", 4), "answer").source
    sources = {
        "right": written,
        "wrong": (exercise.folder / "wrong/a_row_for_each_channel.py").read_text(),
        # One function of the solution in the stub; all others are as they were given out.
        "partial": stub.replace('raise NotImplementedError("TODO")', "return batch.reshape(len(batch), -1)", 1),
        "raises": f"{written}\n\nraise ValueError('<img src=x onerror=alert(1)> oops')",
    }
    python = []
    for student, source in sources.items():
        notebook = nbformat.read(released, 4)
        cell(notebook, "answer").source = source
        if student == "raises":
            tried = ["%matplotlib inline\n!ls", "def broken(:\n    pass"]
            notebook.cells[1:1] = [nbformat.v4.new_code_cell(text) for text in tried]
        place = folder / "submitted" / student / "ps1"
        place.mkdir(parents=True)
        nbformat.write(notebook, place / released.name)
        (base / f"{EXERCISE}.py").write_text(source)
        python.append(read_file(base / f"{EXERCISE}.py", student, EXERCISE))
    nbgrader(folder, "autograde", "ps1")
    nbgrader(folder, "generate_feedback", "ps1")
    return RoundTrip(
        folder,
        base / "out",
        sources,
        released.read_text(),
        export(folder, nbgrader),
        graded(folder, base / "out"),
        {one.student: one for one in check_several([(exercise, one) for one in python], Settings(SEED))},
    )


def cell(notebook, name):
    return next(one for one in notebook.cells if one.metadata.nbgrader.grade_id == name)


def export(folder, nbgrader):
    nbgrader(folder, "export", "--to", "exported.csv")
    with open(folder / "exported.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["student_id"]: float(row["score"]) for row in rows if row["assignment"] == "ps1"}


def graded(place, out):
    order = Order(place, out, seed=SEED, formats=("json",), trust=True, jobs=1)
    return {attempt.student: attempt for attempt in grade_batch(order).results.attempts}


def test_scores_are_those_of_learn_grade(trip):
    assert trip.exported == {student: attempt.score for student, attempt in trip.graded.items()}
    assert trip.exported["right"] == 12.0
    assert trip.exported["raises"] == 0.0
    assert 0 < trip.exported["partial"] < trip.exported["wrong"] < 12.0


def test_the_same_as_py_as_ipynb_and_through_nbgrader(trip):
    """Score and message of each check; the place is named as the learner knows it, "line 7" or "cell 3, line 7"."""
    for student, attempt in trip.graded.items():
        told = [(check.id, check.status, check.points, check.message) for check in attempt.checks]
        python = trip.as_python[student]
        assert told == [(check.id, check.status, check.points, check.message) for check in python.checks]
        outputs = outputs_of(trip.folder, student)
        for check in attempt.checks:
            text, value = outputs[check.id]
            assert value == check.points
            assert text.startswith(f"{check.title}: {check.status.words} ("), text
            assert unspaced(check.message) in unspaced(text)
            assert check.where in text
            assert unspaced(check.given) in unspaced(text)
    assert {check.status for attempt in trip.graded.values() for check in attempt.checks} == {
        Verdict.PASSED, Verdict.FAILED, Verdict.ERROR, Verdict.NOT_ATTEMPTED
    }  # fmt: skip


def outputs_of(folder, student):
    """What each test cell of the autograded notebook printed, and its value."""
    import nbformat

    notebook = nbformat.read(folder / "autograded" / student / "ps1" / f"{EXERCISE}.ipynb", 4)
    found = {}
    for one in notebook.cells:
        if one.metadata.get("nbgrader", {}).get("grade"):
            stream, result = one.outputs  # and nothing else: a word on stderr would be a zero
            assert stream.name == "stdout"
            found[one.metadata.nbgrader.grade_id] = stream.text, float(result.data["text/plain"])
    return found


def unspaced(text):
    return re.sub(r"\s+", "", text)


def test_messages_are_in_the_feedback_and_checks_are_not(trip):
    exercise = Catalogue.load().find(EXERCISE)
    hidden = [line.strip() for line in exercise.checks.read_text().splitlines() if len(line.strip()) > 24]
    hidden = [line for line in hidden if not line.startswith(('"""', "import ", "@"))]  # docstrings are the titles
    assert len(hidden) > 50
    for student, attempt in trip.graded.items():
        page = (trip.folder / "feedback" / student / "ps1" / f"{EXERCISE}.html").read_text()
        shown = unspaced(html.unescape(re.sub(r"<[^>]*>", "", page)))
        for check in attempt.checks:
            assert unspaced(f"{check.title}: {check.status.words}") in shown
            assert unspaced(check.message) in shown, (student, check.id)
        for line in hidden:
            assert unspaced(line) not in shown, (student, line)
    page = (trip.folder / "feedback/raises/ps1" / f"{EXERCISE}.html").read_text()
    shown = unspaced(html.unescape(re.sub(r"<[^>]*>", "", page)))
    assert "<imgsrc=xonerror" in shown
    assert "<img src=x onerror" not in page
    assert "Cell2,line1wasleftout,itisnotPython:%matplotlibinline" in shown
    assert "Cell3wasleftout:line1,invalidsyntax." in shown


def test_students_receive_the_stub_and_nothing_hidden(trip):
    exercise = Catalogue.load().find(EXERCISE)
    for told in ("judged", "HIDDEN", "SOLUTION", "The reference solution", "untyped_storage().data_ptr() !="):
        assert told not in trip.released
    released = json.loads(trip.released)["cells"]
    assert "".join(released[0]["source"]).startswith("# View against reshape")
    assert "learn check" not in trip.released
    assert same_code("".join(released[1]["source"]), exercise.stub.read_text())


def test_scores_go_back_into_the_gradebook_once(trip, nbgrader, tmp_path):
    """After nbgrader's own autograde: the same scores, our comments, what a person typed, and twice is once."""
    folder = tmp_path / "course"
    shutil.copytree(trip.folder, folder)
    with book_of(folder) as book:
        book.add_assignment("other")
        book.add_notebook("n", "other")
        book.add_grade_cell("g", "n", "other", max_score=3, cell_type="code")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as nbgrader_gradebook.py says
            book.add_submission("other", "right")
        book.find_grade("g", "n", "other", "right").auto_score = 2.0
        typed = book.find_grade("test_is_copy", EXERCISE, "ps1", "wrong")
        typed.needs_manual_grade = False  # as formgrader sets it
        typed.manual_score, typed.extra_credit = 0.25, 0.5
        book.find_comment("answer", EXERCISE, "ps1", "wrong").manual_comment = "Come and see me."
        book.db.commit()
    told = learn("nbgrader", "scores", trip.out, folder, "ps1")
    assert told == "4 notebooks of 4 students have their scores in ps1.\n"
    once = dump(folder)
    learn("nbgrader", "scores", trip.out, folder, "ps1")
    assert dump(folder) == once

    deserved = {student: attempt.score for student, attempt in trip.graded.items()}
    deserved["wrong"] += -1 + 0.25 + 0.5  # test_is_copy passed: a person gave less for it, and something extra
    assert export(folder, nbgrader) == deserved
    with book_of(folder) as book:
        assert not any(one.needs_manual_grade for one in book.assignment_submissions("ps1"))
        said = book.find_comment("answer", EXERCISE, "ps1", "partial").comment
        assert said.startswith("    2 of 12 points.\n")
        assert "Still to be written." in said
        said = book.find_comment("answer", EXERCISE, "ps1", "raises").comment
        assert "cell 4, line" in said
        assert all(line.startswith("    ") for line in said.splitlines())  # Markdown that is shown as it is
        wrong = book.find_comment("answer", EXERCISE, "ps1", "wrong")
        assert wrong.comment == "Come and see me."
        assert "Each channel became a row of its own." in wrong.auto_comment
        assert book.find_submission("other", "right").score == 2.0


def test_scores_into_a_fresh_gradebook(trip, nbgrader, tmp_path, monkeypatch):
    """Without nbgrader ever having graded: the same assignment is made as by generate_assignment."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # who calls `learn` by its path has not activated its environment
    folder = tmp_path / "course"
    shutil.copytree(trip.folder, folder, ignore=shutil.ignore_patterns("gradebook.db", "autograded", "feedback"))
    (folder / "submitted/right/ps1/timestamp.txt").write_text("2026-01-31 12:00:00 UTC\n")
    learn("nbgrader", "scores", trip.out, folder, "ps1")
    assert export(folder, nbgrader) == trip.exported
    assert cells_in(folder) == cells_in(trip.folder)
    with book_of(folder) as book:
        assert str(book.find_submission("ps1", "right").timestamp) == "2026-01-31 12:00:00"
        assert not any(one.needs_manual_grade for one in book.assignment_submissions("ps1"))


def book_of(folder):
    from nbgrader.api import Gradebook as Theirs

    return Theirs(f"sqlite:///{folder / 'gradebook.db'}")


def dump(folder):
    with sqlite3.connect(folder / "gradebook.db") as db:
        return "\n".join(db.iterdump())


def cells_in(folder):
    with sqlite3.connect(folder / "gradebook.db") as db:
        return sorted(
            db.execute("SELECT name, cell_type, locked, source, checksum FROM source_cell UNION ALL SELECT b.name,"
                       " g.cell_type, g.max_score, '', '' FROM grade_cells g JOIN base_cell b ON b.id = g.id")
        )  # fmt: skip


def test_a_pack_is_judged_where_it_lies(nbgrader, tmp_path):
    """nbgrader's own validator runs the source: the solution gets full marks, check by check."""
    learn("nbgrader", "source", tmp_path, "probe", "--pack", PACK)
    assert "test_on_cuda" not in (tmp_path / "source/probe/01_probe.ipynb").read_text()
    told = nbgrader(tmp_path, "validate", "source/probe/01_probe.ipynb")
    assert "Success! Your notebook passes all the tests." in told


def test_a_judge_that_cannot_say_is_no_zero(tmp_path, monkeypatch, capsys):
    """The value is one that nbgrader refuses."""
    from nbformat import from_dict
    from nbgrader.utils import determine_grade

    monkeypatch.chdir(tmp_path)
    assert judged("ps1", "01_probe", "test_double") == float("inf")
    assert "01_probe.ipynb can't be read" in capsys.readouterr().out
    (tmp_path / "01_probe.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    value = judged("ps1", "01_probe", "test_double")
    told = capsys.readouterr()
    assert told.out.startswith("Not scored. There is no autogradebook.json")
    assert told.err == ""
    output = {"output_type": "execute_result", "data": {"text/plain": repr(value)}, "execution_count": 1}
    meta = {"nbgrader": {"grade": True, "solution": False, "points": 2.0}}
    with pytest.raises(ValueError, match="greater than maximum"):
        determine_grade(from_dict({"cell_type": "code", "metadata": meta, "outputs": [output], "source": ""}))


# ----------------------------------------------------------------------------------------------- the source


def same_code(one, other):
    """Whether two texts are the same program but for the words of their TODOs."""
    plain = r"raise NotImplementedError\([^)]*\)"
    return ast.dump(ast.parse(re.sub(plain, "raise X", one))) == ast.dump(ast.parse(re.sub(plain, "raise X", other)))


def cleared(source):
    """What nbgrader's ClearSolutions makes of a solution cell."""
    from nbformat.v4 import new_code_cell, new_notebook
    from nbgrader.preprocessors import ClearSolutions

    meta = {"nbgrader": {"grade": False, "solution": True, "locked": False, "grade_id": "answer", "schema_version": 3}}
    notebook = new_notebook(cells=[new_code_cell(source, metadata=meta)])
    return ClearSolutions().preprocess(notebook, {})[0].cells[0].source


@pytest.mark.parametrize("exercise", [*Catalogue.load(), *Catalogue.load(PACK)], ids=lambda exercise: exercise.name)
def test_the_release_of_every_exercise_is_its_stub(exercise):
    source = answer_cell(exercise)
    assert same_code(cleared(source), exercise.stub.read_text())
    defined = {}
    for statement in ast.parse(source).body:  # what is defined last counts
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            defined[statement.name] = ast.dump(statement)
    for statement in ast.parse(exercise.solution.read_text()).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            assert defined[statement.name] == ast.dump(statement)


def made_up(tmp_path, stub, solution):
    exercise = Catalogue.load(PACK).find("01")
    (tmp_path / "stub.py").write_text(stub)
    (tmp_path / "solution.py").write_text(solution)
    return replace(exercise, folder=tmp_path, solution=tmp_path / "solution.py")


def test_a_method_that_was_given_after_the_last_todo(tmp_path):
    stub = (
        "class A:\n    def f(self):\n        raise NotImplementedError('TODO')\n\n    def g(self):\n        return 1\n"
    )
    solution = "class A:\n    def f(self):\n        return 2\n\n    def g(self):\n        return 1\n"
    source = answer_cell(made_up(tmp_path, stub, solution))
    assert same_code(cleared(source), stub)
    space = {}
    exec(source, space)
    assert (space["A"]().f(), space["A"]().g()) == (2, 1)


def test_a_stub_without_a_todo_is_refused(tmp_path):
    with pytest.raises(BadExercise, match="raise NotImplementedError"):
        answer_cell(made_up(tmp_path, "def f():\n    pass\n", "def f():\n    return 1\n"))


def test_nothing_is_replaced_unasked(tmp_path):
    probe = list(Catalogue.load(PACK))
    made = make_source(tmp_path, "ps1", probe, pack=PACK)
    assert [file.name for file in made.written] == ["01_probe.ipynb", "nbgrader_config.py"]
    file = made.written[0]
    kept = (tmp_path / "autogradebook.json").read_text()
    assert make_source(tmp_path, "ps1", probe, pack=PACK).same == (file,)
    assert (tmp_path / "autogradebook.json").read_text() == kept
    mine = file.read_text().replace("# Probe", "# Probe, with a word of mine")
    file.write_text(mine)
    with pytest.raises(WrongUsage, match="--force"):
        make_source(tmp_path, "ps1", probe, pack=PACK)
    assert file.read_text() == mine
    make_source(tmp_path, "ps1", probe, pack=PACK, force=True)
    assert file.read_text() != mine


def test_the_course_s_own_configuration_is_read_and_kept(tmp_path):
    config = tmp_path / "nbgrader_config.py"
    own = "c = get_config()\nc.CourseDirectory.source_directory = 'teacher'\n"
    config.write_text(own)
    made = make_source(tmp_path, "ps1", list(Catalogue.load(PACK)), pack=PACK)
    assert (tmp_path / "teacher/ps1/01_probe.ipynb").is_file()
    assert "timeout_func" in made.advice
    assert config.read_text() == own
    config.write_text(own + made.advice)
    assert make_source(tmp_path, "ps1", list(Catalogue.load(PACK)), pack=PACK).advice == ""
    config.write_text("c = = 1")
    with pytest.raises(BadFile, match="nbgrader_config"):
        Course.at(tmp_path)


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a+b", " a", ".hidden", "*"])
def test_names_that_are_no_assignment(tmp_path, name):
    with pytest.raises(WrongUsage, match="no name of an assignment"):
        make_source(tmp_path, name, [])


def test_without_nbgrader_one_sentence_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['nbgrader'] = None; from grader.cli import main; main()"
    for words in (["source", str(tmp_path), "ps1"], ["scores", str(tmp_path), str(tmp_path), "ps1"]):
        command = [sys.executable, "-c", code, "nbgrader", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "pip install 'autogradebook[nbgrader]'" in done.stderr
        assert "Traceback" not in done.stderr


# ----------------------------------------------------------------------------------------------- the scores


@pytest.fixture(scope="module")
def probe_source(tmp_path_factory):
    """A course whose gradebook knows an assignment of two notebooks, and nobody's submission."""
    import nbformat

    folder = tmp_path_factory.mktemp("fresh")
    pack = folder / "pack"
    shutil.copytree(PACK, pack)
    shutil.copytree(pack / "exercises/01_probe", pack / "exercises/02_again")
    shutil.copy(pack / "solutions/01_probe.py", pack / "solutions/02_again.py")
    learn("nbgrader", "source", folder, "ps1", "--pack", pack)
    found = {file.stem: nbformat.read(file, 4) for file in (folder / "source/ps1").glob("*.ipynb")}
    with NbgraderGradebook.open(f"sqlite:///{folder / 'gradebook.db'}", "") as book:
        book.create("ps1", found, Course.at(folder).config)
    return folder


@pytest.fixture
def probe_course(probe_source, tmp_path):
    return Path(shutil.copytree(probe_source, tmp_path / "course"))


def attempt(student, exercise="01_probe", status=Verdict.PASSED, message="", folder="ps1"):
    checks = tuple(
        CheckResult(name, f"Title of {name}", status, points * (status is Verdict.PASSED), points, message)
        for name, points in CHECKS.items()
    )
    cuda = CheckResult("test_on_cuda", "Doubles on CUDA", Verdict.SKIPPED, 0.0, 1.0, counts=False)
    path = f"submitted/{student}/{folder}/{exercise}.ipynb"
    return Attempt(student, exercise, path, "0" * 64, (*checks, cuda), SEED, "cpu", "full", "2.9")


def remember(out, *attempts, unreadable=(), pending=(), students=(), handed_in=None):
    """A gradebook as `learn grade` would leave it."""
    with Gradebook.open(out) as book:
        entries = [
            (f"key of {one.status}", Submission(one.student, one.exercise, one.path, "", one.sha256))
            for one in (*attempts, *pending)
        ]
        run = RunInfo(SEED, "0", "3", "2", "cpu", "full")
        book.begin_run(run, entries, unreadable, students, handed_in=handed_in)
        book.record_many([(f"key of {one.status}", one) for one in attempts])
        book.finish_run()
    return out


def notebook_in(book, student, exercise="01_probe"):
    return book.find_submission_notebook(exercise, "ps1", student)


def test_who_handed_in_nothing_for_a_notebook_has_a_zero_there(probe_course, tmp_path):
    both = [attempt("ann"), attempt("ann", "02_again"), attempt("ben")]
    out = remember(tmp_path / "out", *both, students=("ann", "ben", "cleo"))
    told = write_scores(out, probe_course, "ps1")
    assert (told.students, told.notebooks, told.unknown) == (2, 4, ())
    with book_of(probe_course) as book:
        assert [one.score for one in (book.find_submission("ps1", "ann"), book.find_submission("ps1", "ben"))] == [
            12,
            6,
        ]
        assert "Nothing was handed in." in notebook_in(book, "ben", "02_again").comments[0].comment
        assert not book.find_submission("ps1", "ben").needs_manual_grade
        assert [student.id for student in book.students] == ["ann", "ben"]


def test_what_is_not_known_is_never_a_zero(probe_course, tmp_path):
    out = remember(tmp_path / "out", attempt("ann"), attempt("ben"))
    write_scores(out, probe_course, "ps1")
    lost = attempt("ann", status=Verdict.INTERNAL_ERROR)
    unreadable = (Unreadable("submitted/cleo/ps1/01_probe.ipynb", "It is JSON, but not a notebook."),)
    remember(out, lost, attempt("ben"), unreadable=unreadable, students=("cleo",))
    told = learn("nbgrader", "scores", out, probe_course, "ps1", code=3)
    assert "ann, 01_probe: It needs regrading" in told
    assert "cleo, 01_probe: It is JSON, but not a notebook." in told
    with book_of(probe_course) as book:
        assert notebook_in(book, "ann").score == 6.0  # as it was
        for student in ("ann", "cleo"):
            assert notebook_in(book, student).needs_manual_grade
        assert [grade.auto_score for grade in notebook_in(book, "cleo").grades] == [None] * len(CHECKS)
        assert not notebook_in(book, "ben").needs_manual_grade


def test_a_person_is_told_when_what_they_typed_over_changes(probe_course, tmp_path):
    out = remember(tmp_path / "out", attempt("ann"))
    write_scores(out, probe_course, "ps1")
    with book_of(probe_course) as book:
        book.find_grade("test_noise", "01_probe", "ps1", "ann").manual_score = 0.5
        book.db.commit()
    write_scores(out, probe_course, "ps1")
    with book_of(probe_course) as book:
        assert notebook_in(book, "ann").score == 5.5
        assert not notebook_in(book, "ann").needs_manual_grade
    remember(out, attempt("ann", status=Verdict.FAILED, message="No."))
    write_scores(out, probe_course, "ps1")
    with book_of(probe_course) as book:
        assert notebook_in(book, "ann").score == 0.5
        assert notebook_in(book, "ann").needs_manual_grade


def test_adjustments_are_extra_credit_and_add_up_once(probe_course, tmp_path):
    out = remember(tmp_path / "out", attempt("ann"), attempt("ben"), attempt("cleo"))
    give(out, "ann", 1.5, "said it aloud")
    for _ in range(2):
        assert write_scores(out, probe_course, "ps1").typed == ()
    with book_of(probe_course) as book:
        assert notebook_in(book, "ann").score == 7.5
        assert "+1.5: said it aloud" in notebook_in(book, "ann").comments[0].comment
        book.find_grade("test_counter", "01_probe", "ps1", "ben").extra_credit = 0.25
        book.db.commit()
    give(out, "ann", -0.5, "not all of it")
    give(out, "ben", 1.0, "in the way")
    give(out, "cleo", -100.0, "copied")
    for _ in range(2):
        assert write_scores(out, probe_course, "ps1").typed == ("ben, 01_probe",)
    with book_of(probe_course) as book:
        assert [notebook_in(book, student).score for student in ("ann", "ben", "cleo")] == [7.0, 6.25, 0.0]


def give(out, student, points, reason):
    with Gradebook.open(out) as book:
        book.adjust(student, "01_probe", points, reason)


def test_lateness_is_a_penalty_of_nbgrader_s(probe_course, tmp_path, nbgrader):
    due = datetime(2026, 1, 31, 12, tzinfo=UTC)
    late = HandedIn(due + timedelta(hours=30), SaidBy.NBGRADER)
    out = remember(tmp_path / "out", attempt("ann"), attempt("ben"), handed_in={attempt("ann").path: late})
    with Gradebook.open(out) as book:
        book.due, book.policy = DueDates(due), LatePolicy.parse("10%")
    write_scores(out, probe_course, "ps1")
    assert export(probe_course, nbgrader) == {"ann": pytest.approx(4.8), "ben": 6.0}
    with book_of(probe_course) as book:
        assert notebook_in(book, "ann").score == 6.0
        assert "2 days late" in notebook_in(book, "ann").comments[0].comment
    with Gradebook.open(out) as book:
        book.policy = LatePolicy()
    write_scores(out, probe_course, "ps1")
    with book_of(probe_course) as book:
        assert notebook_in(book, "ann").late_submission_penalty is None


def test_another_assignment_s_answer_to_the_same_exercise(probe_course, tmp_path):
    shutil.copytree(probe_course / "source/ps1", probe_course / "source/ps2")
    out = remember(tmp_path / "out", attempt("ann"), attempt("ben", folder="ps2"))
    write_scores(out, probe_course, "ps2")
    write_scores(out, probe_course, "ps1")
    with book_of(probe_course) as book:
        assert [one.student.id for one in book.assignment_submissions("ps1")] == ["ann"]
    write_scores(out, probe_course, "ps2")


def test_what_does_not_fit_is_said(probe_course, tmp_path):
    out = remember(tmp_path / "out", attempt("ann"))
    with pytest.raises(BadFile, match="there is no source at"):
        write_scores(out, probe_course, "ps9")
    with pytest.raises(BadFile, match=r"learn grade.*-o"):
        write_scores(out, out, "ps1")
    with pytest.raises(BadFile, match="holds no gradebook"):
        write_scores(tmp_path / "nothing", probe_course, "ps1")
    with pytest.raises(BadFile, match="There is no folder"):
        write_scores(out, tmp_path / "nowhere", "ps1")
    odd = attempt("ann")
    more = CheckResult("test_new", "New", Verdict.PASSED, 1.0, 1.0)
    changed = remember(tmp_path / "changed", replace(odd, checks=(*odd.checks, more)))
    with pytest.raises(BadFile, match="no cell test_new of 1 points"):
        write_scores(changed, probe_course, "ps1")
    stopped = remember(tmp_path / "stopped", attempt("ann"), pending=[attempt("ben")])
    with pytest.raises(WrongUsage, match="not graded yet"):
        write_scores(stopped, probe_course, "ps1")
    elsewhere = remember(tmp_path / "elsewhere", attempt("ann", "03_other"))
    with pytest.raises(WrongUsage, match="Nothing that"):
        write_scores(elsewhere, probe_course, "ps1")
    (probe_course / "gradebook.db").write_bytes(b"no database" * 100)
    with pytest.raises(BadFile, match="can't be used"):
        write_scores(out, probe_course, "ps1")
