"""`learn VERB`: one file a verb, imported only when it is used, so that every verb starts at once."""

import atexit
import contextlib
import importlib
import os
import pkgutil
import sys
from typing import Any

import click

from grader.core.errors import AutogradebookError

# The files that are verbs' helpers and not verbs.
_HELPERS = {"common"}
# `list` and `next` would shadow builtins inside their own modules; the verb is the file's name without "_".
_SECTIONS = {
    "Learner": ("init", "next", "list", "check", "watch", "notebook", "hint", "solution", "reset", "report", "doctor"),
    "Instructor": (
        "grade",
        "adjust",
        "history",
        "export",
        "release",
        "nbgrader",
        "gradescope",
        "classroom",
    ),
    "Author": ("author",),
}


class _Verbs(click.Group):
    """Finds a verb's module by its name, and ends every expected failure with a sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        modules = (module.name for module in pkgutil.iter_modules(__path__))
        found = {name.rstrip("_") for name in modules if not name.startswith("_")} - _HELPERS
        known = [verb for verbs in _SECTIONS.values() for verb in verbs if verb in found]
        return known + sorted(found - set(known))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        name = next(m.name for m in pkgutil.iter_modules(__path__) if m.name.rstrip("_") == cmd_name)
        command: click.Command = importlib.import_module(f"{__name__}.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        verbs = self.list_commands(ctx)
        placed = {verb for section in _SECTIONS.values() for verb in section}
        sections = {**_SECTIONS, "More": tuple(verb for verb in verbs if verb not in placed)}
        for title, names in sections.items():
            rows = []
            for name in names:
                command = self.get_command(ctx, name) if name in verbs else None
                if command is not None:
                    rows.append((name, command.get_short_help_str(90)))
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AutogradebookError as fault:
            click.echo(f"learn: {fault}", err=True)
            ctx.exit(fault.exit_code)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autogradebook", prog_name="learn")
def cli() -> None:
    """Learn PyTorch by exercises that grade themselves.

    Begin with `learn init`, then `learn next`.
    """


def main() -> None:
    """The entry point `learn`."""
    # Names and messages may hold any character; a terminal that cannot show one must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        cli(prog_name="learn")
    except SystemExit as ended:
        if "torch" in sys.modules and ended.code in (0, 1, 2, 3):
            _leave_at_once(ended.code)
        raise


def _leave_at_once(code: int) -> None:
    """End the process without taking torch down, which takes half a second and changes nothing any more.

    All that was registered to be done at the end is done, and what was written is written.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
