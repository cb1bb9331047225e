"""How many submissions an hour, beside what people use today. One command:

    python -m benchmarks.throughput

Grades copies of one student's answers to every exercise that is here, by

  ours     `learn grade`, confined, a fresh child for each exercise
  pytest   a pytest process for each student, the same checks in the same process as the student's code
  nbgrader `nbgrader autograde` of the equivalent notebook (if nbgrader is installed)
  otter    `otter run` of the equivalent notebook (if otter-grader is installed, or named with --otter: it may live
           in an environment of its own, which must have torch and this package)
  floor    the same checks in one warm process without isolation

All on one core (the processes are pinned to it), so the ratios are of the work and not of the cores. All take turns:
in each round everybody grades, and a round's ratios are of what was measured within it, as the speed of a machine
wavers; told are the medians of the rounds, and each round's ratios.

For ours these are told: what one more student costs beyond the first 10, whose answers are those of others but for a
comment, so that the judge remembers how its checks ended, with the gradebook, results.json and grades.csv, as the
others write their results; what the HTML report of a student costs beyond that, which none of the others makes; and,
in one process, what the judge takes in steady state, what an answer costs it that nobody gave before, and the floor.
"""

import argparse
import csv
import itertools
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

from grader.catalogue import Catalogue
from grader.core.submission import Submission, digest

COURSE = "seven"


def write_copies(folder: Path, copies: int) -> None:
    """The reference's answers, each copy with a comment of its own so that no two files are the same."""
    for copy in range(copies):
        student = folder / f"s{copy:05d}"
        student.mkdir(parents=True)
        for exercise in Catalogue.load():
            source = exercise.solution.read_text(encoding="utf-8")
            (student / exercise.file_name).write_text(f"{source}\n# copy {copy}\n", encoding="utf-8")


def timed(command: list[str], **options: object) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return time.perf_counter() - started


def learn_grade(base: Path, copies: int) -> tuple[float, float]:
    """Seconds for the class, and for its HTML report afterwards."""
    folder, out = base / f"class{copies}", base / f"out{copies}"
    for left in (folder, out):
        shutil.rmtree(left, ignore_errors=True)
    write_copies(folder, copies)
    command = [sys.executable, "-m", "grader.cli", "grade", str(folder), "-o", str(out), "--jobs", "1", "--seed", "7"]
    seconds = timed([*command, "--format", "json,csv"])
    report = timed([*command, "--format", "html"])
    told = json.loads((out / "results.json").read_text())
    wrong = [s for s in told["submissions"] if s["status"] != "passed"]
    if wrong:
        raise SystemExit(f"a right answer was not accepted: {wrong[0]}")
    if told["confinement"] not in ("full", "landlock+seccomp"):
        print(f"note: confinement is only '{told['confinement']}' here")
    return seconds, report


def by_pytest(base: Path) -> Callable[[], float]:
    write_copies(base / "pytest", 1)
    command = [sys.executable, "-m", "benchmarks.inprocess", str(base / "pytest" / "s00000")]
    return lambda: timed(command, env={**os.environ, "OMP_NUM_THREADS": "1"})


