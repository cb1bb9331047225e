"""GitHub Classroom: the workflow of a template repository, and the result that its reporter takes.

The workflow installs the package, judges the files of the repository (`learn classroom result`), and hands the result
to the reporter of classroom-resources. A student can change the workflow and can read the installed package: what
arrives there is quick feedback, and `learn grade` on the instructor's machine is the official run.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.catalogue import templates
from grader.core.errors import BadFile, WrongUsage
from grader.desk.one_student import STUDENT, Judged, chosen
from grader.report import classroom
from grader.report.atomic import write_text

WORKFLOW = Path(".github") / "workflows" / "classroom.yml"


def write_workflow(
    folder: Path, exercises: Sequence[str] = (), *, requirement: str, python: str = "3.12", minutes: int = 15
) -> Path:
    """Write the workflow for these exercises (none: all) into the repository `folder`. Overwrites nothing."""
    wanted = chosen(exercises, None)
    path = folder / WORKFLOW
    if os.path.lexists(path):
        raise WrongUsage(f"{path} is there already. Remove it first, if it is to be made anew.")
    if not requirement.strip() or "\n" in requirement:
        raise WrongUsage("--install wants one requirement as pip takes it, such as autogradebook==0.1.0.")
    text = (templates() / "classroom" / "classroom.yml").read_text(encoding="utf-8").replace("\r\n", "\n")
    text = text.replace("@REQUIREMENT@", json.dumps(requirement)).replace("@PYTHON@", json.dumps(python))
    text = text.replace("@MINUTES@", str(minutes))
    text = text.replace("@OPTIONS@", " ".join(f"--exercise {exercise.name}" for exercise in wanted))
    return write_text(path, text)


def result(judged: Judged) -> dict[str, Any]:
    """What the reporter is told of a student's files."""
    return classroom.as_json(judged.results, STUDENT, fault=judged.fault, unread=judged.unread)


def hand_over(told: dict[str, Any], output: Path) -> None:
    """Add the result to a file of step outputs, as GitHub Actions reads them."""
    try:
        with open(output, "a", encoding="utf-8", newline="\n") as file:
            file.write(f"result={classroom.encoded(told)}\n")
    except OSError as error:
        raise BadFile(f"{output} cannot be written: {error.strerror or error}.") from error
