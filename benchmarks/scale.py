"""Whether a class of 5,000 submissions costs as much for each as one of 100, in time and memory. One command:

    python -m benchmarks.scale

Grades classes of made-up answers (right ones in every style that is known, wrong ones with their misconceptions; each
file with a comment of its own, so that no two are the same) with `learn grade`, and prints seconds for each
submission and the peak memory of the main process. The class of 1,000 is graded a second time, unchanged.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from grader.catalogue import Catalogue, known_answers

_MAIN = """
import sys
from grader.cli import cli
try:
    cli(sys.argv[1:], prog_name="learn")
finally:
    import resource
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
"""


def write_class(folder: Path, submissions: int) -> None:
    """The known answers in turn: two of three are right."""
    exercises = list(Catalogue.load())
    answers = {}
    for exercise in exercises:
        right = [exercise.solution.read_text(encoding="utf-8"), *(a.source for a in known_answers(exercise, "right"))]
        answers[exercise.name] = right, [a.source for a in known_answers(exercise, "wrong")]
    for number in range(submissions):
        student, place = divmod(number, len(exercises))
        exercise = exercises[place]
        right, wrong = answers[exercise.name]
        turn = student // 3
        source = wrong[turn % len(wrong)] if student % 3 == 2 else right[(turn + student) % len(right)]
        path = folder / f"s{student:05d}" / exercise.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{source}\n# submission {number}\n", encoding="utf-8")


def grade(folder: Path, out: Path, jobs: int) -> tuple[float, float]:
    """Seconds, and the peak memory of the main process in MB."""
    command = [sys.executable, "-c", _MAIN, "grade", str(folder), "-o", str(out), "--jobs", str(jobs), "--seed", "7"]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"learn grade ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds, int(done.stdout.rsplit("peak", 1)[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000, 5000])
    parser.add_argument("--again", type=int, default=1000, help="the size that is graded a second time")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity") and asked.jobs == 1:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    base = Path(tempfile.mkdtemp(prefix="autogradebook-benchmark-"))
    rows, again = [], None
    try:
        for size in asked.sizes:
            folder, out = base / f"class{size}", base / f"out{size}"
            write_class(folder, size)
            rows.append((size, *grade(folder, out, asked.jobs)))
            if size == asked.again:
                again = grade(folder, out, asked.jobs)
            shutil.rmtree(folder)
            shutil.rmtree(out)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    import torch

    print(f"{date.today()}  {platform.machine()}, {platform.system()} {platform.release()}, {asked.jobs} judge(s) on "
          f"{'one core' if asked.jobs == 1 else 'as many cores'}, Python {platform.python_version()}, "
          f"torch {torch.__version__}")  # fmt: skip
    print(f"{'submissions':>12}{'seconds':>10}{'each':>10}{'each without the first':>24}{'main process':>15}")
    first = rows[0]
    for size, seconds, peak in rows:
        # The start (two imports of torch, collecting the checks) is the same for all: told apart.
        more = (seconds - first[1]) / (size - first[0]) if size > first[0] else float("nan")
        print(f"{size:>12}{seconds:>10.1f}{seconds / size:>10.4f}{more:>24.4f}{peak:>12.0f} MB")
    if again is not None:
        whole = next(seconds for size, seconds, _ in rows if size == asked.again)
        print(f"{asked.again} unchanged, a second run: {again[0]:.2f} s, {again[0] / whole:.1%} of the first")


if __name__ == "__main__":
    main()
