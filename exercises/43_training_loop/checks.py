from dataclasses import replace
from typing import NoReturn

from grader.checks import check, difference, fail
from grader.core.exchange import TensorSeen


def data_of(draw, sizes, channels=2, length=5, classes=3):
    """Classification: x (N, channels, length), y (N,), sizes. The last batch is unlike the others: its weight shows."""
    x, y = draw.normal(sum(sizes), channels, length), draw.integers(0, classes, sum(sizes))
    x[-sizes[-1] :] *= 3
    return x, y, list(sizes)


def sgd(draw, **more):
    return {"name": "SGD", "lr": draw.real(0.1, 0.3), "bias_lr": draw.real(0.03, 0.06), "momentum": 0.9, **more}


def adam(draw):
    return {"name": "Adam", "lr": draw.real(0.03, 0.06), "bias_lr": draw.real(0.1, 0.2)}


STILL = {"name": "SGD", "lr": 0.0, "bias_lr": 0.0}
"""An optimizer that moves nothing: what an epoch's loss is can be asked apart from how the model learns."""

NOUNS = {
    "state": "the model's state at the end (parameters and running statistics)",
    "gradients": "what the parameters' .grad holds afterwards",
    "training": "the value of model.training after a model in training mode was evaluated",
    "evaluation": "the value of model.training after a model in evaluation mode was evaluated",
    "grad_enabled_training": "the value of torch.is_grad_enabled() afterwards",
    "grad_enabled_evaluation": "the value of torch.is_grad_enabled() afterwards",
    "fetched": "the number of batches that you took from the loader",
    "train_losses": "the training losses",
    "val_loss": "the validation loss",
}


def same_trace(answer, sizes):
    """The answer's trace is the reference's; differences are told in the order in which they happened."""
    yours, wanted = told_by(answer)
    if difference(yours, wanted) is None:
        return
    around = counted(sizes)
    same_events(yours["events"], wanted["events"], around)
    for step, (mine, its) in enumerate(zip(rows(yours["states"]), rows(wanted["states"]), strict=False), 1):
        same(mine, its, f"after step {step} the model's state (parameters, running statistics)", around)
    same_parts(yours, wanted, [key for key in NOUNS if key in wanted], around)
    answer.agrees()


def rows(states):
    """Each row of a matrix as it was seen."""
    if isinstance(states, TensorSeen):
        for row in states.value:
            yield replace(states, value=row, shape=tuple(row.shape), strides=tuple(row.stride()))


def same_parts(yours, wanted, keys, around):
    """These parts of the trace are the reference's. The others only tell the judge one wrong idea from another."""
    for key in keys:
        same(yours[key], wanted[key], NOUNS[key], around)


def same_value(answer, noun, sizes):
    same(*told_by(answer), noun, counted(sizes))


def told_by(answer):
    """What the scene told of the answer and of the reference: the same keys in both, the same number of items."""
    if difference(answer.args, answer.student.expected(answer.index).args):
        fail("Your code changed a batch in place; the caller's data must stay as it was.")
    if form(answer.value) != form(answer.expected):
        answer.agrees()
    return answer.value, answer.expected


def form(value):
    """The keys of dicts and the lengths of lists; None for a single value, whatever it is."""
    if isinstance(value, list):
        return [form(item) for item in value]
    return set(value) if isinstance(value, dict) else None


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
    return f" (Batches of {', '.join(map(str, sizes))} samples: {sum(sizes)} in all.)"


# ------------------------------------------------------------------------------------------------ one step


@check(points=2)
def test_step(student, draw):
    """A step moves the parameters by the gradient of its own batch."""
    sizes = (5, 3, 1)  # a larger batch, one as large as its sides, and a single sample
    same_trace(student.scene("several_steps", 4, data_of(draw, sizes, 3, 3, 4), sgd(draw)), sizes)


