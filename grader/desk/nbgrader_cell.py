"""What a test cell of nbgrader calls: `judged("ps1", "05_view_vs_reshape", "test_is_copy")`.

Theory of operation. Three processes take part:

    nbgrader        runs the notebook, and reads each test cell's points off its output: the last expression, a
                    number from 0 to the cell's points. Whatever a test cell writes to stderr makes it a zero.
    the kernel      has run the learner's cells, so it holds nothing that is hidden. `judged` reads the notebook as
                    nbgrader has saved it, hands it to a judge, and shows what came back.
    the judge       `python -m grader.desk.nbgrader_cell` below: reads the code of the notebook as `learn grade`
                    does, judges it in a confined process of its own, and answers with points and words for each check.

The judge is asked once for the same code, by the first test cell; the others show what it said. Where it cannot say
(our own failure, a machine that lacks something, nbgrader's patience at an end), the cell's value is infinite.
nbgrader takes no value above the cell's points: it reports an error for this student and scores nothing. A failure
of ours is never a zero.

What this cannot promise: the learner's code has run in the kernel that says the number, and could say another.
`learn grade` with `learn nbgrader scores` is the way on which it can't.
"""

import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.core.attempt import Attempt, CheckResult
    from grader.core.submission import Submission

Answer = dict[str, Any]
""" {"checks": {cell: [points, text]}} or {"fault": sentence}."""

_heard: dict[tuple[str, ...], Answer] = {}


# ------------------------------------------------------------------------------------------------ in the kernel


def judged(assignment: str, exercise: str, cell: str) -> float:
    """Show what the judge says of one check of this notebook, and give its points."""
    try:
        answer = _answer(assignment, exercise)
    except Exception as error:  # noqa: BLE001 - what a test cell raises, nbgrader takes for a zero
        return _unknown(f"The judge could not be asked ({type(error).__name__}: {error}).")
    if "fault" in answer:
        return _unknown(answer["fault"])
    if cell not in answer["checks"]:
        return _unknown(
            f"{exercise} has no check `{cell}` any more: make the assignment anew with `learn nbgrader source`."
        )
    points, text = answer["checks"][cell]
    print(text)
    return float(points)


def _unknown(reason: str) -> float:
    print(f"Not scored. {reason}")
    return math.inf


def _answer(assignment: str, exercise: str) -> Answer:
    folder = _folder()
    try:
        notebook = (folder / f"{exercise}.ipynb").read_bytes()
    except OSError as error:
        return {"fault": f"{exercise}.ipynb can't be read: {error.strerror}. Keep its name, and save it."}
    key = (assignment, exercise, hashlib.sha256(_code(notebook)).hexdigest())
    if key in _heard:
        return _heard[key]
    answer = _ask(folder, notebook, assignment, exercise)
    # Who runs a cell by hand may try again; nbgrader would only wait once more for each cell.
    if "fault" not in answer or "NBGRADER_EXECUTION" in os.environ:
        _heard[key] = answer
    return answer


def _folder() -> Path:
    """Where the notebook lies: the kernel began there, wherever the learner's code has gone since."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return Path(shell.starting_dir if shell is not None else os.curdir)


def _code(notebook: bytes) -> bytes:
    """What decides the verdict: the code, and not the outputs that a saved notebook has gained."""
    try:
        cells = json.loads(notebook)["cells"]
        return json.dumps([cell["source"] for cell in cells if cell["cell_type"] == "code"]).encode()
    except (ValueError, KeyError, TypeError):
        return notebook


def _ask(folder: Path, notebook: bytes, assignment: str, exercise: str) -> Answer:
    # -P: what lies beside the notebook is the learner's, and must not be imported by the judge.
    command = [sys.executable, "-P", "-m", __name__, str(folder), assignment, exercise]
    try:
        done = subprocess.run(command, input=notebook, capture_output=True, check=False)
        answer: Answer = json.loads(done.stdout)
    except KeyboardInterrupt:
        return {
            "fault": "The judge was interrupted, or needed longer than nbgrader waits for a cell. "
            "Let it wait longer: `learn nbgrader source` says how."
        }
    except (OSError, ValueError) as error:
        return {"fault": f"The judge did not answer ({type(error).__name__}). `learn doctor` says what it may lack."}
    return answer


# --------------------------------------------------------------------------------------------------- the judge


def _judge(folder: Path, notebook: bytes, assignment: str, exercise: str) -> Answer:
    from grader.catalogue import Catalogue
    from grader.core.submission import Submission, digest
    from grader.desk.nbgrader_course import cell_of, terms_of
    from grader.flow import check_one
    from grader.intake.read import decode
    from grader.judge.device import resolve
    from grader.judge.settings import Settings

    terms = terms_of(folder, assignment)
    wanted = Catalogue.load(terms.pack).find(exercise)
    name = f"{exercise}.ipynb"
    decoded = decode(name, notebook)
    submission = Submission("", wanted.name, name, decoded.source, digest(notebook), decoded.cells, decoded.notes)
    hidden = (terms.course, *((terms.pack,) if terms.pack else ()))
    attempt = check_one(wanted, submission, Settings(terms.seed, resolve(terms.device), hidden=hidden))
    if attempt.score is None:
        return {"fault": f"It needs regrading. {_why(attempt)}"}
    first = attempt.checks[0].id
    return {
        "checks": {
            cell_of(check.id): [check.points, _told(check, submission, attempt.note if check.id == first else "")]
            for check in attempt.checks
            if check.counts
        }
    }


def _why(attempt: "Attempt") -> str:
    from grader.core.verdict import Verdict

    return next((check.message for check in attempt.checks if check.status is Verdict.INTERNAL_ERROR), "")


def _told(check: "CheckResult", submission: "Submission", note: str) -> str:
    """A check's verdict in plain text, as the feedback page shows it."""
    from grader.core.text import clean, one_line
    from grader.report.listing import line_of, source_line
    from grader.report.results import number

    points = f"{number(check.points)} of {number(check.max_points)} points"
    lines = [f"{one_line(check.title)}: {check.status.words} ({points})"]
    lines += _indented(clean(check.message))
    if check.where:
        line = line_of(check.where, submission)
        quoted = source_line(submission, line).strip() if line else ""
        lines.append(f"  {one_line(check.where)}" + (f":  {clean(quoted)}" if quoted else ""))
    for name, text in (("given", check.given), ("your code printed", check.printed)):
        if text.strip():
            lines += [f"  {name}", *_indented(clean(text), 4)]
    return "\n".join([*lines, *_indented(clean(note), 0)])


def _indented(text: str, by: int = 2) -> list[str]:
    return [" " * by + line for line in text.strip("\n").splitlines()]


def _main(folder: str, assignment: str, exercise: str) -> None:
    from grader.core.errors import AutogradebookError
    from grader.intake.decoded import NotReadable

    # Whatever else is printed here must not be taken for the answer.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        answer = _judge(Path(folder), sys.stdin.buffer.read(), assignment, exercise)
    except (AutogradebookError, NotReadable) as fault:
        answer = {"fault": str(fault)}
    with channel:
        channel.write(json.dumps(answer).encode())


if __name__ == "__main__":
    _main(*sys.argv[1:])
