"""The report room: every format tells the same truth, and nothing that a stranger wrote steers what shows it."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.core.attempt import Attempt, CheckResult
from grader.core.exercise import Exercise, Limits
from grader.core.submission import Submission, Unreadable, digest
from grader.core.verdict import Verdict
from grader.report.results import Results

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


def hostile_class() -> Results:
    """Strangers' text in every place where a stranger can put text."""
    results = made_up_class(students=HOSTILE_STUDENTS * 1 + tuple(f"s{i:02d}" for i in range(12)))
    code = f'"""{HOSTILE}"""\nx = "{HOSTILE}"\n# {HOSTILE}\n' + "y = 1\n" * 3000 + "z" * 100_000

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
            sha256=digest(code.encode()),
            note=HOSTILE,
            device=HOSTILE,
            checks=tuple(map(poisoned, attempt.checks)),
        )
        for attempt in results.attempts
    )
    return replace(
        results,
        attempts=(*attempts, replace(attempts[0], exercise=f"99_{HOSTILE}")),
        unreadable=(Unreadable(HOSTILE, HOSTILE),),
        title=HOSTILE,
        sources=lambda student, exercise: Submission(student, exercise, HOSTILE, code, digest(code.encode())),
    )
