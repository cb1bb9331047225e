"""What `learn check 05` costs from nothing, beside the import of torch. One command:

    python -m benchmarks.cold_check --rounds 7

Three processes in turn, round after round, so that whatever else the machine does touches all of them alike:
`python -c "import torch"`, the same with torchvision, and `learn check 05` of a right answer in a workspace,
confined. For ours also the time to its first words. The files are in the page cache, as on a machine in use.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from grader.catalogue import Catalogue

LEARN = [sys.executable, "-m", "grader.cli"]


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds to the first byte that it says (to its end, if it says nothing), and to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    first = process.stdout.read(1)
    spoken = time.perf_counter() - started
    rest = process.stdout.read()
    if process.wait():
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{(first + rest).decode()}")
    return spoken, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--exercise", default="05")
    asked = parser.parse_args()
    exercise = Catalogue.load().find(asked.exercise)
    base = Path(tempfile.mkdtemp(prefix="autogradebook-benchmark-"))
    commands = {
        "import torch": [sys.executable, "-c", "import torch"],
        "import torch, torchvision": [sys.executable, "-c", "import torch, torchvision"],
        f"learn check {asked.exercise}": [*LEARN, "check", asked.exercise],
    }
    ours = list(commands)[-1]
    ends: dict[str, list[float]] = {name: [] for name in commands}
    spoken: list[float] = []
    try:
        subprocess.run([*LEARN, "init", str(base / "pytorch")], check=True, capture_output=True)
        shutil.copy(exercise.solution, base / "pytorch" / exercise.file_name)
        for round_ in range(asked.rounds + 1):
            for name, command in commands.items():
                first, end = timed(command, base / "pytorch")
                if not round_:
                    # Reads the files from the disk and writes what Python compiles.
                    continue
                ends[name].append(end)
                if name == ours:
                    spoken.append(first)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    import torch

    print(f"{date.today()}  {platform.machine()}, {platform.system()} {platform.release()}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}, torch {torch.__version__}")  # fmt: skip
    print(f"{asked.rounds} rounds, seconds:")
    print(f"  {'':<28}{'median':>9}{'least':>9}{'ratio':>10}")
    floor = statistics.median(ends["import torch"])
    for name, times in ends.items():
        median = statistics.median(times)
        print(f"  {name:<28}{median:9.2f}{min(times):9.2f}{median / floor:8.2f} x")
    print(f"  {'its first words':<28}{statistics.median(spoken):9.2f}{min(spoken):9.2f}")


if __name__ == "__main__":
    main()
