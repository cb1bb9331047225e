"""A course of nbgrader: an assignment's source is made of exercises, and our scores go into the course's gradebook.

In a source notebook an exercise is

    task      its README, locked
    answer    the solution cell: the stub, and between nbgrader's markers the reference solution
    test_...  a cell for each check, with the check's points; what is in it is hidden from students, and asks our
              judge (`nbgrader_cell.py`): neither a check nor an expected answer lies in a notebook

`COURSE/autogradebook.json` says with which seed, from which pack and on which device an assignment is judged.
"""

import ast
import json
import re
import secrets
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import BadExercise, BadFile, MissingPart, WrongUsage
from grader.core.exercise import Exercise
from grader.core.grade import Grade
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.ledger.gradebook import Gradebook, Results
from grader.ledger.nbgrader_gradebook import ANSWER, NbgraderGradebook
from grader.report.atomic import write_text
from grader.report.results import number

if TYPE_CHECKING:
    from grader.judge.runner import CheckItem

TERMS = "autogradebook.json"
CONFIG = "nbgrader_config.py"
TASK = "task"
PATIENCE = 900
"""Seconds that nbgrader is asked to wait for a cell that grades; its own 30 are for the learner's."""

_NAME = re.compile(r"[^/\\+{}*?\s.][^/\\+{}*?]*(?<!\s)")
_CONFIG = f"""c = get_config()  # noqa: F821

# The cells that grade wait for the judge; all others may take nbgrader's usual 30 seconds.
c.Execute.timeout_func = lambda cell: {PATIENCE} if cell.metadata.get("nbgrader", {{}}).get("grade") else 30
"""


# -------------------------------------------------------------------------------------------------- the course


@dataclass(frozen=True)
class Terms:
    """How an assignment is judged."""

    course: Path
    seed: int
    pack: Path | None = None
    device: str = "cpu"


@dataclass(frozen=True)
class Course:
    """The folder of a course, as nbgrader's configuration describes it."""

    folder: Path
    directory: Any
    """nbgrader's CourseDirectory."""
    config: Any
    """traitlets' Config."""

    @classmethod
    def at(cls, folder: Path) -> "Course":
        try:
            from jupyter_core.paths import jupyter_config_path
            from nbgrader.coursedir import CourseDirectory
            from traitlets.config import Application
        except ImportError:
            raise MissingPart("nbgrader is not installed here: pip install 'autogradebook[nbgrader]'") from None
        if not folder.is_dir():
            raise BadFile(f"There is no folder {folder}. Name the folder of the course; `mkdir` makes a new one.")
        root = folder.resolve()
        reader = Application(raise_config_file_errors=True)
        try:
            reader.load_config_file("nbgrader_config", path=[str(root), *jupyter_config_path()])
        except Exception as error:
            told = one_line(f"{type(error).__name__}: {error}")
            raise BadFile(f"nbgrader's configuration can't be read. {told}. Mend nbgrader_config.py.") from error
        return cls(root, CourseDirectory(config=reader.config, root=str(root)), reader.config)

    def place(self, step: str, assignment: str, student: str = ".") -> Path:
        """Where nbgrader keeps an assignment at a step: "source", "submitted", ..."""
        return Path(self.directory.format_path(getattr(self.directory, f"{step}_directory"), student, assignment))

    @property
    def waits_long_enough(self) -> bool:
        for section in ("Execute", "ExecutePreprocessor", "NotebookClient"):
            told = self.config.get(section, {})
            if told.get("timeout_func") is not None or _long(told.get("timeout", 30)):
                return True
        return False


def _long(seconds: Any) -> bool:
    return seconds is None or (isinstance(seconds, int) and (seconds < 0 or seconds >= PATIENCE / 3))


