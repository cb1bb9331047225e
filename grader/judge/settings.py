"""How a run judges. Imports no torch: the process that only hands out work has it too."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """How a run judges. The seed and the device are part of every result."""

    seed: int = 0
    device: str = "cpu"
    """"cpu" or "cuda"; already resolved."""
    worker: str = "auto"
    """"fork" (a warm zygote), "spawn" (a process for each), or "auto": fork where it can be had."""
    bubblewrap: bool = True
    language: str = "en"
    hidden: tuple[Path, ...] = field(default=())
    """Folders that a sandbox must not see: solutions, checks, other people's files, the gradebook."""
    judges: int = 1
    """How many judges work beside each other on this machine, this one among them."""
    temporary: str = ""
    """Where a judge of a pool keeps what is temporary; its parent removes it."""
