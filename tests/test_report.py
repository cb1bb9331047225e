"""The report room: every format tells the same truth, and nothing that a stranger wrote steers what shows it."""

import base64
import csv
import hashlib
import html
import io
import json
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from grader import report
from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import BadFile, OurFault, WrongUsage
from grader.core.exercise import Exercise, Limits
from grader.core.grade import Adjustment, DueDates, LatePolicy
from grader.core.history import Past, Superseded
from grader.core.submission import HandedIn, SaidBy, Submission, Unreadable, digest
from grader.core.verdict import Verdict
from grader.report import listing as listings
from grader.report import to_csv, to_html, to_json, to_junit
from grader.report.atomic import write_text
from grader.report.figures import ENOUGH_STUDENTS, ClassFigures
from grader.report.results import Results, no_sources, number, percent, well_confined
from grader.report.terminal import ExerciseRow, show_attempt, show_exercise_list

TEMPLATES = Path(__file__).parent.parent / "templates"

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202egnp.exe\x00\"'><img src=x onerror=alert(2)>{{7*7}}[bold]"
HOSTILE_STUDENTS = (
    HOSTILE,
    '=cmd|" /C calc"!A0',
    "../../etc/passwd",
    "Ærøskøbing " * 20,
    "con",
    "",
    "学生一号",
    "\ud800 lone",
)

# -- a made-up class --------------------------------------------------------------------------------------

_WORDS = {
    "04_cat_and_stack": (
        "Join and pile up tensors",
        {"stack-for-cat": "stack makes a new dimension; you were asked to extend dimension 0: use cat."},
        ("Rows are joined in order", "Columns are joined", "A batch is made of images", "split undoes the join"),
    ),
    "05_view_vs_reshape": (
        "View or reshape",
        {
            "reshape-moves-axes": "The shape is right but the values are re-cut: reshape keeps the reading "
            "order, permute moves axes.",
            "view-never-copies": "This reshape copied, so what you wrote into it was lost.",
        },
        ("Each sample becomes one row", "A transposed batch is flattened", "The view writes through",
         "is_copy tells a copy from a view"),
    ),
    "16_nonscalar_backward": (
        "Backward from a vector",
        {"sum-for-weights": "You summed all outputs; the task gives a weight for each: pass gradient=v."},
        ("The weighted gradient arrives", "The same by a scalar", "One row of the Jacobian"),
    ),
    "21_leaves_and_hooks": (
        "Leaves and hooks",
        {"scaled-leaf": "rand(requires_grad=True) * 0.01 is no leaf: its grad stays None. Scale first, then "
         "require the gradient."},
        ("The parameter is a real leaf", "The hook doubles the gradient", "The hook is removed afterwards"),
    ),
    "38_custom_dataset": (
        "A dataset of your own",
        {"no-index-error": "Iterating never ends: __getitem__ must raise IndexError behind the last sample."},
        ("Length is the number of rows", "An image is a float tensor of shape (3, H, W)", "Iteration ends",
         "Labels are int64"),
    ),
    "43_training_loop": (
        "The training loop",
        {
            "no-zero-grad": "Gradients of the last batch are still there: call zero_grad before backward.",
            "mean-of-means": "The last batch is smaller, so the mean of batch means is not the mean.",
        },
        ("One epoch follows the reference", "Gradients are cleared", "The running loss is exact",
         "Training mode is on"),
    ),
    "53_checkpoint_resume": (
        "Save and resume",
        {"weights-only": "Only the weights came back: Adam's moments start at zero, so the first step differs."},
        ("Weights come back", "The optimizer comes back", "The epoch goes on where it stopped"),
    ),
}  # fmt: skip

_CODE = '''"""{title}."""

import torch
from torch import Tensor


def flatten_samples(batch: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C*H*W)"""
    return batch.reshape(batch.shape[0], -1)  # one row each


def flatten_transposed(batch: Tensor) -> Tensor:
    print("shape:", batch.shape)
    return batch.transpose(0, 1).view(-1)


class Pile:
    limit = 3.5

    @property
    def size(self) -> int:
        return len("</script><b>not markup</b>")
'''


def made_up_exercise(name: str, points: float) -> Exercise:
    title, misconceptions, _ = _WORDS[name]
    return Exercise(
        name=name,
        number=int(name[:2]),
        title={"en": title, "zh": f"练习 {name[:2]}"},
        points=points,
        topics=("tensors",),
        minutes=15,
        needs=(),
        limits=Limits(),
        hints=({"en": "Look at the strides."}, {"en": "Try permute."}),
        misconceptions={slug: {"en": text, "zh": f"常见误解：{slug}"} for slug, text in misconceptions.items()},
        folder=Path("exercises") / name,
        solution=Path("solutions") / f"{name}.py",
    )


def made_up_check(name: str, place: int, status: Verdict, chance: random.Random) -> CheckResult:
    _, misconceptions, titles = _WORDS[name]
    passed = status is Verdict.PASSED
    points = 2.0 if place == 1 else 1.0
    check = CheckResult(
        id=f"test_{place}",
        title=titles[place],
        status=status,
        points=points if passed else 0.0,
        max_points=points,
        seconds=0.01,
    )
    if status is Verdict.FAILED:
        slug = chance.choice([*misconceptions, None])
        return replace(
            check,
            misconception=slug,
            message=misconceptions[slug] if slug else "shape (3, 2) was expected, yours is (2, 3)",
            given="batch = tensor([[0., 1., 2.],\n                [3., 4., 5.]])",
            points=points / 2 if chance.random() < 0.2 else 0.0,
        )
    if status is Verdict.ERROR:
        return replace(
            check,
            message="RuntimeError: view size is not compatible with input tensor's size and stride",
            where="line 14",
            traceback="line 14, in flatten_transposed\n    return batch.transpose(0, 1).view(-1)",
            printed="shape: torch.Size([2, 3])\n",
            given="batch = tensor of shape (2, 3), float32",
        )
    messages = {
        Verdict.TIMEOUT: "No answer within 5 seconds.",
        Verdict.CRASHED: "The process ended without an answer (segmentation fault).",
        Verdict.NOT_ATTEMPTED: "Not written yet.",
        Verdict.SKIPPED: "Waits for “Each sample becomes one row”.",
        Verdict.INTERNAL_ERROR: "The reference could not be run.",
    }
    return replace(check, message=messages.get(status, ""))


