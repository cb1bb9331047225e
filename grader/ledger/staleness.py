"""When a stored result may stand in for grading again."""

import hashlib
import json


def staleness_key(
    *,
    submission: str,
    exercise: str,
    engine: str,
    python: str,
    torch: str,
    device: str,
    confinement: str,
    seed: int,
) -> str:
    """A key of everything that decides a verdict: a result is stale as soon as any of it changes.

    submission   SHA-256 of the bytes that were handed in
    exercise     digest of the exercise: its checks, scenes, solution, known answers, limits and points
    engine       version of Autogradebook
    python       version of Python, major and minor: it decides what is a syntax error
    torch        version of torch
    device       the device of the run, "cpu" or "cuda"
    confinement  how the code was confined: what was graded with less never stands in for more
    seed         of the run: the inputs are drawn from it

    Whose submission it was is not part of the key; the gradebook asks for it beside the key. Neither is
    the path: a file that was moved is the same answer. What went wrong on our side (`internal_error`) is
    always graded again, whatever its key.
    """
    fields = [1, submission, exercise, engine, python, torch, device, confinement, seed]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
