"""index.html for the class and students/NAME.html for each student, from the templates.

Every page stands alone: its style and its script are inside it, and a Content-Security-Policy allows these two by
their hashes and nothing else, so that even markup which got through would load and run nothing. What pages
show of others' text is escaped by Jinja and cleaned of control characters, both for every value, by default.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import OurFault
from grader.core.grade import Grade
from grader.core.history import Past
from grader.core.submission import digest
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.report.atomic import write_text
from grader.report.figures import BINS, ENOUGH_STUDENTS, ClassFigures
from grader.report.listing import Listing, line_of, listing
from grader.report.results import Results, Standing, finite, number, percent, share, unsettled

SIGNS = {
    Verdict.PASSED: "✓",
    Verdict.FAILED: "✗",
    Verdict.ERROR: "!",
    Verdict.TIMEOUT: "◷",
    Verdict.CRASHED: "†",
    Verdict.NOT_ATTEMPTED: "○",
    Verdict.SKIPPED: "»",
    Verdict.INTERNAL_ERROR: "↻",
}
"""A sign for each verdict, so that no meaning hangs on colour alone."""

NAME_WIDTH = 80
STEPS = 4
"""That many things to look at first are not too many."""
_STUDENTS = "students"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_STATE = re.compile(rb'<meta name="state" content="([0-9a-f]{64})">')
_INDENT = re.compile(r"\n\s*")


def write(results: Results, out: Path, templates: Path) -> list[Path]:
    """The class page and a page for each student. One page that fails does not keep the others from being written.

    A page that says what it said before is left as it is, with the time at which that was found.
    """
    press = _Press(templates)
    figures = ClassFigures(results)
    run = f"{press.digest} {_run(results)[1:]} {results.title!r} {results.trusted} {results.policy} {results.due}"
    states = {student: _state(run, _shown_of(figures, student)) for student in results.everyone}
    pages: list[tuple[Path, str, Callable[[], str]]] = [
        (out / student_href(student), state, partial(student_page, press, figures, student, state))
        for student, state in states.items()
    ]
    # Last, so that it never links to a page that is not there yet.
    exercises = [(one.number, one.name, one.title) for one in results.exercises]
    of_class = _state(run, repr((results.students, exercises, results.unreadable)), *states.values())
    pages.append((out / "index.html", of_class, partial(class_page, press, figures, of_class)))
    written: list[Path] = []
    failed: list[tuple[Path, Exception]] = []
    for path, state, render in pages:
        if _state_of(path) == state:
            written.append(path)
            continue
        try:
            text = render()
        except Exception as error:  # noqa: BLE001 - one bad value must not cost the class its report
            failed.append((path, error))
        else:
            written.append(write_text(path, text, durable=path.name == "index.html"))
    if failed:
        path, first = failed[0]
        raise OurFault(
            f"{len(failed)} of {len(pages)} pages of the report could not be made, the first is {path.name} "
            f"({one_line(repr(first), 200)}). All others are written, and no grade is touched."
        ) from first
    return written


def _shown_of(figures: ClassFigures, student: str) -> str:
    """All that a student's page is made of, but for the run and the templates."""
    results = figures.results
    shown: list[object] = [results.standings[student]]
    for name in results.exercise_names:
        grade = figures.grades[student, name]
        known = results.exercise(name)
        source = results.source(grade.attempt) if grade.attempt else None
        shown += (known and (known.number, known.title, known.misconceptions), grade, results.history(student, name))
        shown += (source.sha256, source.cells, source.notes) if source else ()
    return repr(shown)


def _state(*parts: str) -> str:
    return digest("\0".join(parts).encode("utf-8", "surrogatepass"))


def _state_of(page: Path) -> str | None:
    """The state that a page which was written before names."""
    try:
        with open(page, "rb") as file:
            found = _STATE.search(file.read(4096))
    except OSError:
        return None
    return found[1].decode() if found else None


@lru_cache(maxsize=4096)
def student_href(student: str) -> str:
    """The page of a student, relative to the class page.

    Made from the name alone, so that links survive a second run: a part to read, and a part of its hash that
    keeps two names apart even where one of them was made up to look like the other.
    """
    readable = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", readable).strip("-")[:24].strip("-") or "student"
    mark = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{_STUDENTS}/{slug}-{mark}.html"


