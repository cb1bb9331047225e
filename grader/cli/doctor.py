"""`learn doctor`: what this machine offers, and what to do about what it lacks."""

import platform
import subprocess
import sys

import click


@click.command(short_help="Say what this machine offers and what it lacks.")
def command() -> None:
    """Say what is installed, how learners' code will be confined, and what to do about what is missing.

    Exits 0 when exercises can be checked here, 2 when they cannot.
    """
    import importlib.metadata

    def line(what: str, told: str) -> None:
        click.echo(f"{what:<15}{told}")

    line("autogradebook", importlib.metadata.version("autogradebook"))
    line("python", f"{platform.python_version()} ({sys.executable})")
    line("system", platform.platform())
    click.echo("Looking at torch …", err=True)
    broken = False
    for module in ("torch", "torchvision"):
        # Each in a process of its own: a broken install may crash it.
        code = f"import {module} as m; print(m.__version__)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            line(module, done.stdout.strip())
            continue
        why = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        line(module, f"cannot be imported: {why[:300]}")
        line("", "-> pip install --upgrade torch torchvision   (the two must match)")
        broken = broken or module == "torch"

    from grader.flow import OFFICIAL, expected_confinement
    from grader.judge.device import gpu_memory
    from grader.sandbox import confinement

    memory = gpu_memory()
    line("cuda", f"{memory / 2**30:.1f} GiB free" if memory else "no device that torch can use; --device cpu works")
    line("worker", "fork: a warm process (fast)" if sys.platform == "linux" else "spawn: a new process each time")
    level = expected_confinement()
    line("confinement", level)
    for name, reason in confinement.probe().reasons.items():
        line("", f"no {name}: {reason}")
    if level in OFFICIAL:
        line("", "other people's submissions may be graded here")
    else:
        line("", "grade other people's submissions only with --trust-submissions; your own code is fine")
    from grader.catalogue import Catalogue, content_root

    line("exercises", f"{len(Catalogue.load())} in {content_root() / 'exercises'}")
    raise SystemExit(2 if broken else 0)