@check(points=1)
def test_step_loss(student, draw):
    """A step returns its batch's loss, a Python float."""
    sizes = (draw.whole(3, 6), 1)
    batches = [data_of(draw, [size])[:2] for size in sizes]
    yours, wanted = told_by(student.scene("step_losses", 3, batches, sgd(draw)))
    for mode, mine, its in zip(("training", "evaluation"), yours["modes"], wanted["modes"], strict=True):
        same(mine, its, f"the value of model.training after a step of a model in {mode} mode", "")
    for size, mine, its in zip(sizes, yours["losses"], wanted["losses"], strict=True):
        same(mine, its, "the loss of train_step", counted([size]))


# ----------------------------------------------------------------------------------------------- one epoch


@check(points=2)
def test_epoch_steps(student, draw):
    """An epoch trains on every batch once, in training mode."""
    sizes = (4, 1)
    same_trace(student.scene("epoch_steps", 3, data_of(draw, sizes), sgd(draw)), sizes)


@check(points=2)
def test_epoch_loss(student, draw):
    """An epoch returns the exact mean loss over its samples, a Python float."""
    sizes = (2, 5, 1)
    same_value(student.scene("epoch_loss", 3, data_of(draw, sizes), STILL), "the loss of train_one_epoch", sizes)


@check(points=1, needs="test_epoch_steps")
def test_epoch_memory(student, draw):
    """An epoch lets go of each batch's graph."""
    sizes = (3, 3, 2)
    answer = student.scene("epoch_memory", 3, data_of(draw, sizes), sgd(draw))
    if not isinstance(answer.value, dict) or answer.value.get("pile") is not False:
        fail(
            f"In an epoch of {len(sizes)} batches the graphs of more than two were alive at once: "
            "something that outlives the iteration still holds a tensor that requires grad."
        )


# ----------------------------------------------------------------------------------------------- evaluation


@check(points=2)
def test_evaluate_loss(student, draw):
    """Evaluation returns the exact mean loss over the samples, a Python float."""
    sizes = (2, 7, 1)
    same_value(student.scene("evaluation_loss", 3, data_of(draw, sizes)), "the loss of evaluate", sizes)


@check(points=2)
def test_evaluate_undisturbed(student, draw):
    """Evaluation runs in evaluation mode, records no graph, and leaves everything as it was."""
    sizes = (4, 1)
    same_trace(student.scene("evaluation", 3, data_of(draw, sizes)), sizes)


# --------------------------------------------------------------------------------------------- all together


@check(points=2)
def test_fit_epochs(student, draw):
    """fit alternates training and evaluation, each in its own mode, for so many epochs."""
    sizes = (4, 1)
    train, val = data_of(draw, sizes), data_of(draw, (3, 2))
    same_trace(student.scene("fit_events", 3, train, val, sgd(draw), 2), sizes)


@check(points=1)
def test_fit_history(student, draw):
    """fit returns the losses of every epoch."""
    sizes, counts = (4, 2), [2, 0]
    train, val = data_of(draw, sizes), data_of(draw, (4, 1))
    yours, wanted = told_by(student.scene("fit_histories", 3, train, val, sgd(draw), counts))
    for epochs, mine, its in zip(counts, yours, wanted, strict=True):
        same(mine["history"], its["history"], f"the history of {epochs} epochs", counted(sizes))


@check(points=1)
def test_any_model_and_loss(student, draw):
    """Another model, another loss, another optimizer: the loop stays the same."""

    def pairs(batches, x_shape, target):
        """Batches of 4 to train on, and one to evaluate on."""
        return [(draw.normal(4 * n, *x_shape), target(4 * n), [4] * n) for n in (batches, 1)]

    problems = [
        ("regress", 2, 2, *pairs(2, (5,), lambda n: draw.normal(n, 2)), sgd(draw)),
        ("own loss", 1, 4, *pairs(2, (4,), lambda n: draw.normal(n, 4)), adam(draw)),
        ("label each place", 1, 3, *pairs(1, (6, 2), lambda n: draw.integers(0, 3, n, 6)), sgd(draw)),
    ]
    yours, wanted = told_by(student.scene("train_and_evaluate", problems))
    for (*_, (_, _, sizes), _, _), mine, its in zip(problems, yours, wanted, strict=True):
        same_parts(mine, its, ["state", "train_losses", "val_loss"], counted(sizes))