@lru_cache(maxsize=4096)
def anchor(exercise: str) -> str:
    """The place of an exercise on a student's page."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", exercise):
        return f"ex-{exercise}"
    return f"ex-{hashlib.sha256(exercise.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


@dataclass(frozen=True)
class Cell:
    """One field of the heat map."""

    css: str
    text: str
    words: str = ""
    """The verdict for those who do not see the sign; nothing for a plain pass."""
    href: str = ""


def cell(grade: Grade) -> Cell:
    attempt = grade.attempt
    if attempt is None and not grade.adjustments:
        return Cell("none", "–", "not handed in")
    href = f"{student_href(grade.student)}#{anchor(grade.exercise)}"
    if attempt is not None and unsettled(attempt):
        return Cell("again", SIGNS[Verdict.INTERNAL_ERROR], Verdict.INTERNAL_ERROR.words, href)
    status = attempt.status if attempt else None
    signs = [SIGNS[status] if status else "–", number(grade.score)]
    words = [] if status is Verdict.PASSED else [status.words if status else "not handed in"]
    if grade.days_late:
        signs.append(f"+{grade.days_late}d")
        words.append(late(grade.days_late))
    if grade.adjustments:
        signs.append("±")
        words.append("adjusted by a person")
    return Cell(level(share(finite(grade.score), grade.possible)), " ".join(signs), ", ".join(words), href)


def late(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'} late"


def level(got: float | None) -> str:
    """The class of a share of points: s0 for none of them, s5 for all, s1 to s4 for the quarters between."""
    if got is None:
        return "none"
    if got <= 0:
        return "s0"
    return "s5" if got >= 1 else f"s{1 + min(int(got * 4), 3)}"


def class_page(press: "_Press", figures: ClassFigures, state: str = "") -> str:
    results = figures.results
    return press.page(
        "class.html.j2",
        state=state,
        styles=("style.css", "class.css"),
        script="class.js",
        results=results,
        figures=figures,
        standings=list(results.standings.values()),
        row=lambda student: [cell(figures.grades[student, name]) for name in results.exercise_names],
        marks=lambda standing: _marks(figures, standing),
        enough=ENOUGH_STUDENTS,
        bins=BINS,
        run=_run(results),
    )


def _marks(figures: ClassFigures, standing: Standing) -> str:
    """The words that the class page filters a student by."""
    grades = [figures.grades[standing.student, name] for name in figures.results.exercise_names]
    marks = {
        "again": bool(standing.regrade),
        "missing": bool(standing.missing),
        "half": standing.share is not None and standing.share < 0.5,
        "late": any(grade.days_late for grade in grades),
        "adjusted": any(grade.adjustments for grade in grades),
    }
    return " ".join(mark for mark, holds in marks.items() if holds)


@dataclass(frozen=True)
class CheckView:
    """A check as a student's page shows it."""

    check: CheckResult
    anchor: str
    line: int | None
    """The line of the listing it points to, where there is a listing with that line."""
    sentence: str
    """What the misconception's own sentence adds to the message."""

    @property
    def evidence(self) -> bool:
        check = self.check
        return bool(check.given or check.printed or check.traceback)

    @property
    def told(self) -> bool:
        """Whether there is more to say than the row of the table does."""
        check = self.check
        explained = check.message or check.misconception or check.where
        return self.evidence or bool(explained and check.status is not Verdict.PASSED)


@dataclass(frozen=True)
class ExerciseView:
    """An exercise as a student's page shows it; `attempt` is None for one that was not handed in."""

    name: str
    title: str
    number: str
    grade: Grade
    history: tuple[Past, ...] = ()
    """Every attempt that was ever graded, the newest first."""
    checks: tuple[CheckView, ...] = ()
    code: Listing | None = None

    @property
    def attempt(self) -> Attempt | None:
        return self.grade.attempt

    @property
    def anchor(self) -> str:
        return anchor(self.name)

    @cached_property
    def status(self) -> Verdict | None:
        if self.attempt is None:
            return None
        return Verdict.INTERNAL_ERROR if unsettled(self.attempt) else self.attempt.status

    @cached_property
    def level(self) -> str:
        if self.attempt is None:
            return "none"
        if unsettled(self.attempt):
            return "again"
        return level(share(finite(self.grade.score), self.grade.possible))

    @cached_property
    def marked(self) -> frozenset[int]:
        """Lines of the code that a check points to."""
        return frozenset(view.line for view in self.checks if view.line is not None)


@dataclass(frozen=True)
class Step:
    """Something for a student to look at: a check that cost points."""

    view: ExerciseView
    item: CheckView

    @property
    def lost(self) -> float:
        return self.item.check.max_points - self.item.check.points


def first_steps(exercises: list[ExerciseView]) -> list[Step]:
    """The checks to look at first: in each exercise the dearest that failed, and of those the dearest.

    What was skipped waits for another check, and what needs regrading for us.
    """
    waiting = (Verdict.PASSED, Verdict.SKIPPED, Verdict.NOT_ATTEMPTED, Verdict.INTERNAL_ERROR)
    steps = []
    for view in exercises:
        failed = [Step(view, item) for item in view.checks if item.check.status not in waiting and item.check.counts]
        if failed and view.status is not Verdict.INTERNAL_ERROR:
            steps.append(max(failed, key=lambda step: step.lost))
    return sorted(steps, key=lambda step: -step.lost)[:STEPS]


