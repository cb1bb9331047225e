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
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import OurFault
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.report.atomic import write_text
from grader.report.figures import BINS, ENOUGH_STUDENTS, ClassFigures
from grader.report.listing import Listing, line_of, listing
from grader.report.results import Results, Standing, number, percent, share, unsettled

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
_STUDENTS = "students"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_INDENT = re.compile(r"\n\s*")


def write(results: Results, out: Path, templates: Path) -> list[Path]:
    """The class page and a page for each student. One page that fails does not keep the others from being written."""
    press = _Press(templates)
    figures = ClassFigures(results)
    pages: list[tuple[Path, Callable[[], str]]] = [
        (out / student_href(student), partial(student_page, press, figures, student)) for student in results.everyone
    ]
    # Last, so that it never links to a page that is not there yet.
    pages.append((out / "index.html", partial(class_page, press, figures)))
    written: list[Path] = []
    failed: list[tuple[Path, Exception]] = []
    for path, render in pages:
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


def cell(results: Results, student: str, exercise: str) -> Cell:
    attempt = results.attempt(student, exercise)
    if attempt is None:
        return Cell("none", "–", "not handed in")
    href = f"{student_href(student)}#{anchor(exercise)}"
    status = attempt.status
    if unsettled(attempt):
        return Cell("again", SIGNS[Verdict.INTERNAL_ERROR], Verdict.INTERNAL_ERROR.words, href)
    got = share(attempt.score, attempt.max_score)
    words = "" if status is Verdict.PASSED else status.words
    return Cell(level(got), f"{SIGNS[status]} {number(attempt.score)}", words, href)


def level(got: float | None) -> str:
    """The class of a share of points: s0 for none of them, s5 for all, s1 to s4 for the quarters between."""
    if got is None:
        return "none"
    if got <= 0:
        return "s0"
    return "s5" if got >= 1 else f"s{1 + min(int(got * 4), 3)}"


def class_page(press: "_Press", figures: ClassFigures) -> str:
    results = figures.results
    return press.page(
        "class.html.j2",
        styles=("style.css", "class.css"),
        script="class.js",
        results=results,
        figures=figures,
        standings=list(results.standings.values()),
        row=lambda student: [cell(results, student, name) for name in results.exercise_names],
        enough=ENOUGH_STUDENTS,
        bins=BINS,
        run=_run(results),
    )


@dataclass(frozen=True)
class CheckView:
    """A check as a student's page shows it."""

    check: CheckResult
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
    attempt: Attempt | None
    max_score: float
    checks: tuple[CheckView, ...] = ()
    code: Listing | None = None

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
        return level(share(self.attempt.score, self.attempt.max_score))

    @cached_property
    def marked(self) -> frozenset[int]:
        """Lines of the code that a check points to."""
        return frozenset(view.line for view in self.checks if view.line is not None)


def student_page(press: "_Press", figures: ClassFigures, student: str) -> str:
    results = figures.results
    standing: Standing = results.standings[student]
    return press.page(
        "student.html.j2",
        styles=("style.css", "student.css"),
        script=None,
        results=results,
        standing=standing,
        exercises=[_exercise_view(figures, student, name) for name in results.exercise_names],
        run=_run(results),
    )


def _exercise_view(figures: ClassFigures, student: str, name: str) -> ExerciseView:
    results = figures.results
    known = results.exercise(name)
    attempt = results.attempt(student, name)
    view = ExerciseView(
        name=name,
        title=results.title_of(name),
        number=f"{known.number:02d}" if known else "",
        attempt=attempt,
        max_score=results.max_score(student, name),
    )
    if attempt is None:
        return view
    submission = results.source(attempt)
    code = listing(submission) if submission else None
    shown_lines = len(code.lines) if code else 0
    checks = []
    for check in attempt.checks:
        line = line_of(check.where, submission)
        sentence = figures.sentence(name, check.misconception) if check.misconception else ""
        checks.append(
            CheckView(
                check=check,
                line=line if line is not None and 0 < line <= shown_lines else None,
                sentence="" if sentence.strip() in check.message else sentence,
            )
        )
    return ExerciseView(
        name=view.name,
        title=view.title,
        number=view.number,
        attempt=attempt,
        max_score=view.max_score,
        checks=tuple(checks),
        code=code,
    )


def _run(results: Results) -> list[tuple[str, str]]:
    """What a reader must know to repeat the run."""
    return [
        ("graded", f"{results.created:%Y-%m-%d %H:%M} {results.created.tzname() or ''}".strip()),
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
        )
        self._environment.filters.update(number=number, percent=percent, name=shown_name, bounded=bounded)

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

    def _inline(self, name: str) -> Markup:
        """One of our own files, to stand in a page as it is."""
        if name not in self._inlined:
            text = _COMMENT.sub("", (self._folder / name).read_text(encoding="utf-8"))
            self._inlined[name] = Markup(_INDENT.sub("\n", text).strip())
        return self._inlined[name]


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