def made_up_attempt(student: str, name: str, statuses: list[Verdict], chance: random.Random) -> Attempt:
    code = _CODE.format(title=_WORDS[name][0])
    return Attempt(
        student=student,
        exercise=name,
        path=f"{student or 'nobody'}/{name}.py",
        sha256=digest(code.encode()),
        checks=tuple(made_up_check(name, place, status, chance) for place, status in enumerate(statuses)),
        seed=7,
        device="cpu",
        confinement="full",
        torch="2.15.0",
        seconds=0.12,
    )


def made_up_class(size: int = 30, students: tuple[str, ...] | None = None, **changes: Any) -> Results:
    """A class in which every verdict occurs, students differ in strength and exercises in difficulty."""
    chance = random.Random(7)
    firsts = ("Ada", "Boris", "Chiara", "Dmitri", "Emeka", "Fatima", "Greta", "Hiro", "Inès", "Jorge")
    lasts = ("Okafor", "Lindqvist", "Nakamura", "Petrov", "Rossi", "Schäfer", "Tanaka", "Ueda")
    names = students or tuple(
        f"{firsts[i % 10]} {lasts[i // 10 % 8]}{f' {i // 80}' if i >= 80 else ''}" for i in range(size)
    )
    exercises = tuple(made_up_exercise(name, len(words[2]) + 1.0) for name, words in _WORDS.items())
    attempts = []
    for at, student in enumerate(names):
        strength = chance.gauss(0.95, 0.38)
        for place, exercise in enumerate(exercises):
            if at == 17 or chance.random() < 0.04 + 0.02 * place:
                continue
            chances = [strength - 0.06 * place - 0.1 * k for k in range(len(_WORDS[exercise.name][2]))]
            other = [Verdict.FAILED] * 5 + [Verdict.ERROR] * 2 + [Verdict.SKIPPED, Verdict.TIMEOUT]
            statuses = [Verdict.PASSED if chance.random() < likely else chance.choice(other) for likely in chances]
            if Verdict.FAILED not in statuses:  # a check is only skipped where one that it needs failed
                statuses = [Verdict.FAILED if s is Verdict.SKIPPED else s for s in statuses]
            if at % 11 == 3 and place == 4:
                statuses[1] = Verdict.CRASHED
            if at % 14 == 5 and place == 2:
                statuses[-1] = Verdict.INTERNAL_ERROR
            if at % 9 == 4 and place >= 5:
                statuses = [Verdict.NOT_ATTEMPTED] * len(statuses)
            attempts.append(made_up_attempt(student, exercise.name, statuses, chance))
    codes = {attempt.exercise: _CODE.format(title=_WORDS[attempt.exercise][0]) for attempt in attempts}

    def source(student: str, exercise: str) -> Submission | None:
        code = codes[exercise]
        return Submission(student, exercise, f"{student}/{exercise}.py", code, digest(code.encode()))

    results = Results(
        attempts=tuple(attempts),
        exercises=exercises,
        students=names,
        unreadable=(
            Unreadable("Ada Okafor/notes.docx", "not a .py or .ipynb file"),
            Unreadable("Greta Okafor/05_view.ipynb", "not a notebook: line 1 is not JSON"),
        ),
        grader="0.1.0",
        torch="2.15.0",
        device="cpu",
        confinement="full",
        seed=7,
        created=datetime(2026, 3, 4, 15, 6, tzinfo=UTC),
        title="Deep learning, spring 2026",
        sources=source,
    )
    return replace(results, **changes)


DUE = datetime(2026, 3, 1, 23, 59, tzinfo=timezone(timedelta(hours=1)))


def with_lateness(results: Results, **changes: Any) -> Results:
    """The class, some of it late, with points that a person gave and took, and what was graded before."""
    attempts = {(one.student, one.exercise): one for one in results.attempts}
    handed_in = {
        who: HandedIn(DUE + timedelta(hours=(at * 37) % 90 - 60), SaidBy.FILE) for at, who in enumerate(attempts)
    }
    poor, lost = next((who, one.missing[0]) for who, one in results.standings.items() if one.missing)
    first = results.attempts[0]
    adjustments = (
        Adjustment(first.student, first.exercise, 0.5, "explained it well in class", "2026-03-03T10:00:00+01:00"),
        Adjustment(first.student, first.exercise, -0.25, "no name in the file", "2026-03-03T11:00:00+01:00"),
        Adjustment(poor, lost, 2.0, "handed in on paper", "2026-03-04T09:30:00+01:00"),
    )

    def past(attempt: Attempt, days: int, **differing: Any) -> Past:
        recorded = (DUE + timedelta(days=days)).isoformat()
        said = Past(
            attempt.student, attempt.exercise, recorded, attempt.path, attempt.sha256, attempt.status, attempt.score,
            attempt.max_score, attempt.seed, "0.1.0", "3.11", attempt.torch, attempt.device, attempt.confinement,
        )  # fmt: skip
        return replace(said, **differing)

    def histories() -> dict[tuple[str, str], tuple[Past, ...]]:
        old = {"status": Verdict.NOT_ATTEMPTED, "score": 0.0, "superseded": Superseded.FILE, "sha256": "0" * 64}
        return {who: (past(one, -9, **old), past(one, 1)) for who, one in attempts.items()}

    late = replace(
        results,
        policy=LatePolicy.parse("10%"),
        due=DueDates(DUE, {results.exercise_names[-1]: DUE + timedelta(days=30)}),
        handed_in=handed_in,
        adjustments=adjustments,
        histories=histories,
    )
    return replace(late, **changes)


def hostile_class() -> Results:
    """Strangers' text in every place where a stranger can put text."""
    results = made_up_class(students=(*HOSTILE_STUDENTS, *(f"s{i:02d}" for i in range(12))))
    code = f'"""{HOSTILE}"""\nx = "{HOSTILE}"\n# {HOSTILE}\n'
    long = code + "y = 1\n" * 3000 + "z" * 100_000
    codes = {name: long if name.startswith("05") else code for name in _WORDS}

    def poisoned(check: CheckResult) -> CheckResult:
        return replace(
            check, title=HOSTILE, message=HOSTILE * 3, where=f"line 2 {HOSTILE}", traceback=HOSTILE,
            printed=HOSTILE * 50, given=HOSTILE, misconception=HOSTILE if check.misconception else None,
            points=float("nan") if check.id == "test_2" else check.points,
        )  # fmt: skip

    attempts = tuple(
        replace(
            attempt,
            path=f"{HOSTILE}/{attempt.exercise}.py",
            sha256=digest(codes[attempt.exercise].encode()),
            note=HOSTILE,
            device=HOSTILE,
            checks=tuple(map(poisoned, attempt.checks)),
        )
        for attempt in results.attempts
    )
    results = replace(
        results,
        # One of them for an exercise that nobody knows.
        attempts=(*attempts, replace(attempts[0], exercise=f"99_{HOSTILE}")),
        unreadable=(Unreadable(HOSTILE, HOSTILE),),
        title=HOSTILE,
        sources=lambda student, exercise: Submission(
            student, exercise, HOSTILE, codes[exercise], digest(codes[exercise].encode())
        ),
    )
    late = with_lateness(results)
    return replace(late, adjustments=tuple(replace(one, reason=HOSTILE) for one in late.adjustments))