def terms_of(folder: Path, assignment: str) -> Terms:
    """How the assignment that lies in or below `folder` is judged."""
    again = f"make the assignment anew: `learn nbgrader source COURSE {assignment} --force`."
    for course in (folder, *folder.parents):
        if (course / TERMS).is_file():
            known = _read_terms(course / TERMS)
            if assignment not in known["assignments"]:
                raise BadFile(f"{course / TERMS} does not know the assignment {assignment}; {again}")
            told = known["assignments"][assignment]
            pack = course / told["pack"] if told.get("pack") else None
            return Terms(course, int(known["seed"]), pack, str(told.get("device", "cpu")))
    raise BadFile(f"There is no {TERMS} in the folder of the course; {again}")


def _read_terms(file: Path) -> dict[str, Any]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        whole = {"format": 1, "seed": int(known["seed"]), "assignments": dict(known["assignments"])}
    except FileNotFoundError:
        return {"format": 1, "seed": secrets.randbelow(2**31), "assignments": {}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadFile(f"{file} can't be read ({one_line(str(error))}): remove it, and make the source anew.") from error
    return whole


# ------------------------------------------------------------------------------------------------- the source


@dataclass(frozen=True)
class Made:
    """What `learn nbgrader source` did."""

    folder: Path
    written: tuple[Path, ...]
    same: tuple[Path, ...]
    """Notebooks that were there already, and are as they would be written."""
    advice: str = ""
    """What the course's own nbgrader_config.py lacks."""


def make_source(
    folder: Path,
    assignment: str,
    exercises: Sequence[Exercise],
    *,
    pack: Path | None = None,
    device: str = "cpu",
    force: bool = False,
) -> Made:
    """Write a source assignment of these exercises. Replaces no notebook that differs, unless forced."""
    if not _NAME.fullmatch(assignment):
        raise WrongUsage(f"'{assignment}' is no name of an assignment: use letters, digits, - and _.")
    course = Course.at(folder)
    place = course.place("source", assignment)
    texts = {place / f"{name}.ipynb": text for name, text in notebooks(assignment, exercises, device).items()}
    there = {file for file in texts if file.exists()}
    same = {file for file in there if file.read_text(encoding="utf-8", errors="replace") == texts[file]}
    if (differ := sorted(there - same)) and not force:
        names = ", ".join(file.name for file in differ)
        raise WrongUsage(f"{names} in {place} would be replaced, and differ. Add --force to replace them.")
    known = _read_terms(course.folder / TERMS)
    known["assignments"][assignment] = {"pack": _shortest(pack, course.folder), "device": device}
    write_text(course.folder / TERMS, json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    written = [write_text(file, text) for file, text in texts.items() if file not in same]
    advice = "" if course.waits_long_enough else _CONFIG
    if advice and not (course.folder / CONFIG).exists():
        written.append(write_text(course.folder / CONFIG, _CONFIG))
        advice = ""
    return Made(place, tuple(written), tuple(sorted(same)), advice)


def notebooks(assignment: str, exercises: Sequence[Exercise], device: str = "cpu") -> dict[str, str]:
    """The source notebook of each exercise, by its name."""
    checks = _checks(exercises, device)
    return {exercise.name: _notebook(assignment, exercise, checks[exercise.name]) for exercise in exercises}


def _checks(exercises: Sequence[Exercise], device: str) -> "dict[str, list[CheckItem]]":
    """The checks of each exercise that count on this device."""
    from grader.judge.runner import CheckRunner

    runner = CheckRunner(exercises)
    try:
        runner.start()
        for name, fault in runner.faults.items():
            raise BadExercise(f"{name}: its checks could not be collected: {clean(fault, 800)}")
        return {
            exercise.name: [
                check for check in runner.checks[exercise.name] if check.terms.device in (None, device)
            ]
            for exercise in exercises
        }  # fmt: skip
    finally:
        runner.close()


def cell_of(check: str) -> str:
    """The name of a check's cell: nbgrader and Jupyter take letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", check).strip("-")[:64]


def _notebook(assignment: str, exercise: Exercise, checks: "Sequence[CheckItem]") -> str:
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
    from nbgrader.nbgraderformat import SCHEMA_VERSION, MetadataValidator

    if SCHEMA_VERSION != 3:
        raise MissingPart(f"nbgrader's notebooks have the format {SCHEMA_VERSION} here, and 3 is what can be written.")

    def told(name: str, **more: Any) -> dict[str, Any]:
        plain = {"grade": False, "locked": False, "solution": False, "task": False, "schema_version": 3}
        return {"id": name, "metadata": {"nbgrader": {**plain, "grade_id": name, **more}}}

    # The last line of a task names the command for a workspace, which a course of nbgrader is not.
    readme = re.sub(r"\n+Run: `learn [^\n]*$", "", exercise.readme.read_text(encoding="utf-8").strip("\n"))
    cells = [
        new_markdown_cell(readme, **told(TASK, locked=True)),
        new_code_cell(answer_cell(exercise), **told(ANSWER, solution=True)),
    ]
    for check in checks:
        name, points = cell_of(check.id), check.terms.points
        text = _test_cell(assignment, exercise, check)
        cells.append(new_code_cell(text, **told(name, grade=True, locked=True, points=points)))
    book = new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(book)
    MetadataValidator().validate_nb(book)
    return str(nbformat.writes(book)) + "\n"


def _test_cell(assignment: str, exercise: Exercise, check: "CheckItem") -> str:
    points = f"{number(check.terms.points)} point{'' if check.terms.points == 1 else 's'}"
    return "\n".join(
        (
            f"# {one_line(check.title)} ({points})",
            "# It is checked when your notebook is graded.",
            "### BEGIN HIDDEN TESTS",
            "try:",
            "    from grader.desk.nbgrader_cell import judged",
            "except Exception:",
            "    judged = lambda *_: float('inf')  # no autogradebook here: an error of nbgrader, and not a zero",
            f"judged({assignment!r}, {exercise.name!r}, {cell_of(check.id)!r})",
            "### END HIDDEN TESTS",
        )
    )


def answer_cell(exercise: Exercise) -> str:
    """The stub as it is, with a region in its last TODO that holds the whole solution.

    nbgrader puts one `raise NotImplementedError` in the place of the region, so that students receive the stub. In
    the source, what the solution defines at the end of the region takes the place of what the stub has defined
    above. No function has to be cut out of either file.
    """
    stub = exercise.stub.read_text(encoding="utf-8").strip("\n")
    solution = exercise.solution.read_text(encoding="utf-8").strip("\n")
    lines = stub.split("\n")
    todo, around = _last_todo(exercise, stub)
    first, last = todo.lineno - 1, todo.end_lineno or todo.lineno
    region = [" " * todo.col_offset + "### BEGIN SOLUTION", *lines[first:last], "", ""]
    region += ["# The reference solution: it takes the place of what is defined above.", *solution.split("\n")]
    if last < (around.end_lineno or last):
        # The methods that follow were given, and need a class to be indented in.
        region += ["", "", "class Given:"]
    region.append("### END SOLUTION")
    whole = "\n".join([*lines[:first], *region, *lines[last:]])
    try:
        compile(whole, exercise.stub.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        told = f"line {error.lineno}, {error.msg}"
        raise BadExercise(f"{exercise.name}: its stub and its solution do not make one cell: {told}.") from None
    return whole


def _last_todo(exercise: Exercise, stub: str) -> tuple[ast.Raise, ast.stmt]:
    """The last `raise NotImplementedError` of the stub, and what it stands in at the top level."""
    found = [
        (node, statement)
        for statement in ast.parse(stub).body
        for node in ast.walk(statement)
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    ]
    found.sort(key=lambda pair: pair[0].lineno)
    if not found:
        raise BadExercise(f"{exercise.stub} has no `raise NotImplementedError(...)` for the learner to replace.")
    return found[-1]


def _shortest(pack: Path | None, course: Path) -> str | None:
    """Relative to the course where it lies inside, so that the course can be moved."""
    if pack is None:
        return None
    whole = pack.resolve()
    return whole.relative_to(course).as_posix() if whole.is_relative_to(course) else str(whole)


# ------------------------------------------------------------------------------------------------- the scores


@dataclass(frozen=True)
class Told:
    """What `learn nbgrader scores` did."""

    students: int
    notebooks: int
    unknown: tuple[str, ...] = ()
    """What a person must look at: "student, notebook: why"."""
    typed: tuple[str, ...] = ()
    """"student, notebook" whose extra credit was typed in formgrader, so that our adjustment was not put there."""
    elsewhere: tuple[str, ...] = ()
    """Exercises that were graded and are not in this assignment."""


def write_scores(out: Path, folder: Path, assignment: str) -> Told:
    """Put what `learn grade` has found into the course's gradebook. Running it twice changes nothing more."""
    course = Course.at(folder)
    with (
        Gradebook.open(out, create=False, write=False) as ours,
        NbgraderGradebook.open(str(course.directory.db_url), str(course.directory.course_id)) as theirs,
    ):
        results = ours.results()
        if results.pending:
            count = len(results.pending)
            raise WrongUsage(f"{count} submissions in {out} are not graded yet: run `learn grade` to its end first.")
        if not theirs.notebooks(assignment):
            theirs.create(assignment, _source(course, assignment), course.config)
        known = theirs.notebooks(assignment)
        results = _of(assignment, theirs.assignments, results)
        cells = _cells(results.attempts)
        if not known.keys() & cells.keys():
            raise WrongUsage(
                f"Nothing that {out} has grades for is in {assignment}: it holds {', '.join(sorted(known))}."
            )
        for name in known.keys() & cells.keys():
            _agree(assignment, name, known[name], cells[name])
        written = _grades(ours, results, known.keys() & cells.keys())
        unknown, typed = [], []
        for grade in written:
            reason = _unknown(results, grade)
            points = None if reason else _points(grade, cells[grade.exercise])
            stamp = course.directory.get_existing_timestamp(str(course.place("submitted", assignment, grade.student)))
            where = f"{one_line(grade.student)}, {grade.exercise}"
            if theirs.put(assignment, grade, points, _comment(grade, reason), stamp):
                typed.append(where)
            if reason:
                unknown.append(f"{where}: {reason}")
    students = {grade.student for grade in written}
    elsewhere = tuple(sorted(cells.keys() - known.keys()))
    return Told(len(students), len(written), tuple(unknown), tuple(typed), elsewhere)


def _grades(book: Gradebook, results: Results, exercises: Collection[str]) -> list[Grade]:
    """The grade of everybody who has something in one of these exercises, in each of them.

    results: of this assignment only, while `book` knows of all.
    """
    mine = {(one.student, one.exercise) for one in results.attempts}
    has = mine | {(one.student, one.exercise) for one in results.adjustments}
    found = []
    for student in sorted({*results.students, *(one.student for one in results.adjustments)}):
        if any((student, name) in has or _unreadable(results, student, name) for name in exercises):
            for name in sorted(exercises):
                grade = book.grade(student, name)
                found.append(grade if (student, name) in mine else replace(grade, attempt=None, days_late=0))
    return found


def _of(assignment: str, assignments: Collection[str], results: Results) -> Results:
    """Without what lies in the folder of another assignment: an exercise may be in two."""
    others = set(assignments) - {assignment}

    def mine(path: str) -> bool:
        return PurePosixPath(path).parent.name not in others

    return replace(
        results,
        attempts=tuple(one for one in results.attempts if mine(one.path)),
        unreadable=tuple(one for one in results.unreadable if mine(one.path)),
    )


def _cells(attempts: Sequence[Attempt]) -> dict[str, dict[str, float]]:
    """The cells that the checks of each graded exercise have, with their points."""
    found: dict[str, dict[str, float]] = {}
    for attempt in attempts:
        if attempt.score is not None:  # else it may hold no check, and only say what went wrong
            found[attempt.exercise] = {cell_of(one.id): one.max_points for one in attempt.checks if one.counts}
        found.setdefault(attempt.exercise, {})
    return found


def _agree(assignment: str, name: str, theirs: Mapping[str, float], ours: Mapping[str, float]) -> None:
    for cell, points in ours.items():
        if theirs.get(cell) != points:
            raise BadFile(
                f"{assignment} was made when {name} had other checks: its gradebook has no cell {cell} of "
                f"{number(points)} points. Make a new assignment with `learn nbgrader source`, or grade with the "
                "exercises that it was made from."
            )


def _points(grade: Grade, cells: Mapping[str, float]) -> dict[str, float]:
    if grade.attempt is None:
        return dict.fromkeys(cells, 0.0)
    return {cell_of(check.id): check.points for check in grade.attempt.checks if check.counts}


def _unknown(results: Results, grade: Grade) -> str:
    """Why a person must look, or ""."""
    if grade.attempt is not None:
        return "" if grade.score is not None else "It needs regrading: run `learn grade` again."
    return _unreadable(results, grade.student, grade.exercise)


def _unreadable(results: Results, student: str, exercise: str) -> str:
    for one in results.unreadable:
        path = PurePosixPath(one.path)
        if student in path.parts[:-1] and exercise in path.stem:
            return one.reason
    return ""


def _source(course: Course, assignment: str) -> dict[str, Any]:
    """The notebooks of the source, by name."""
    import nbformat

    place = course.place("source", assignment)
    found = {}
    for file in sorted(place.glob("*.ipynb")):
        try:
            found[file.stem] = nbformat.read(file, as_version=4)
        except Exception as error:
            raise BadFile(f"{file} can't be read: {one_line(str(error))}. Make it anew.") from error
    if not found:
        raise BadFile(
            f"The gradebook of {course.folder} does not know {assignment}, and there is no source at {place}. "
            f"`learn nbgrader source {course.folder} {assignment}` makes it."
        )
    return found


def _comment(grade: Grade, reason: str) -> str:
    """What the learner reads beside their answer.

    nbgrader shows a comment as Markdown, HTML in it included. Every line is indented, so that it is shown as it is:
    a message may hold whatever a stranger's code has raised.
    """
    lines = [_sum(grade)] if not reason else [f"Not scored yet. {reason}"]
    if grade.attempt is None:
        lines += [] if reason else ["Nothing was handed in."]
    else:
        lines += [f"  {one_line(line)}" for line in clean(grade.attempt.note).splitlines()]
        for (status, where, message), checks in _alike(grade.attempt).items():
            points = f"{number(sum(one.points for one in checks))} of {number(sum(one.max_points for one in checks))}"
            lines += ["", f"{status.words.capitalize()} ({points}):", *(f"- {one_line(one.title)}" for one in checks)]
            lines += [
                f"  {line}" for line in [*([f"{one_line(where)}:"] if where else []), *clean(message).splitlines()]
            ]
    return "\n".join(
        f"    {part}" for line in lines for part in textwrap.wrap(line, 100, subsequent_indent="  ") or [""]
    )


def _alike(attempt: Attempt) -> dict[tuple[Verdict, str, str], list[CheckResult]]:
    """What did not pass, together where the same is said: a file that does not load fails every check."""
    found: dict[tuple[Verdict, str, str], list[CheckResult]] = {}
    for check in attempt.checks:
        if check.status is not Verdict.PASSED and check.counts:
            found.setdefault((check.status, check.where, check.message), []).append(check)
    return found


def _sum(grade: Grade) -> str:
    told = f"{number(grade.score)} of {number(grade.possible)} points."
    if grade.penalty:
        told += f" {number(grade.penalty)} were lost for being {grade.days_late} days late."
    for one in grade.adjustments:
        told += f" {one.points:+g}: {one_line(one.reason)}"
    return told
