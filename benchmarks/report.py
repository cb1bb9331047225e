"""What the report of a large class costs. One command:

    python -m benchmarks.report --students 1000

Made-up attempts at every exercise that is here, each with a real source: the reference or a known wrong answer,
with a comment of its own so that no two files are the same. Told are the seconds for all pages on one core, the
memory that making them took, and what lies in the folder afterwards. Nothing is judged and torch is not imported.
"""

import argparse
import ast
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from grader.catalogue import Catalogue, known_answers, templates
from grader.core.attempt import Attempt, CheckResult
from grader.core.exercise import Exercise, in_language
from grader.core.submission import Submission, digest
from grader.core.verdict import Verdict
from grader.report import write_all
from grader.report.results import Results

MISSING = 0.05
RIGHT = 0.55


def checks_of(exercise: Exercise) -> dict[str, str]:
    """Titles of the exercise's checks by id, read and not run."""
    tree = ast.parse(exercise.checks.read_text(encoding="utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))
    return {node.name: (ast.get_docstring(node) or node.name).split("\n")[0] for node in found}


def attempts_at(exercise: Exercise, students: list[str], dice: random.Random) -> Iterator[tuple[Attempt, str]]:
    """What each student handed in: the attempt, and the source."""
    titles = checks_of(exercise)
    solution = exercise.solution.read_text(encoding="utf-8")
    wrong = known_answers(exercise, "wrong")
    points = exercise.points / len(titles)
    for student in students:
        roll = dice.random()
        if roll < MISSING:
            continue
        answer = None if roll < MISSING + RIGHT else dice.choice(wrong)
        source = f"{answer.source if answer else solution}\n# {student}\n"
        checks = []
        for id, title in titles.items():
            if answer is None or id not in answer.fails:
                checks.append(CheckResult(id, title, Verdict.PASSED, points, points))
                continue
            said = in_language(exercise.misconceptions[answer.misconception]) if answer.misconception else ""
            given = "batch = tensor([[0., 1., 2.],\n                [3., 4., 5.]])"
            checks.append(
                CheckResult(
                    id,
                    title,
                    Verdict.FAILED,
                    0.0,
                    points,
                    said,
                    answer.misconception,
                    "line 9",
                    printed="torch.Size([2, 3])\n" * 4,
                    given=given,
                )
            )
        yield Attempt(
            student, exercise.name, f"{student}/{exercise.file_name}", digest(source.encode()), tuple(checks),
            seed=7, device="cpu", confinement="full", torch="2.15.0", seconds=0.12,
        ), source  # fmt: skip


def made_up_class(size: int) -> Results:
    dice = random.Random(7)
    students = [f"Student {place:04d}" for place in range(size)]
    exercises = tuple(Catalogue.load())
    found = [pair for exercise in exercises for pair in attempts_at(exercise, students, dice)]
    sources = {(attempt.student, attempt.exercise): (attempt, source) for attempt, source in found}

    def source_of(student: str, exercise: str) -> Submission | None:
        attempt, source = sources[student, exercise]
        return Submission(student, exercise, attempt.path, source, attempt.sha256)

    return Results(
        attempts=tuple(attempt for attempt, _ in found),
        exercises=exercises,
        students=tuple(students),
        unreadable=(),
        grader="0.1.0",
        torch="2.15.0",
        device="cpu",
        confinement="full",
        seed=7,
        created=datetime.now(UTC),
        title="A large class",
        sources=source_of,
    )


def peak_mb() -> float:
    """The most memory that this process has had, in MB."""
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--format", default="html", help="formats to write, with commas between (html)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="write the report here, and leave it")
    asked = parser.parse_args()
    results = made_up_class(asked.students)
    lines = sum(results.sources(one.student, one.exercise).source.count("\n") for one in results.attempts)  # type: ignore[union-attr]
    before = peak_mb()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="autogradebook-benchmark-"))
    walls, cores = [], []
    try:
        for _ in range(asked.rounds):
            # As a new process would: what the last round derived is not found again.
            fresh = Results(**{name: getattr(results, name) for name in Results.__dataclass_fields__})
            wall, core = time.perf_counter(), time.process_time()
            written = write_all(tuple(asked.format.split(",")), fresh, folder, templates())
            walls.append(time.perf_counter() - wall)
            cores.append(time.process_time() - core)
        whole = sum(path.stat().st_size for path in written)
        index = (folder / "index.html").stat().st_size if (folder / "index.html").exists() else 0
    finally:
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{date.today()}  {platform.machine()}, {platform.system()} {platform.release()}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}")  # fmt: skip
    print(
        f"{asked.students} students, {len(results.attempts)} submissions, {lines} lines of code, {asked.rounds} rounds:"
    )
    print(f"  least of the processor {min(cores):8.2f} s   ({1000 * min(cores) / max(len(written), 1):.1f} ms a page)")
    print(f"  least by the clock     {min(walls):8.2f} s")
    print(f"  memory on top          {peak_mb() - before:8.1f} MB")
    print(f"  files                  {len(written):8d}     {whole / 2**20:.1f} MB together")
    print(f"  the class page         {index / 2**20:8.2f} MB")


if __name__ == "__main__":
    main()
