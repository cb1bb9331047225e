"""What confinement adds to a fork. One command: `python -m benchmarks.confinement`

A warm process, as the zygote is, forks children in turn: one that leaves at once, and one that confines itself
first as a learner's process does (resource limits, no_new_privs, capabilities, Landlock, seccomp). The time is that
from the fork to the end of the child as the parent sees it; the difference is what confinement costs.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable

from grader.sandbox import confinement, launch, warm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forks", type=int, default=200)
    asked = parser.parse_args()
    # Before the import of torch, as for the zygote.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    warm.up()
    scratch = tempfile.mkdtemp(prefix="autogradebook-benchmark-")
    start = launch.prepare("-", [], scratch_root=scratch, hidden=(), bwrap=None, scratch_mb=64)
    confiner = confinement.Confiner(confinement.Plan(start.read, scratch))

    def confined() -> None:
        confiner.apply(scratch, memory_mb=1024, cpu_seconds=60, file_mb=64)

    pairs = [(forked(lambda: None), forked(confined)) for _ in range(asked.forks)]
    os.rmdir(scratch)
    plain, guarded = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
    more = statistics.median(b - a for a, b in pairs) * 1e3
    layers = tuple(name for name, there in vars(confinement.probe()).items() if there and name != "reasons")
    print(f"{asked.forks} pairs of forks, medians; offered here: {', '.join(layers)}; {len(start.read)} readable paths")
    print(f"  fork and leave             {plain:7.2f} ms")
    print(f"  fork, confine and leave    {guarded:7.2f} ms")
    print(f"  confinement adds           {more:7.2f} ms (median of the differences, pair by pair)")


def forked(before_leaving: Callable[[], None]) -> float:
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            before_leaving()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit("a child could not be confined")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