def student_page(press: "_Press", figures: ClassFigures, student: str, state: str = "") -> str:
    results = figures.results
    standing: Standing = results.standings[student]
    exercises = [_exercise_view(figures, student, name) for name in results.exercise_names]
    return press.page(
        "student.html.j2",
        state=state,
        styles=("style.css", "student.css"),
        script=None,
        results=results,
        standing=standing,
        exercises=exercises,
        steps=first_steps(exercises),
        run=_run(results),
    )


def _exercise_view(figures: ClassFigures, student: str, name: str) -> ExerciseView:
    results = figures.results
    known = results.exercise(name)
    view = ExerciseView(
        name=name,
        title=results.title_of(name),
        number=f"{known.number:02d}" if known else "",
        grade=figures.grades[student, name],
        history=tuple(reversed(results.history(student, name))),
    )
    attempt = view.attempt
    if attempt is None:
        return view
    submission = results.source(attempt)
    code = listing(submission) if submission else None
    shown_lines = len(code.lines) if code else 0
    checks = []
    for place, check in enumerate(attempt.checks, start=1):
        line = line_of(check.where, submission)
        sentence = figures.sentence(name, check.misconception) if check.misconception else ""
        checks.append(
            CheckView(
                check=check,
                anchor=f"{view.anchor}-c{place}",
                line=line if line is not None and 0 < line <= shown_lines else None,
                sentence="" if sentence.strip() in check.message else sentence,
            )
        )
    return replace(view, checks=tuple(checks), code=code)


def _run(results: Results) -> list[tuple[str, str]]:
    """What a reader must know to repeat the run."""
    return [
        ("graded", when(results.created)),
        ("confinement", results.confinement or "none"),
        ("device", results.device),
        ("seed", str(results.seed)),
        ("torch", results.torch),
        ("Autogradebook", results.grader),
    ]


class _Press:
    """The templates, made ready once for all pages."""

    def __init__(self, templates: Path) -> None:
        self._folder = templates
        ours = [*sorted(Path(__file__).parent.glob("*.py")), *sorted(templates.iterdir())]
        self.digest = digest(b"".join(path.read_bytes() for path in ours if path.is_file()))
        """Of the templates and of the code that fills them: what they were other before makes other pages."""
        self._inlined: dict[str, Markup] = {}
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            finalize=_fit_to_be_shown,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            Verdict=Verdict,
            signs=SIGNS,
            level=level,
            share=share,
            student_href=student_href,
            anchor=anchor,
            late=late,
        )
        self._environment.filters.update(number=number, percent=percent, name=shown_name, bounded=bounded, when=when)

    def page(self, template: str, *, styles: tuple[str, ...], script: str | None, **values: Any) -> str:
        style = Markup("\n").join(self._inline(name) for name in styles)
        code = self._inline(script) if script else None
        policy = "; ".join(
            [
                "default-src 'none'",
                f"style-src {_hash(style)}",
                f"script-src {_hash(code) if code else chr(39) + 'none' + chr(39)}",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
            ]
        )
        return self._environment.get_template(template).render(style=style, script=code, policy=policy, **values)

    def part(self, template: str, style: str, **values: Any) -> str:
        """Something that is to stand in a page of others."""
        return self._environment.get_template(template).render(style=self._inline(style), **values)

    def _inline(self, name: str) -> Markup:
        """One of our own files, to stand in a page as it is."""
        if name not in self._inlined:
            text = _COMMENT.sub("", (self._folder / name).read_text(encoding="utf-8"))
            self._inlined[name] = Markup(_INDENT.sub("\n", text).strip())
        return self._inlined[name]


def when(moment: datetime | str | None) -> str:
    """A moment with its offset from UTC, "2026-12-01 23:59 UTC+01:00"; an ISO 8601 text is read first."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return one_line(str(moment), 40)
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".rstrip() if moment else "–"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _fit_to_be_shown(value: Any) -> Any:
    """Stands behind every value of every template: text leaves it without characters that steer."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return bounded(value, len(value))


def bounded(text: str, limit: int) -> str:
    """`clean`, and quick for the many texts that need nothing: what is printable steers nothing."""
    if len(text) <= limit and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return clean(text, limit)


@lru_cache(maxsize=4096)
def shown_name(text: str) -> str:
    """A name or path on one line, cut where it is too long to be one."""
    shown = one_line(text, NAME_WIDTH + 1) or "(no name)"
    return shown if len(shown) <= NAME_WIDTH else shown[: NAME_WIDTH - 1] + "…"