def by_nbgrader(base: Path) -> Callable[[], float] | None:
    """The seven solution cells and seven test cells in one notebook, autograded."""
    program = Path(sys.executable).with_name("nbgrader")
    if not program.is_file():
        return None
    import nbformat

    course = base / "course"
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book.cells.append(nbformat.v4.new_code_cell("import torch\nfrom benchmarks.inprocess import check_in_notebook"))
    for exercise in Catalogue.load():
        source = exercise.solution.read_text(encoding="utf-8")
        answer = nbformat.v4.new_code_cell(f"source = {source!r}\n# ### BEGIN SOLUTION\n{source}\n# ### END SOLUTION")
        meta = {"schema_version": 3, "grade": False, "solution": True, "locked": False, "task": False}
        answer.metadata["nbgrader"] = {**meta, "grade_id": f"answer-{exercise.name}"}
        test = nbformat.v4.new_code_cell(f"check_in_notebook({exercise.name!r}, source)")
        meta = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False, "points": 1}
        test.metadata["nbgrader"] = {**meta, "grade_id": f"test-{exercise.name}"}
        book.cells += [answer, test]
    source_folder = course / "source" / "ps1"
    source_folder.mkdir(parents=True)
    nbformat.write(book, source_folder / "ps1.ipynb")
    (course / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(course)!r}\nc.CourseDirectory.course_id = '{COURSE}'\n"
        "c.ExecutePreprocessor.timeout = 600\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    env["PATH"] = f"{program.parent}{os.pathsep}{env['PATH']}"
    timed([str(program), "generate_assignment", "ps1"], cwd=course, env=env)
    students = itertools.count()

    def grade() -> float:
        name = f"s{next(students)}"
        shutil.copytree(course / "source" / "ps1", course / "submitted" / name / "ps1")
        seconds = timed([str(program), "autograde", "ps1", "--student", name], cwd=course, env=env)
        timed([str(program), "export", "--to", str(base / "grades.csv")], cwd=course, env=env)
        for row in csv.DictReader((base / "grades.csv").read_text().splitlines()):
            if row["student_id"] == name and float(row["score"]) != float(row["max_score"]):
                raise SystemExit(f"nbgrader did not accept the right answers: {row}")
        return seconds

    return grade