@pytest.fixture(scope="session")
def class_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("class")
    report.write_all(report.formats(), made_up_class(), out, TEMPLATES)
    return out


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile")
    report.write_all(report.formats(), hostile_class(), out, TEMPLATES)
    return out


@pytest.fixture(scope="session", params=["class_report", "hostile_report"])
def any_report(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def steers(text: str) -> bool:
    """Whether text holds a character that would steer a terminal or turn the direction of writing."""
    return any((ord(ch) < 32 and ch not in "\n\t\r") or ch in "\x7f\u202e\u2066\x9b" for ch in text)


# -- formats ----------------------------------------------------------------------------------------------


def test_every_module_of_an_exporter_is_a_format() -> None:
    assert {"csv", "html", "json", "junit"} <= set(report.formats())
    assert report.parse_formats(" HTML, json,html") == ("html", "json")


@pytest.mark.parametrize("text", ["pdf", "html,pdf", "", " , ", "../to_json"])
def test_an_unknown_format_names_the_known_ones(text: str) -> None:
    with pytest.raises(WrongUsage, match=r"csv, .*html, json, junit"):
        report.parse_formats(text)


def test_a_format_that_fails_does_not_cost_the_others(tmp_path: Path) -> None:
    with pytest.raises(OurFault, match="html"):
        report.write_all(("html", "json"), made_up_class(3), tmp_path, tmp_path / "no templates here")
    assert (tmp_path / "results.json").exists()


def test_the_made_up_class_has_every_verdict() -> None:
    seen = {check.status for attempt in made_up_class().attempts for check in attempt.checks}
    assert seen == set(Verdict)


# -- files appear whole or not at all ---------------------------------------------------------------------


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "grades.csv"
    write_text(path, "old")
    write_text(path, "new")
    assert path.read_text() == "new"
    assert [entry.name for entry in path.parent.iterdir()] == ["grades.csv"]


def test_a_failing_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    write_text(path, "old")

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(BadFile, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_that_cannot_be_made_leaves_its_old_file_and_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = made_up_class(4)
    to_html.write(results, tmp_path, TEMPLATES)
    broken = tmp_path / to_html.student_href(results.students[1])
    broken.write_text("old")
    whole = tmp_path / to_html.student_href(results.students[2])
    whole.write_text("old")
    real = to_html.student_page

    def failing(press: Any, figures: ClassFigures, student: str, state: str) -> str:
        if student == results.students[1]:
            raise ValueError("a bad value")
        return real(press, figures, student, state)

    monkeypatch.setattr(to_html, "student_page", failing)
    with pytest.raises(OurFault, match="1 of 5 pages"):
        to_html.write(results, tmp_path, TEMPLATES)
    assert broken.read_text() == "old"
    assert whole.read_text() != "old"


def rewritten(before: Results, after: Results, out: Path, templates: Path = TEMPLATES) -> set[str]:
    """The students whose pages were written again, and "class" for the class's."""
    to_html.write(before, out, templates)
    pages = {"class": out / "index.html"} | {name: out / to_html.student_href(name) for name in after.everyone}
    for page in pages.values():
        os.utime(page, (1, 1))
    written = to_html.write(after, out, templates)
    # What is left as it is belongs to the report like everything else.
    assert set(written) == set(pages.values())
    return {name for name, page in pages.items() if page.stat().st_mtime != 1}


def test_a_page_that_says_the_same_is_left_as_it_is(tmp_path: Path) -> None:
    results = made_up_class(4)
    later = replace(results, created=results.created + timedelta(days=1))
    assert rewritten(results, later, tmp_path) == set()


@pytest.mark.parametrize(
    ("change", "whose"),
    [
        ("a message", {"Boris Okafor", "class"}),
        ("an attempt gone", {"Boris Okafor", "class"}),
        ("an adjustment", {"Boris Okafor", "class"}),
        ("handed in late", {"Boris Okafor", "class"}),
        ("the history", {"Boris Okafor", "class"}),
        ("the source gone", {"Boris Okafor", "class"}),
        ("an unreadable file", {"class"}),
        ("the title", None),
        ("the confinement", None),
        ("the seed", None),
        ("the policy", None),
        ("a misconception's sentence", None),
    ],
)
def test_a_page_is_written_again_where_it_says_something_else(
    tmp_path: Path, change: str, whose: set[str] | None
) -> None:
    due = DueDates(datetime(2026, 3, 1, tzinfo=UTC))
    results = made_up_class(4, due=due)
    place, attempt = next((k, one) for k, one in enumerate(results.attempts) if one.student == "Boris Okafor")
    others = results.attempts[:place], results.attempts[place + 1 :]
    who = (attempt.student, attempt.exercise)
    check = replace(attempt.checks[0], message="Something else.")
    past = Past(
        **{name: getattr(attempt, name) for name in ("student", "exercise", "path", "sha256", "status", "score")},
        max_score=attempt.max_score, recorded="2026-03-01T12:00:00+00:00", seed=7, grader="0.1.0", python="3.12",
        torch="2.15.0", device="cpu", confinement="full", note="", superseded=Superseded.FILE,
    )  # fmt: skip
    first = results.exercises[0]
    told = replace(first, misconceptions={key: {"en": "In other words."} for key in first.misconceptions})

    def sources(student: str, exercise: str) -> Submission | None:
        return None if (student, exercise) == who else results.sources(student, exercise)

    changes: dict[str, dict[str, Any]] = {
        "a message": {"attempts": (*others[0], replace(attempt, checks=(check, *attempt.checks[1:])), *others[1])},
        "an attempt gone": {"attempts": (*others[0], *others[1])},
        "an adjustment": {"adjustments": (Adjustment(*who, 1.0, "A good question.", "2026-03-03T09:00:00+00:00"),)},
        "handed in late": {"handed_in": {who: HandedIn(datetime(2026, 3, 2, 9, tzinfo=UTC), SaidBy.FILE)}},
        "the history": {"histories": lambda: {who: (past,)}},
        "the source gone": {"sources": sources},
        "an unreadable file": {"unreadable": results.unreadable[:1]},
        "the title": {"title": "Another"},
        "the confinement": {"confinement": "none"},
        "the seed": {"seed": 8},
        "the policy": {"policy": LatePolicy.parse("10%")},
        "a misconception's sentence": {"exercises": (told, *results.exercises[1:])},
    }
    again = rewritten(results, replace(results, **changes[change]), tmp_path)
    assert again == (whose or {"class", *results.everyone})


def test_pages_of_other_templates_or_damaged_ones_are_written_again(tmp_path: Path) -> None:
    results = made_up_class(3)
    out, templates = tmp_path / "out", tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    to_html.write(results, out, templates)
    with open(templates / "student.css", "a") as file:
        file.write("\n.new { color: red }\n")
    to_html.write(results, out, templates)
    ada, boris = (out / to_html.student_href(name) for name in results.students[:2])
    assert ".new { color: red }" in ada.read_text()
    ada.unlink()
    boris.write_text("damaged")
    to_html.write(results, out, templates)
    assert all(".new { color: red }" in page.read_text() for page in (ada, boris))


# -- results.json -----------------------------------------------------------------------------------------


def test_json_is_what_the_contract_says(class_report: Path) -> None:
    found = json.loads((class_report / "results.json").read_text(encoding="utf-8"))
    results = made_up_class()
    assert found["format"] == 1
    assert {"grader", "torch", "device", "confinement", "seed", "submissions", "unreadable"} <= found.keys()
    assert len(found["submissions"]) == len(results.attempts)
    needed = {"student", "exercise", "path", "sha256", "status", "score", "max_score", "seconds", "checks"}
    of_check = {"id", "title", "status", "points", "max_points", "message", "misconception"}
    for entry, attempt in zip(found["submissions"], results.attempts, strict=True):
        assert needed <= entry.keys()
        assert entry["status"] == str(attempt.status)
        assert entry["score"] == attempt.score
        for check in entry["checks"]:
            assert of_check <= check.keys()
            assert check["status"] in set(Verdict)
    assert found["unreadable"][0] == {"path": "Ada Okafor/notes.docx", "reason": "not a .py or .ipynb file"}


def test_json_keeps_every_character_and_steers_nothing(hostile_report: Path) -> None:
    text = (hostile_report / "results.json").read_text(encoding="utf-8")
    assert not steers(text)
    assert "学生一号" in text
    found = json.loads(text, parse_constant=pytest.fail)
    assert tuple(found["students"]) == hostile_class().everyone
    assert found["submissions"][0]["note"] == HOSTILE


@pytest.mark.parametrize("text", ["\U000e0001tag", "\x7f\x9b", "\ud83d", "\u2028", "😀 é 学"])
def test_json_gives_back_odd_characters(text: str) -> None:
    written = to_json.dumps({text: [text, float("inf")]})
    assert not steers(written)
    assert json.loads(written) == {text: [text, None]}


# -- grades.csv -------------------------------------------------------------------------------------------


def rows_of(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((out / "grades.csv").read_bytes().decode("utf-8-sig"), newline="")))


def test_csv_has_a_row_for_each_student_and_says_what_is_unknown(class_report: Path) -> None:
    results = made_up_class()
    rows = rows_of(class_report)
    assert [row["student"] for row in rows] == list(results.students)
    assert list(rows[0])[1:-4] == list(results.exercise_names)
    for row in rows:
        standing = results.standings[row["student"]]
        for name in results.exercise_names:
            attempt = results.attempt(row["student"], name)
            score = attempt.score if attempt else None
            assert row[name] == "" if score is None else float(row[name]) == score
        assert row["needs_regrading"] == ";".join(standing.regrade)
        assert row["not_handed_in"] == ";".join(standing.missing)
        if standing.regrade:
            assert row["total"] == ""
        else:
            assert float(row["total"]) == sum(float(row[name] or 0) for name in results.exercise_names)
        assert float(row["max"]) == 32
    assert any(row["needs_regrading"] for row in rows)


def test_csv_computes_nothing(hostile_report: Path) -> None:
    raw = (hostile_report / "grades.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert not any(steers(cell) for row in rows for cell in row)
    assert '\'=cmd|" /C calc"!A0' in [row[0] for row in rows]
    assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "  =1", "＝1"])
