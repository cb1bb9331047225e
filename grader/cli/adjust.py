"""`learn adjust`: points that a person gives or takes."""

from pathlib import Path
from typing import Any

import click


class _Points(click.ParamType):
    """A number as people write it, with either sign."""

    name = "points"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            # The sign that typography has for minus comes along when it is copied from a text.
            return float(str(value).strip().replace("\N{MINUS SIGN}", "-"))
        except ValueError:
            self.fail(f"'{value}' is no number of points: say +1.5 or -2.", param, ctx)


# To click, a number below zero looks like an option. A mistyped option is still refused, as one word too many.
@click.command(short_help="Give or take points, with a reason.", context_settings={"ignore_unknown_options": True})
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.argument("student")
@click.argument("exercise", metavar="NN")
@click.argument("points", type=_Points())
@click.option("--reason", required=True, help="Why: it stands in the reports, and the student reads it.")
def command(out: Path, student: str, exercise: str, points: float, reason: str) -> None:
    """Give STUDENT points in an exercise beside those of the checks, or take some: `+1.5`, `-2`.

    OUT is the folder that `learn grade` wrote to. A regrade keeps what was given. Nothing is ever removed: to take an
    adjustment back, give the opposite.
    """
    from grader.core.text import one_line
    from grader.desk.records import adjust
    from grader.report.results import number

    done = adjust(out, student, exercise, points, reason)
    sign = "+" if points > 0 else ""
    click.echo(f"{one_line(done.after.student)}, {done.after.exercise}: {sign}{points:g} points ({one_line(reason)}).")
    if done.after.score is None:
        click.echo("The checks' points are not known, since it needs regrading; these are added when they are.")
    else:
        click.echo(
            f"The grade was {number(done.before.score)} and is now {number(done.after.score)} "
            f"of {number(done.after.possible)}."
        )
    if done.again is None:
        click.echo("The reports still have the old grade: run the same `learn grade` again, which writes them anew.")
    else:
        click.echo("The reports still have the old grade. This writes them anew, and judges only what changed:")
        click.echo(f"  {done.again}")