def by_otter(base: Path, program: Path) -> Callable[[], float] | None:
    """The seven solution cells in a notebook and a test file for each exercise, by `otter run`."""
    if not program.is_file():
        return None
    import nbformat

    folder = base / "otter"
    tests = folder / "tests"
    tests.mkdir(parents=True)
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = ["import torch\nimport otter\ngrader = otter.Notebook()\nsources = {}"]
    for exercise in Catalogue.load():
        source = exercise.solution.read_text(encoding="utf-8")
        cells.append(f"sources[{exercise.name!r}] = {source!r}\n{source}")
        cells.append(f"grader.check({exercise.name!r})")
        call = f"check_in_notebook({exercise.name!r}, sources[{exercise.name!r}])"
        case = {"code": f">>> from benchmarks.inprocess import check_in_notebook\n>>> {call}\n", "hidden": False}
        suite = {"cases": [{**case, "locked": False}], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": exercise.name, "points": 1, "suites": [suite]}
        (tests / f"{exercise.name}.py").write_text(f"OK_FORMAT = True\n\ntest = {test!r}\n", encoding="utf-8")
    book.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(book, folder / "ps1.ipynb")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    env["PATH"] = f"{program.parent}{os.pathsep}{env['PATH']}"
    timed([str(program), "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], cwd=folder, env=env)
    students = itertools.count()

    def grade() -> float:
        out = folder / f"out{next(students)}"
        out.mkdir()
        run = [str(program), "run", "-a", "autograder.zip", "-o", out.name, "--no-logo", "ps1.ipynb"]
        seconds = timed(run, cwd=folder, env=env)
        told = json.loads((out / "results.json").read_text())
        wrong = [test for test in told["tests"] if test.get("max_score") and test.get("score") != test["max_score"]]
        if wrong or len(told["tests"]) < len(list(tests.iterdir())):
            raise SystemExit(f"Otter did not accept the right answers: {str(wrong)[:1000]}")
        return seconds

    return grade


def warm(rounds: int) -> tuple[float, float, dict[str, float], float]:
    """Seconds a student: for our judge in steady state, for it with nothing remembered, its stages, the floor."""
    import pytest

    from benchmarks.inprocess import Plugin
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    exercises = list(Catalogue.load())
    submissions = []
    for exercise in exercises:
        source = exercise.solution.read_text(encoding="utf-8")
        path = f"s/{exercise.file_name}"
        submissions.append(Submission("s", exercise.name, path, source, digest(source.encode())))
    with Judge(exercises, Settings(seed=7)) as judge:
        for _ in range(4):  # the sandbox makes its forks cheaper once it has seen that many come
            for submission in submissions:
                judge.judge(submission)
        judge.stages.clear()
        started, checked = time.perf_counter(), 0.0
        for _ in range(rounds):
            for submission in submissions:
                checked += sum(check.seconds for check in judge.judge(submission).checks)
        ours = (time.perf_counter() - started) / rounds
        stages = {name: seconds / rounds for name, seconds in judge.stages.items()}
        started = time.perf_counter()
        for _ in range(rounds):
            for submission in submissions:
                judge.forget()
                judge.judge(submission)
        anew = (time.perf_counter() - started) / rounds
    stages["checks, comparing"] = checked / rounds - sum(stages.get(name, 0) for name in ("fork", "load", "ask"))
    stages["all else"] = ours - checked / rounds

    folder = Path(tempfile.mkdtemp())
    for exercise in exercises:
        (folder / exercise.file_name).write_text(exercise.solution.read_text(encoding="utf-8"), encoding="utf-8")
    options = ["--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:terminal", "-c", "/dev/null"]
    checks = [str(exercise.checks) for exercise in exercises]
    pytest.main([*options, *checks], plugins=[Plugin(folder)])
    started = time.perf_counter()
    for _ in range(rounds):
        if pytest.main([*options, *checks], plugins=[Plugin(folder)]):
            raise SystemExit("the floor did not pass")
    floor = (time.perf_counter() - started) / rounds
    shutil.rmtree(folder)
    return ours, anew, stages, floor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=100, help="students graded by us in each round")
    parser.add_argument("--rounds", type=int, default=5)
    otter = Path(sys.executable).with_name("otter")
    parser.add_argument("--otter", type=Path, default=otter, help="the program otter, where it lies elsewhere")
    parser.add_argument("--core", type=int, default=0, help="the core that everything runs on")
    asked = parser.parse_args()
    few = 10  # by then the forks are as cheap as they get, and each check has been seen to end
    if asked.copies <= few or asked.rounds < 1:
        parser.error(
            f"--copies must be above {few}, the class that the others are counted from, and --rounds 1 or more"
        )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {asked.core})
    exercises = list(Catalogue.load())
    rounds: list[dict[str, float]] = []
    base = Path(tempfile.mkdtemp(prefix="autogradebook-benchmark-"))
    try:
        peers = {
            "a pytest process for each": by_pytest(base),
            "nbgrader autograde": by_nbgrader(base),
            "otter run": by_otter(base, asked.otter),
        }
        for name in [name for name, peer in peers.items() if peer is None]:
            print(f"{name.split()[0]} is not installed, and left out")
        for _ in range(asked.rounds):
            begun, many = (learn_grade(base, copies) for copies in (few, asked.copies))
            more, pages = ((late - early) / (asked.copies - few) for early, late in zip(begun, many, strict=True))
            seen = {"learn grade, one student more": more, "the HTML report of one student more, beside that": pages}
            seen |= {name: peer() for name, peer in peers.items() if peer is not None}
            seen[f"learn grade, {asked.copies} students, whole command / {asked.copies}"] = many[0] / asked.copies
            rounds.append(seen)
        ours, anew, stages, floor = warm(10)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    import torch

    print(f"{date.today()}  {platform.machine()}, {platform.system()} {platform.release()}, one core, "
          f"Python {platform.python_version()}, torch {torch.__version__}")  # fmt: skip
    print(f"one student's {len(exercises)} exercises: seconds, and times ours (median of {asked.rounds} rounds; each)")
    for what in rounds[0]:
        times = [seen[what] / seen["learn grade, one student more"] for seen in rounds]
        told = " ".join(f"{ratio:.1f}" for ratio in times)
        print(f"  {what:<58}{median(seen[what] for seen in rounds):9.3f}   x{median(times):7.1f}   ({told})")
    print("in one process, seconds, and times the judge in steady state:")
    for what, seconds in (
        ("our judge in steady state", ours),
        ("our judge, each answer being new to every check", anew),
        ("the floor: warm process, no isolation", floor),
    ):
        print(f"  {what:<58}{seconds:9.3f}   x{seconds / ours:7.1f}")
    print("where our time goes, seconds a student and share of the steady state:")
    for name, seconds in sorted(stages.items(), key=lambda item: -item[1]):
        if name != "zygote":
            print(f"  {name:<58}{seconds:9.4f}   {seconds / ours:6.1%}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"largest process: {peak / 1024:.0f} MB")


if __name__ == "__main__":
    main()
