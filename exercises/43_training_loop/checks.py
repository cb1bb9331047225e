from typing import NoReturn

from grader.checks import check, difference, fail


def batches_of(draw, sizes, channels=2, length=5, classes=3):
    """Classification: x (n, channels, length), y (n,). The last batch is unlike the others, so its weight shows."""
    batches = [(draw.normal(n, channels, length), draw.integers(0, classes, n)) for n in sizes]
    x, y = batches[-1]
    return [*batches[:-1], (3 * x, y)]


def sgd(draw, **more):
    return {"name": "SGD", "lr": draw.real(0.1, 0.3), "bias_lr": draw.real(0.03, 0.06), "momentum": 0.9, **more}


def adam(draw):
    return {"name": "Adam", "lr": draw.real(0.03, 0.06)}


STILL = {"name": "SGD", "lr": 0.0}
"""An optimizer that moves nothing: what an epoch's loss is can be asked apart from how the model learns."""

NOUNS = {
    "state": "the model's state at the end (parameters and running statistics)",
    "gradients": "what the parameters' .grad holds afterwards",
    "training": "model.training afterwards",
    "grad_enabled": "torch.is_grad_enabled() afterwards",
    "fetched": "the number of batches that you took from the loader",
    "train_loss": "the training losses",
    "val_loss": "the validation loss",
    "history": "the history",
}


def same_trace(answer, sizes):
    """The answer's trace is the reference's; differences are told in the order in which they happened."""
    yours, wanted = traces(answer)
    around = f" ({counted(sizes)})"
    same_events(yours.get("events"), wanted.get("events"), around)
    for step, (mine, its) in enumerate(zip(yours.get("states", ()), wanted.get("states", ()), strict=False)):
        same(mine, its, f"after step {step + 1} the model's state (parameters, running statistics)", around)
    same_parts(answer, [key for key in NOUNS if key in wanted], sizes)
    answer.agrees()


def same_parts(answer, keys, sizes):
    """These parts of the trace are the reference's. The others only tell the judge one wrong idea from another."""
    yours, wanted = traces(answer)
    for key in keys:
        same(yours[key], wanted[key], NOUNS[key], f" ({counted(sizes)})")


def traces(answer):
    unchanged(answer)
    if not isinstance(answer.value, dict) or answer.value.keys() != answer.expected.keys():
        answer.agrees()
    return answer.value, answer.expected


def unchanged(answer):
    if difference(answer.args, answer.student.expected(answer.index).args):
        fail("Your code changed a batch in place; the caller's data must stay as it was.")


def same_result(answer, noun, sizes):
    unchanged(answer)
    same(answer.value, answer.expected, noun, f" ({counted(sizes)})")
    answer.agrees()


def same(yours, wanted, noun, around):
    if told := difference(yours, wanted, noun):
        fail(told[:1].upper() + told[1:] + around)


def same_events(yours, wanted, around):
    if not isinstance(yours, list) or yours == wanted:
        return
    for index, event in enumerate(wanted):
        if index >= len(yours) or yours[index] != event:
            wrong_event(wanted[:index], event, yours[index] if index < len(yours) else "nothing more", around)
    wrong_event(wanted, "nothing more", yours[len(wanted)], around)


def wrong_event(before, wanted, got, around) -> NoReturn:
    place = f"After “{before[-1]}” (event {len(before)})" if before else "First"
    fail(f"{place} there should come “{wanted}”, but your code did “{got}”.{around}")


def counted(sizes):
    return f"Batches of {', '.join(map(str, sizes))} samples: {sum(sizes)} in all."


# ------------------------------------------------------------------------------------------------ one step


@check(points=2)
def test_step(student, draw):
    """A step moves the parameters by the gradient of its own batch."""
    for sizes, shape, options in [((5, 4, 2, 1), (2, 5), sgd(draw)), ((3, 3, 3), (3, 3), adam(draw))]:
        batches = batches_of(draw, sizes, *shape)
        same_trace(student.scene("several_steps", "classify", 3, batches, options), sizes)


@check(points=1)
def test_step_loss(student, draw):
    """A step returns its batch's loss, a Python float."""
    for size in (draw.whole(4, 6), 1, 3):
        [(x, y)] = batches_of(draw, [size])
        same_result(student.scene("one_step", "classify", 3, x, y, sgd(draw)), "the loss of train_step", [size])