def test_text_that_looks_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert not to_csv.safe(text).lstrip().startswith(("=", "+", "-", "@", "＝"))


def test_text_that_does_not_stays() -> None:
    assert [to_csv.safe(text) for text in ("Ada", "", "a=b", "O'Neil")] == ["Ada", "", "a=b", "O'Neil"]


# -- junit.xml --------------------------------------------------------------------------------------------

# The vocabulary of the xunit plugin's junit-10.xsd, which pytest's xunit2 family is also held to.
_JUNIT: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "time", "classname"}, {"skipped", "error", "failure", "system-out"}),
    "skipped": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "failure": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}


def test_junit_speaks_the_xunit2_vocabulary(any_report: Path) -> None:
    text = (any_report / "junit.xml").read_text(encoding="utf-8")
    assert not steers(text)
    for element in ET.fromstring(text).iter():
        attributes, children = _JUNIT[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
        if "time" in element.attrib:
            assert re.fullmatch(r"\d+\.\d{3}", element.attrib["time"])


def test_junit_counts_what_the_attempts_hold(class_report: Path) -> None:
    results = made_up_class()
    root = ET.parse(class_report / "junit.xml").getroot()
    verdicts = Counter(check.status for attempt in results.attempts for check in attempt.checks)
    unreadable = len(results.unreadable)
    assert int(root.get("tests", "")) == sum(verdicts.values()) + unreadable
    assert int(root.get("failures", "")) == verdicts[Verdict.FAILED] + verdicts[Verdict.NOT_ATTEMPTED]
    wrong = (Verdict.ERROR, Verdict.TIMEOUT, Verdict.CRASHED, Verdict.INTERNAL_ERROR)
    assert int(root.get("errors", "")) == sum(verdicts[word] for word in wrong) + unreadable
    assert len(root.findall("testsuite/testcase/skipped")) == verdicts[Verdict.SKIPPED]
    assert len(root.findall("testsuite")) == len(results.attempts) + 1


def test_junit_tells_why_nothing_was_judged() -> None:
    attempt = replace(made_up_class(2).attempts[0], checks=(), note="no device")
    root = ET.fromstring(to_junit.as_xml(made_up_class(2, attempts=(attempt,))))
    skipped = root.find("testsuite/testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "no device"


# -- pages ------------------------------------------------------------------------------------------------

_VOID = {"meta", "link", "br", "input", "rect"}


class Page(HTMLParser):
    """What a browser would find: elements in balance, links, anchors, text, and what runs."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.inline: dict[str, str] = {}
        self.policy = ""
        self.headers_without_scope = 0
        self._text: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags[tag] += 1
        self.attributes |= found.keys()
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found[name] or "" for name in ("href", "src") if name in found]
        self.headers_without_scope += tag == "th" and "scope" not in found
        if (found.get("http-equiv") or "").lower() == "content-security-policy":
            self.policy = found["content"] or ""
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{self.path}: </{tag}> closes nothing"
        assert self.open.pop() == tag, f"{self.path}: </{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.inline[self.open[-1]] = self.inline.get(self.open[-1], "") + data
        else:
            self._text.append(data)


def pages_of(out: Path) -> list[Page]:
    return [Page(path) for path in [out / "index.html", *sorted((out / "students").glob("*"))]]


def page_of(out: Path, student: str) -> Page:
    return Page(out / to_html.student_href(student))


def test_pages_are_well_formed_and_run_nothing_but_ours(any_report: Path) -> None:
    for page in pages_of(any_report):
        assert page.tags["script"] == (page.path.name == "index.html")
        assert page.tags["style"] == 1
        assert not page.tags.keys() & {"img", "iframe", "object", "embed", "form", "base"}
        assert not any(name.startswith("on") or name == "style" for name in page.attributes)
        assert len(page.ids) == len(set(page.ids))
        assert page.headers_without_scope == 0
        assert page.tags["main"] == page.tags["h1"] == 1
        assert not steers(page.path.read_text(encoding="utf-8"))


def test_the_policy_allows_exactly_what_stands_in_the_page(any_report: Path) -> None:
    for page in pages_of(any_report):
        rules = dict(rule.split(" ", 1) for rule in page.policy.split("; "))
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
        for tag in ("style", "script"):
            code = page.inline.get(tag)
            found = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() if code else ""
            assert rules[f"{tag}-src"] == (f"'sha256-{found}'" if code else "'none'")


def test_links_lead_somewhere_and_nowhere_outside(any_report: Path) -> None:
    pages = {page.path.resolve(): page for page in pages_of(any_report)}
    anchors = {path: set(page.ids) for path, page in pages.items()}
    for path, page in pages.items():
        for link in page.links:
            if link == "data:,":
                continue
            target, _, anchor = link.partition("#")
            assert ":" not in target
            assert not target.startswith("/")
            there = (path.parent / unquote(target)).resolve() if target else path
            assert there in pages, f"{path.name}: {link}"
            assert not anchor or anchor in anchors[there], f"{path.name}: {link}"


def test_strangers_text_is_shown_as_text(hostile_report: Path) -> None:
    index = Page(hostile_report / "index.html")
    assert "<script>alert(1)</script>" in index.text
    assert "{{7*7}}" in index.text
    student = page_of(hostile_report, HOSTILE)
    assert "\"'><img src=x onerror=alert(2)>{{7*7}}[bold]" in student.text
    assert "\ufffd[31m\ufffdgnp.exe\ufffd" in student.text


def test_what_a_template_forgets_to_clean_is_cleaned() -> None:
    template = to_html._Press(TEMPLATES)._environment.from_string("{{ value }}|{{ [value] | join }}")
    shown = template.render(value=HOSTILE)
    assert "\ufffd[31m\ufffdgnp.exe\ufffd&#34;" in shown
    assert not steers(shown)
    assert "<script" not in shown


def test_names_of_pages_are_safe_and_distinct() -> None:
    names = [*HOSTILE_STUDENTS, "Con", "CON", "con ", "a/b", "a\\b", "a" * 500, "..", ".", "nul", "é", "e"]
    hrefs = [to_html.student_href(name) for name in names]
    assert len({href.lower() for href in hrefs}) == len(names)
    for href in hrefs:
        assert re.fullmatch(r"students/[a-z0-9][a-z0-9-]{0,24}-[0-9a-f]{12}\.html", href)


def test_the_class_page_says_what_there_is_to_say(class_report: Path) -> None:
    words = Page(class_report / "index.html").words
    figures = ClassFigures(made_up_class())
    assert f"Grade {len(figures.regrade)} submissions again" in words
    assert "Ask for 2 files again" in words
    assert "not a notebook: line 1 is not JSON" in words
    assert f"Talk about a misconception that {len(figures.misconceptions[0].students)} students hold" in words
    assert figures.misconceptions[0].sentence in words
    assert "Write to 1 student from whom nothing came" in words
    assert "says whether those who earned this check also did well on all the others" in words
    assert "not fully confined" not in words


def test_a_small_class_gets_no_correlations(tmp_path: Path) -> None:
    to_html.write(made_up_class(ENOUGH_STUDENTS - 1), tmp_path, TEMPLATES)
    words = Page(tmp_path / "index.html").words
    assert "is left out: with fewer than 10 students" in words
    assert "point-biserial" not in words


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"confinement": "rlimits"}, "These submissions were not fully confined."),
        ({"confinement": "", "trusted": True}, "because --trust-submissions was given"),
        ({"trusted": True}, "They still ran confined (full)."),
    ],
)
def test_the_class_page_warns_of_missing_confinement(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    to_html.write(made_up_class(2, **changes), tmp_path, TEMPLATES)
    assert said in Page(tmp_path / "index.html").words


@pytest.mark.parametrize("changes", [{"attempts": ()}, {"students": (), "attempts": ()}, {"exercises": ()}])
def test_the_report_of_an_empty_class_can_be_read(tmp_path: Path, changes: dict[str, Any]) -> None:
    written = report.write_all(report.formats(), made_up_class(3, **changes), tmp_path, TEMPLATES)
    assert all(path.stat().st_size for path in written)
    assert len(pages_of(tmp_path)) == len(made_up_class(3, **changes).everyone) + 1


def test_a_student_page_shows_code_with_the_line_that_raised(class_report: Path) -> None:
    attempt = next(one for one in made_up_class().attempts if one.status is Verdict.ERROR)
    page = page_of(class_report, attempt.student)
    raw = page.path.read_text(encoding="utf-8")
    anchor = to_html.anchor(attempt.exercise)
    assert f'<span class="l hit" id="{anchor}-L14">' in raw
    assert f'<a href="#{anchor}-L14">line 14</a>' in raw
    assert attempt.sha256 in page.text
    assert "</script><b>not markup</b>" in page.text


def test_a_source_that_has_changed_or_gone_is_not_shown(tmp_path: Path) -> None:
    def changed(student: str, exercise: str) -> Submission | None:
        if exercise.startswith("04"):
            raise FileNotFoundError(exercise)
        return Submission(student, exercise, "x.py", "SECRET = 1", digest(b"SECRET = 1"))

    results = made_up_class(1, sources=changed)
    to_html.write(results, tmp_path, TEMPLATES)
    text = page_of(tmp_path, results.students[0]).text
    assert "SECRET" not in text
    assert "no longer at hand, or has changed since" in text


def test_a_student_reads_nothing_of_other_students(class_report: Path) -> None:
    results = made_up_class()
    text = page_of(class_report, results.students[0]).text
    assert results.students[0] in text
    assert not any(other in text for other in results.students[1:])


def test_a_thousand_students_make_a_page_of_sane_size(tmp_path: Path) -> None:
    written = to_html.write(made_up_class(1000, sources=no_sources), tmp_path, TEMPLATES)
    assert len(written) == 1001
    assert (tmp_path / "index.html").stat().st_size < 2_500_000
    assert Page(tmp_path / "index.html").tags["tr"] > 1000


# -- what counts, after lateness and adjustments ----------------------------------------------------------


def test_a_cell_shows_what_counts_and_why() -> None:
    results = with_lateness(made_up_class(18))
    figures = ClassFigures(results)
    first = to_html.cell(figures.grades[results.students[0], "04_cat_and_stack"])
    assert (first.text, first.words, first.css) == ("✓ 5.25 ±", "adjusted by a person", "s5")
    late = next(
        one for one in results.late if one.attempt and one.attempt.status is Verdict.PASSED and one.days_late == 1
    )
    shown = to_html.cell(late)
    assert shown.text == f"✓ {number(late.possible * 0.9)} +1d"
    assert (shown.words, shown.css) == ("1 day late", "s4")
    on_paper = results.adjustments[-1]
    given = to_html.cell(figures.grades[on_paper.student, on_paper.exercise])
    assert given.text == "– 2 ±"
    assert given.words == "not handed in, adjusted by a person"


def test_what_is_said_of_checks_does_not_depend_on_lateness() -> None:
    results = made_up_class()
    assert ClassFigures(with_lateness(results)).checks == ClassFigures(results).checks


def test_the_class_page_says_what_lateness_costs(tmp_path: Path) -> None:
    results = with_lateness(made_up_class(18))
    to_html.write(results, tmp_path, TEMPLATES)
    words = Page(tmp_path / "index.html").words
    assert "Due 2026-03-01 23:59 UTC+01:00, single exercises at their own time." in words
    assert "Handing in late costs 10% of what was earned for each day that was begun." in words
    assert "due 2026-03-31 23:59 UTC+01:00" in words
    assert "+2 handed in on paper" in words


@pytest.mark.parametrize(
    ("policy", "said"),
    [("none", "Handing in late costs nothing."), ("zero", "Handing in late earns nothing."),
     ("12.5%", "Handing in late costs 12.5% of what was earned for each day that was begun.")],
)  # fmt: skip
def test_a_policy_is_a_sentence(policy: str, said: str) -> None:
    assert LatePolicy.parse(policy).sentence == said


def test_a_class_without_due_dates_hears_nothing_of_lateness(class_report: Path) -> None:
    words = Page(class_report / "index.html").words.lower()
    assert " late" not in words
    assert "adjusted" not in words


def test_a_student_reads_how_the_points_come_about_and_what_was_before(tmp_path: Path) -> None:
    results = with_lateness(made_up_class(18))
    to_html.write(results, tmp_path, TEMPLATES)
    words = page_of(tmp_path, results.students[0]).words
    assert "explained it well in class Given by a person, 2026-03-03 10:00 UTC+01:00.+0.5" in words
    assert "no name in the file Taken by a person, 2026-03-03 11:00 UTC+01:00.−0.25" in words
    assert "Counts5.25 / 5" in words
    costs = "Handing in late costs 10% of what was earned for each day that was begun."
    assert f"1 day late. {costs} Due 2026-03-01 23:59 UTC+01:00." in words
    assert "says the file's own date." in words
    assert "2 attempts" in words
    assert "no: the file changed" in words
    assert "handed in on paper" in page_of(tmp_path, results.students[1]).words


def test_a_student_is_told_what_to_look_at_first(class_report: Path) -> None:
    results = made_up_class()
    student = results.students[0]
    words = page_of(class_report, student).words
    assert "What to look at first The same by a scalar (16 Backward from a vector, worth 2 points)" in words
    best = next(one.student for one in results.standings.values() if one.total == one.max_total)
    assert "What to look at first" not in page_of(class_report, best).words


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_has_enough_contrast_in_both_themes() -> None:
    css = (TEMPLATES / "style.css").read_text(encoding="utf-8").split("@media print")[0]
    for theme in css.split("@media screen and (prefers-color-scheme: dark)"):
        colour = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", theme))
        plain = ("ink", "soft", "accent", "good", "bad", "warn", "again")
        pairs = [(text, back) for text in plain for back in ("page", "card", "inset")]
        pairs += [("on-s", f"s{i}") for i in range(6)]
        pairs += [(f"code-{kind}", back) for kind in "csmkfb" for back in ("inset", "hit")]
        pairs += [("ink", "warn-page"), ("again", "again-page"), ("ink", "again-page"), ("hit-line", "hit")]
        pairs += [("ink", "idea-page"), ("soft", "idea-page"), ("ink", "hit"), ("accent", "idea-page")]
        got = {pair: contrast(colour[pair[0]], colour[pair[1]]) for pair in pairs}
        assert {pair: round(value, 2) for pair, value in got.items() if value < 4.5} == {}


@pytest.mark.chromium
@pytest.mark.parametrize("which", ["index.html", "student"])
def test_chromium_shows_the_page_and_finds_no_fault(hostile_report: Path, tmp_path: Path, which: str) -> None:
    path = hostile_report / (to_html.student_href(HOSTILE) if which == "student" else which)
    command = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={tmp_path}", "--enable-logging=stderr", "--dump-dom", path.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line or "Content Security" in line]
    assert said == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in done.stdout
    if which == "index.html":
        # The script ran: it has turned the heads of columns into buttons.
        assert "<button" in done.stdout


# -- figures ----------------------------------------------------------------------------------------------


def scored(student: str, points: list[float]) -> Attempt:
    checks = tuple(
        CheckResult(f"test_{i}", f"check {i}", Verdict.PASSED if got else Verdict.FAILED, got, 1.0)
        for i, got in enumerate(points)
    )
    return Attempt(student, "04_cat_and_stack", "x.py", "0" * 64, checks, 7, "cpu", "full", "2.15.0")


def figures_of(points: list[list[float]]) -> ClassFigures:
    exercise = made_up_exercise("04_cat_and_stack", float(len(points[0])))
    students = tuple(f"s{i:02d}" for i in range(len(points)))
    attempts = tuple(scored(student, got) for student, got in zip(students, points, strict=True))
    return ClassFigures(made_up_class(students=students, attempts=attempts, exercises=(exercise,)))


def test_difficulty_and_discrimination_are_the_textbooks() -> None:
    # Five strong students earn the first three checks, five weak ones only the last.
    figures = figures_of([[1, 1, 1, 0]] * 5 + [[0, 0, 0, 1]] * 5)
    by_id = {check.id: check for check in figures.checks}
    assert by_id["test_0"].difficulty == 0.5
    # The rest of a strong student's points is 2, of a weak one's 1; for the last check it is 3 and 0.
    assert by_id["test_0"].discrimination == pytest.approx(1.0)
    assert by_id["test_3"].discrimination == pytest.approx(-1.0)
    assert by_id["test_3"].doubtful
    assert not by_id["test_0"].doubtful


def test_a_check_that_everybody_passes_or_nobody_discriminates_nothing() -> None:
    figures = figures_of([[1, 0, i % 2] for i in range(12)])
    by_id = {check.id: check for check in figures.checks}
    assert by_id["test_0"].discrimination is None
    assert not by_id["test_0"].doubtful
    assert by_id["test_1"].doubtful == "nobody passed it"
    assert [check.id for check in figures.checks] == ["test_1", "test_2", "test_0"]


def test_what_needs_regrading_is_nobodys_zero() -> None:
    figures = ClassFigures(made_up_class())
    waiting = {student for student, _ in figures.regrade}
    assert waiting
    for student in waiting:
        assert figures.results.standings[student].total is None
    known = [standing for standing in figures.results.standings.values() if standing.handed_in]
    assert figures.distribution.known == len(known) - len(waiting)


def test_a_check_that_could_not_run_here_is_left_out() -> None:
    results = figures_of([[1, 1]]).results
    first, second = results.attempts[0].checks
    attempt = replace(results.attempts[0], checks=(first, replace(second, counts=False)))
    results = replace(results, attempts=(attempt,))
    assert [check.id for check in ClassFigures(results).checks] == ["test_0"]
    assert results.standings["s00"].max_total == 1


@pytest.mark.parametrize(
    ("value", "shown"), [(3.0, "3"), (2.5, "2.5"), (1 / 3, "0.33"), (0.0, "0"), (None, "–"), (float("nan"), "–")]
)
def test_points_are_written_as_people_write_them(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "100%"), (0.999, "99%"), (0.001, "1%"), (0.0, "0%"), (0.874, "87%"), (None, "–")]
)
def test_a_near_miss_is_not_read_as_a_whole(value: float | None, shown: str) -> None:
    assert percent(value) == shown


@pytest.mark.parametrize("level", ["full", "landlock+seccomp", "seccomp, landlock"])
def test_confinement_that_official_grading_accepts(level: str) -> None:
    assert well_confined(level)


@pytest.mark.parametrize("level", ["landlock", "seccomp", "none", ""])
def test_confinement_that_it_does_not(level: str) -> None:
    assert not well_confined(level)


# -- listings ---------------------------------------------------------------------------------------------


def submitted(source: str, cells: tuple[tuple[int, int], ...] = ()) -> Submission:
    return Submission("s01", "04_cat_and_stack", "s01/04.py", source, digest(source.encode()), cells)


def plain(line: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", line))


@pytest.mark.parametrize(
    "source",
    [
        *("", "x = 1", "def f(:\n\t'''unclosed\n", "\n\n\n", "a\\\nb", 'f"{x!r:>{w}}"', "'" * 399, "(" * 399),
        *("é = '学'\n", "@@@ $$$ ???", "x = 0b" + "1" * 300, "<b>&amp;</b>", "    \n  x\n", _CODE),
        *('"""a\\', '"""\\\n', "'\\", "x = 'a\\\nb'\n", 'rb"\\"" # "', "@a.b\ndef f(): pass", "&lt; < &#39; '&'"),
    ],
)
def test_a_listing_is_the_source_line_by_line(source: str) -> None:
    lines = listings.listing(submitted(source)).lines
    assert [plain(line) for line in lines] == source.rstrip("\n").split("\n")
    for line in lines:
        assert line.count("<span") == line.count("</span>")


@pytest.mark.parametrize("folder", ["solutions", "exercises"])
def test_every_line_of_real_code_is_shown_as_it_is(folder: str) -> None:
    for path in (TEMPLATES.parent / folder).rglob("*.py"):
        source = path.read_text(encoding="utf-8").rstrip("\n")
        lines = listings.listing(submitted(source)).lines
        assert [plain(line) for line in lines] == source.split("\n"), path
        assert '<span class="k">' in "".join(lines), path


def test_colours_are_those_of_the_words() -> None:
    (line,) = listings.listing(submitted('def f(x=1): return "<a>"  # b')).lines
    assert line == (
        '<span class="k">def </span><span class="f">f</span>(x=<span class="m">1</span>): '
        '<span class="k">return </span><span class="s">"&lt;a&gt;"  </span><span class="c"># b</span>'
    )


def test_what_takes_too_long_to_colour_is_shown_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "SECONDS", -1.0)
    assert listings.listing(submitted("def slow(): pass")).lines == ("def slow(): pass",)


def test_a_listing_is_bounded() -> None:
    long = listings.listing(submitted("x = 1\n" * 5000 + "y" * 10**6))
    assert len(long.lines) == listings.MAX_LINES
    assert long.left_out == 3001
    wide = listings.listing(submitted("y" * 10**6))
    assert len(wide.lines[0]) < 500


def test_a_listing_counts_lines_as_python_does() -> None:
    lines = listings.listing(submitted("a\rb\r\nc\x0cd\u2028e")).lines
    assert [plain(line) for line in lines] == ["a", "b", "c\ufffdd\ufffde"]


def test_lines_of_a_notebook_are_counted_by_cell() -> None:
    notebook = submitted("a\nb\nc\nd\n", cells=((2, 1), (5, 3)))
    shown = listings.listing(notebook).html("ex", frozenset({4}))
    pieces = re.findall(r'<span class="(cell|l|l hit)"(?: id="(.*?)")?>', shown)
    assert pieces == [("cell", ""), ("l", ""), ("l", ""), ("cell", ""), ("l", ""), ("l hit", "ex-L4")]
    assert plain(shown) == "cell 2a\nb\ncell 5c\n(a check points here) d\n"
    assert listings.line_of("cell 5, line 2", notebook) == 4
    assert listings.line_of("cell 9, line 2", notebook) is None
    assert listings.line_of("line 3", None) == 3
    assert listings.line_of("nowhere", notebook) is None
    assert listings.source_line(notebook, 4) == "d"
    assert listings.source_line(notebook, 40) == ""
    for line in range(1, 5):
        assert listings.line_of(notebook.where(line), notebook) == line


# -- terminal ---------------------------------------------------------------------------------------------


def shown_on_terminal(attempt: Attempt, language: str = "en", encoding: str = "utf-8", **options: Any) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="")
    console = Console(file=file, width=80, **options)
    source = made_up_class(1).sources(attempt.student, attempt.exercise)
    show_attempt(attempt, made_up_exercise(attempt.exercise, 5.0), console, language, source)
    file.flush()
    return raw.getvalue().decode(encoding)


def attempt_of(*statuses: Verdict) -> Attempt:
    return made_up_attempt("s01", "05_view_vs_reshape", list(statuses), random.Random(1))


def test_a_learner_reads_the_misconception_the_line_and_the_next_command() -> None:
    text = shown_on_terminal(attempt_of(Verdict.PASSED, Verdict.FAILED, Verdict.ERROR, Verdict.SKIPPED))
    assert "1 of 5 points" in text
    assert "✓ Each sample becomes one row  1/1" in text
    assert "A common misconception:\n    The shape is right but the values are re-cut" in text
    assert "line 14:  return batch.transpose(0, 1).view(-1)" in text
    assert "shape: torch.Size([2, 3])" in text
    assert "learn hint 05" in text
    assert "learn check 05" in text
    assert "\x1b" not in text


def test_a_pass_leads_on() -> None:
    text = shown_on_terminal(attempt_of(*[Verdict.PASSED] * 4))
    assert "All checks pass." in text
    assert "learn next" in text
    assert "learn hint" not in text


def test_an_untouched_stub_is_met_kindly() -> None:
    text = shown_on_terminal(attempt_of(*[Verdict.NOT_ATTEMPTED] * 4))
    assert "this is where everybody starts. Open s01/05_view_vs_reshape.py" in text
    assert "✗" not in text


def test_our_own_fault_is_called_ours() -> None:
    text = shown_on_terminal(attempt_of(Verdict.PASSED, Verdict.INTERNAL_ERROR))
    assert "not scored" in text
    assert "not your fault" in text
    assert "learn doctor" in text
    assert "0/2" not in text


def test_the_misconception_comes_in_the_learners_language() -> None:
    text = shown_on_terminal(attempt_of(Verdict.PASSED, Verdict.FAILED), language="zh")
    assert "练习 05" in text
    assert "常见误解" in text


def test_the_same_words_are_said_once() -> None:
    said = "SyntaxError: '(' was never closed"
    attempt = attempt_of(*[Verdict.ERROR] * 4)
    checks = tuple(replace(check, message=said) for check in attempt.checks)
    attempt = replace(attempt, checks=checks, note=f"{said}\n    x = (\n        ^")
    assert shown_on_terminal(attempt).count("never closed") == 1


@pytest.mark.parametrize("options", [{}, {"force_terminal": True, "no_color": True}, {"force_terminal": True}])
def test_nothing_a_learner_wrote_steers_the_terminal(options: dict[str, Any]) -> None:
    attempt = attempt_of(Verdict.FAILED, Verdict.ERROR)
    checks = tuple(
        replace(check, title=HOSTILE, message=f"{check.id} {HOSTILE}", printed=HOSTILE, given=HOSTILE, where=HOSTILE)
        for check in attempt.checks
    )
    text = shown_on_terminal(replace(attempt, checks=checks, note=HOSTILE), **options)
    ours = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not steers(ours)
    assert "\ufffd[31m" in ours
    # Title, message, output, input and place of both checks, and the note: nothing was left out of the test.
    assert ours.count("\ufffd[31m") >= 12
    if not options:
        assert "\x1b" not in text


def test_long_output_is_cut() -> None:
    attempt = attempt_of(Verdict.FAILED)
    check = replace(attempt.checks[0], printed="a line\n" * 500)
    text = shown_on_terminal(replace(attempt, checks=(check,)))
    assert text.count("a line") == 12
    assert "more lines" in text


def test_a_terminal_without_unicode_gets_ascii() -> None:
    text = shown_on_terminal(attempt_of(Verdict.PASSED, Verdict.FAILED), encoding="ascii")
    assert "+ Each sample" in text
    assert "x A transposed" in text


def test_the_list_says_where_one_is() -> None:
    file = io.StringIO()
    rows = [
        ExerciseRow(4, "04_cat_and_stack", "Join", Verdict.PASSED, 5.0, 5.0),
        ExerciseRow(5, "05_view_vs_reshape", "View [bold]\x1b[31m", Verdict.FAILED, 3.0, 5.0, current=True),
        ExerciseRow(16, "16_nonscalar_backward", "Backward"),
    ]
    show_exercise_list(rows, Console(file=file, width=80))
    lines = file.getvalue().splitlines()
    assert lines[0] == "  ✓ 04 Join"
    assert lines[1] == "→ ✗ 05 View [bold]\ufffd[31m  wrong answer, 3 of 5"
    assert lines[2] == "    16 Backward"
    assert lines[4] == "1 of 3 done."
