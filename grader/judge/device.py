"""Which device a run uses, and how many judges may use it at once."""

import os
import subprocess
import sys

from grader.core.errors import MissingPart, WrongUsage

GPU_BYTES_PER_WORKER = 2 * 2**30
"""A CUDA context and the small tensors of an exercise, with room to spare; a judge holds one context more."""


def resolve(wanted: str) -> str:
    """ "cpu" or "cuda" from what the user asked for. Raises MissingPart where there is no CUDA device.

    Asked in a process of its own: a process that touched CUDA must never fork afterwards.
    """
    if wanted == "cpu":
        return "cpu"
    if wanted not in ("cuda", "auto"):
        raise WrongUsage(f"There is no device '{wanted}': say cpu, cuda or auto.")
    if gpu_memory():
        return "cuda"
    if wanted == "auto":
        return "cpu"
    raise MissingPart(
        "CUDA was asked for, but torch finds no CUDA device here. Use --device cpu; `learn doctor` says what is there."
    )


def gpu_memory() -> int:
    """Free bytes on the CUDA device, 0 where there is none."""
    code = "import torch; print(torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return int(words[-1]) if words and words[-1].isdigit() else 0


def cores() -> int:
    """Processors that this process may run on: a container may own fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_workers(device: str, wanted: int) -> int:
    """As many judges at once as the device's memory allows; each has a worker and a spare."""
    if device == "cpu":
        return wanted
    return max(1, min(wanted, gpu_memory() // (3 * GPU_BYTES_PER_WORKER)))
