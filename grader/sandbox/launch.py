"""How a sandboxed Python is started: its environment, what it may read, and bubblewrap around it."""

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
# All of ours that a sandboxed process may read.
OURS = (PACKAGE / "__init__.py", PACKAGE / "core", PACKAGE / "sandbox")
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/opt", "/nix/store")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/alternatives")
_CPU = "/sys/devices/system/cpu"


@dataclass(frozen=True)
class Launch:
    """A command line, its environment, and what the confinement inside must know."""

    argv: tuple[str, ...]
    env: dict[str, str]
    read: tuple[str, ...]
    scratch_root: str
    bubblewrap: bool


def prepare(
    module: str,
    arguments: Sequence[str],
    *,
    scratch_root: str,
    hidden: Sequence[Path],
    bwrap: str | None,
    scratch_mb: int,
    device: str = "cpu",
) -> Launch:
    """The way to run `python -m module` as a sandbox.

    `hidden` are folders that must not be seen even where they lie inside Python's own (an installed
    package carries its solutions; a checkout may lie under /usr or /opt). With `bwrap`, the scratch folder
    is a file system in memory of at most `scratch_mb`, unless `scratch_root` exists and is to be shared.
    """
    roots = _roots()
    hide = [*(Path(path).resolve() for path in hidden), PACKAGE]
    read = tuple(dict.fromkeys(str(path) for root in roots for path in _without(root, hide) if path.exists())) + tuple(
        str(path) for path in OURS
    )
    argv = [sys.executable, "-s", "-P", "-m", module, *arguments]
    env = _environment(device)
    if bwrap is None:
        return Launch(tuple(argv), env, read, scratch_root, False)
    wrap = [bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    for name, value in env.items():
        wrap += ["--setenv", name, value]
    for root in roots:
        # A root may be a link (/bin on a merged system): bubblewrap follows the source, the target is as named.
        wrap += ["--ro-bind-try", str(root), str(root)]
    for path in hide:
        if any(path.is_relative_to(root) for root in roots) and path.is_dir():
            wrap += ["--tmpfs", str(path)]
    for path in OURS:
        wrap += ["--ro-bind", str(path), str(path)]
    wrap += ["--ro-bind-try", _CPU, _CPU, "--proc", "/proc", "--dev", "/dev"]
    if device != "cpu":
        for part in sorted(Path("/dev").glob("nvidia*")):
            wrap += ["--dev-bind-try", str(part), str(part)]
        wrap += ["--ro-bind-try", "/sys", "/sys"]
    if Path(scratch_root).is_dir():
        wrap += ["--bind", scratch_root, scratch_root]
    else:
        wrap += ["--size", str(scratch_mb * 1024 * 1024), "--tmpfs", scratch_root]
    wrap += ["--chdir", scratch_root, "--"]
    # The caller's variables would stay readable in process 1's environ: bubblewrap itself starts with ours.
    return Launch((*wrap, *argv), env, read, scratch_root, True)


def _roots() -> list[Path]:
    """Folders and files that Python, torch and the system's libraries are read from."""
    found = [Path(part) for part in (*_SYSTEM, *_SYSTEM_FILES)]
    found += [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent]
    found += [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    for name in ("torch", "torchvision", "numpy", "PIL"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            found.append(Path(spec.origin).parent.parent)
    kept: list[Path] = []
    for path in found:
        if path.exists() and path != Path("/") and not any(path.is_relative_to(other) for other in kept):
            kept = [other for other in kept if not other.is_relative_to(path)] + [path]
    return kept


def _without(root: Path, hide: Sequence[Path]) -> list[Path]:
    """`root` as a list of paths that together hold all of it but `hide`."""
    if any(root.resolve().is_relative_to(path) for path in hide):
        return []
    if not any(path.is_relative_to(root.resolve()) for path in hide):
        return [root]
    return [part for child in sorted(root.iterdir()) for part in _without(child, hide)]


def _environment(device: str) -> dict[str, str]:
    """Nothing of the caller's environment but what Python needs to find its libraries."""
    env = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": "/",
        "USER": "learner",
        "LOGNAME": "learner",
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        # Before the import of NumPy and torch, or they start threads and no fork is safe.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        # Even asking for CUDA would poison the forks, and a learner's own `cuda.is_available()` must say no.
        "CUDA_VISIBLE_DEVICES": "",
    }
    if device != "cpu":
        env.pop("CUDA_VISIBLE_DEVICES")
        env["CUDA_MODULE_LOADING"] = "LAZY"
        # Deterministic matrix products, so that a seed repeats a run.
        env["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    for name in ("LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP"):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


def find_bwrap() -> str | None:
    return shutil.which("bwrap")
