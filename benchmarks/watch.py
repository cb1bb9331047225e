"""How long from a save to its verdict in `learn watch`, beside a pytest process started for each save. One command:

    python -m benchmarks.watch --saves 32

Both judge the same answers to one exercise by the same checks: two wrong ones, two right ones, and so on.
`learn watch` runs as a learner has it, in a terminal and confined; its clock starts when the file has been
written and stops when the last line of the verdict has come. The pytest process judges in the same process as
the learner's code and waits for no debounce, since nobody watches there.

The last rows say what the judge alone takes, in this process and without watching, and where that time goes;
there nothing is made ready for the next save.
"""

import argparse
import os
import platform
import pty
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from grader.catalogue import Catalogue
from grader.cli._watching import QUIET
from grader.core.submission import Submission, digest

LAST_LINE = b"q quit"
LEARN = [sys.executable, "-m", "grader.cli"]


class Watching:
    """`learn watch` in a terminal of its own."""

    def __init__(self, workspace: Path, number: str) -> None:
        ours, theirs = pty.openpty()
        self._terminal = ours
        self._process = subprocess.Popen(
            [*LEARN, "watch", number], cwd=workspace, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
        )
        os.close(theirs)

    def verdict(self, seconds: float = 60) -> bytes:
        """What was shown up to the end of the next verdict."""
        shown, until = b"", time.monotonic() + seconds
        while LAST_LINE not in shown:
            if not select.select([self._terminal], [], [], max(0, until - time.monotonic()))[0]:
                raise SystemExit(f"no verdict within {seconds:g} s; shown so far: {shown!r}")
            shown += os.read(self._terminal, 65536)
        return shown

    def close(self) -> None:
        os.write(self._terminal, b"q")
        self._process.wait(10)
        os.close(self._terminal)


def is_right(index: int) -> bool:
    return index % 4 > 1


def saves(right: str, wrong: str, count: int) -> list[str]:
    """Each text once only, or nothing would happen."""
    return [f"{right if is_right(index) else wrong}\n# save {index}\n" for index in range(count)]


def watched(workspace: Path, number: str, file: Path, texts: list[str], pause: float) -> list[float]:
    watching = Watching(workspace, number)
    watching.verdict()
    times = []
    for index, text in enumerate(texts):
        # A learner thinks between two saves; the spare child is forked meanwhile.
        time.sleep(pause)
        file.write_text(text, encoding="utf-8")
        started = time.perf_counter()
        shown = watching.verdict()
        times.append(time.perf_counter() - started)
        if (b"Well done" in shown) != is_right(index):
            raise SystemExit(f"save {index} got the wrong verdict: {shown.decode(errors='replace')}")
    watching.close()
    return times


def pytest_each(folder: Path, file: str, texts: list[str]) -> list[float]:
    folder.mkdir()
    times = []
    for index, text in enumerate(texts):
        (folder / file).write_text(text, encoding="utf-8")
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.inprocess", str(folder)], capture_output=True, check=False
        )
        times.append(time.perf_counter() - started)
        if (done.returncode == 0) != is_right(index):
            raise SystemExit(done.stdout.decode() + done.stderr.decode())
    return times


def judged(exercise_name: str, texts: list[str], pause: float) -> tuple[list[float], dict[str, float]]:
    """(seconds for each text, mean of each stage)"""
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    exercises = list(Catalogue.load())
    name = next(exercise.name for exercise in exercises if exercise.name == exercise_name)
    times = []
    with Judge(exercises, Settings(seed=0)) as judge:
        for index, text in enumerate(texts):
            time.sleep(pause)
            judge.reseed(index)
            if index == 2:
                judge.stages.clear()
            started = time.perf_counter()
            judge.judge(Submission("you", name, f"{name}.py", text, digest(text.encode())))
            times.append(time.perf_counter() - started)
        stages = {stage: seconds / (len(texts) - 2) for stage, seconds in judge.stages.items()}
    return times[2:], stages


def row(what: str, times: list[float], beside: float | None = None) -> None:
    ninety_five = statistics.quantiles(times, n=20)[-1]
    told = f"  {what:<52}{statistics.median(times) * 1000:8.0f} ms{ninety_five * 1000:8.0f} ms"
    print(told + (f"{statistics.median(times) / beside:9.1f} x" if beside else ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saves", type=int, default=32)
    parser.add_argument("--pytest-saves", type=int, default=10, help="saves with a pytest process each")
    parser.add_argument("--exercise", default="05")
    parser.add_argument("--pause", type=float, default=0.8, help="seconds between two saves")
    asked = parser.parse_args()
    if min(asked.saves, asked.pytest_saves) < 2:
        parser.error("--saves and --pytest-saves must be 2 or more: the spread of one is not known")
    exercise = Catalogue.load().find(asked.exercise)
    # The middle one: a wrong idea is looked for among the known ones in their order.
    known = sorted((exercise.folder / "wrong").glob("*.py"))
    right, wrong = (file.read_text(encoding="utf-8") for file in (exercise.solution, known[len(known) // 2]))
    base = Path(tempfile.mkdtemp(prefix="autogradebook-benchmark-"))
    try:
        subprocess.run([*LEARN, "init", str(base / "pytorch")], check=True, capture_output=True)
        file = base / "pytorch" / exercise.file_name
        texts = saves(right, wrong, asked.saves)
        ours = watched(base / "pytorch", f"{exercise.number:02d}", file, texts, asked.pause)
        theirs = pytest_each(base / "pytest", exercise.file_name, texts[: asked.pytest_saves])
        alone, stages = judged(exercise.name, texts, asked.pause)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    import torch

    print(f"{date.today()}  {platform.machine()}, {platform.system()} {platform.release()}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}, torch {torch.__version__}")  # fmt: skip
    print(f"from save to verdict, {exercise.name}, {len(ours)} saves, half of them right:")
    print(f"  {'':<52}{'median':>11}{'95 %':>11}{'ratio':>11}")
    beyond = statistics.median(ours) - QUIET
    row(f"learn watch, beyond the debounce of {QUIET * 1000:.0f} ms", [t - QUIET for t in ours])
    row("  right after right", [t - QUIET for t in ours[3::4]])
    row("  right after wrong", [t - QUIET for t in ours[2::4]])
    row("  wrong after wrong", [t - QUIET for t in ours[1::4]])
    row("  wrong after right", [t - QUIET for t in ours[::4]])
    row("learn watch, the debounce with it", ours, beyond)
    row(f"a pytest process for each save ({len(theirs)} of them)", theirs, beyond)
    row("the judge alone, right answers", [t for index, t in enumerate(alone) if is_right(index + 2)])
    row("the judge alone, wrong answers", [t for index, t in enumerate(alone) if not is_right(index + 2)])
    print(
        "where the judge's time goes, mean of both: " + ", ".join(f"{k} {v * 1000:.1f} ms" for k, v in stages.items())
    )


if __name__ == "__main__":
    main()