# ----------------------------------------------------------------------------------------------- one epoch


@check(points=2)
def test_epoch_steps(student, draw):
    """An epoch trains on every batch once, in training mode."""
    for sizes, training, options in [((5, 5, 2), False, sgd(draw)), ((4, 4, 4, 1), True, adam(draw))]:
        batches = batches_of(draw, sizes)
        same_trace(student.scene("epoch_steps", "classify", 3, batches, options, training), sizes)


@check(points=2)
def test_epoch_loss(student, draw):
    """An epoch returns the exact mean loss over its samples, a Python float."""
    for sizes, plain in [((6, 6, 6, 2), True), ((3, 3, 1), True), ((4, 7, 5), False), ((5,), True)]:
        batches = batches_of(draw, sizes)
        answer = student.scene("epoch_loss", "classify", 3, batches, STILL, plain)
        same_result(answer, "the loss of train_one_epoch", sizes)


@check(points=1, needs="test_epoch_steps")
def test_epoch_memory(student, draw):
    """An epoch lets go of each batch's graph."""
    sizes = (4, 4, 4, 4, 4, 4, 3)
    answer = student.scene("epoch_memory", "classify", 3, batches_of(draw, sizes), sgd(draw))
    if not isinstance(answer.value, dict) or answer.value.get("pile"):
        fail(
            f"In an epoch of {len(sizes)} batches the graphs of more than two were alive at once: "
            "something that outlives the iteration still holds a tensor that requires grad."
        )


# ----------------------------------------------------------------------------------------------- evaluation


@check(points=2)
def test_evaluate_loss(student, draw):
    """Evaluation returns the exact mean loss over the samples, a Python float."""
    for sizes, plain in [((6, 6, 1), True), ((3, 3, 2), True), ((2, 7, 4), False), ((1,), True)]:
        batches = batches_of(draw, sizes)
        same_result(student.scene("evaluation_loss", "classify", 3, batches, plain), "the loss of evaluate", sizes)


@check(points=2)
def test_evaluate_undisturbed(student, draw):
    """Evaluation runs in evaluation mode, records no graph, and leaves everything as it was."""
    for sizes, training in [((4, 4, 1), True), ((3, 3), False)]:
        same_trace(student.scene("evaluation", "classify", 3, batches_of(draw, sizes), training), sizes)


# --------------------------------------------------------------------------------------------- all together


@check(points=2)
def test_fit_epochs(student, draw):
    """fit alternates training and evaluation, each in its own mode, for so many epochs."""
    for sizes, training, epochs, options in [((4, 4, 1), False, 3, sgd(draw)), ((3, 3), True, 2, adam(draw))]:
        train, val = batches_of(draw, sizes), batches_of(draw, (5, 2))
        same_trace(student.scene("fit_events", "classify", 3, train, val, options, epochs, training), sizes)


@check(points=1)
def test_fit_history(student, draw):
    """fit returns the losses of every epoch."""
    for sizes, epochs, options in [((4, 4, 2), 3, sgd(draw)), ((5, 1), 2, adam(draw)), ((3, 3), 0, sgd(draw))]:
        train, val = batches_of(draw, sizes), batches_of(draw, (4, 4, 1))
        answer = student.scene("fit_history", "classify", 3, train, val, options, epochs)
        same_parts(answer, ["history"], sizes)


@check(points=1)
def test_any_model_and_loss(student, draw):
    """Another model, another loss, another optimizer: the loop stays the same."""

    def pairs(x_shape, target):
        return [(draw.normal(4, *x_shape), target()) for _ in range(3)]

    problems = [
        ("regress", 2, pairs((5,), lambda: draw.normal(4, 2)), sgd(draw)),
        ("yes or no", 1, pairs((3,), lambda: draw.integers(0, 2, 4, 1).float()), adam(draw)),
        ("own loss", 4, pairs((4,), lambda: draw.normal(4, 4)), sgd(draw, lr=draw.real(0.01, 0.02))),
        ("label each place", 3, pairs((2, 6), lambda: draw.integers(0, 3, 4, 6)), adam(draw)),
    ]
    for problem, outputs, batches, options in problems:
        answer = student.scene("train_and_evaluate", problem, outputs, batches[:2], batches[2:], options)
        same_parts(answer, ["state", "train_loss", "val_loss"], [len(x) for x, _ in batches[:2]])
