"""`learn list`: all exercises and how far the learner is."""

import click

from grader.cli.common import Desk


@click.command(short_help="List all exercises and your progress.")
def command() -> None:
    """List all exercises with what you reached in each."""
    from rich.console import Console

    from grader.core.exercise import in_language
    from grader.report.terminal import ExerciseRow, show_exercise_list

    desk = Desk.here()
    current = desk.progress.current(desk.catalogue.names)
    rows = []
    for exercise in desk.catalogue:
        step = desk.progress.step(exercise.name)
        rows.append(
            ExerciseRow(
                exercise.number,
                exercise.name,
                in_language(exercise.title, desk.workspace.language),
                step.best if step.passed else step.last,
                step.best_score if step.passed else step.last_score,
                exercise.points,
                exercise.name == current,
            )
        )
    show_exercise_list(rows, Console())
