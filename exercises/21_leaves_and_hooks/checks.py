import torch

from grader.checks import check


@check(points=2)
def test_parameter(student, draw):
    """make_parameter gives a leaf that starts at values * scale, and an optimizer can train it."""
    tables = draw.normal(2, 3), draw.normal(4, 2, dtype=torch.float64), draw.integers(-9, 10, 3, 3)
    cases = [(values, draw.real(0.05, 0.4)) for values in tables]
    student.calls("make_parameter", *cases).agree(requires_grad=True, is_leaf=True, shares=True)
    trained = []
    for values, scale in cases:
        rows, columns = values.shape
        batches = [draw.normal(5, rows) for _ in range(3)]
        cotangents = [draw.normal(5, columns) for _ in range(3)]
        trained.append((values, scale, batches, cotangents, draw.real(0.05, 0.1)))
    student.scenes("train", *trained).agree()


@check(points=2)
def test_keeps_grad(student, draw):
    """keeps_grad foresees where backward leaves a gradient."""
    orders = [[KINDS[index] for index in draw.permutation(len(KINDS))] for _ in range(2)]
    data = draw.normal(2, 3), draw.normal(3, 3)
    says = [f"In order they were: {'; '.join(kinds)}." for kinds in orders]
    student.scenes("keeping", *zip(orders, data, strict=True)).agree(says=says)


@check(points=2)
def test_hidden_gradients(student, draw):
    """hidden_gradients brings the gradient of the hidden tensor as well as that of x."""
    cases, says = [], []
    for inputs, middle, outputs, dtype in (
        ((3,), 4, 2, torch.float32),
        ((2, 5), 3, 4, torch.float32),
        ((3, 3), 3, 3, torch.float64),
    ):
        a = draw.normal(middle, inputs[0], dtype=dtype)
        b = draw.normal(outputs, middle, dtype=dtype)
        x = draw.normal(*inputs, dtype=dtype, requires_grad=True)
        cases.append((a, b, x, draw.normal(outputs, *inputs[1:], dtype=dtype)))
        says.append(
            f"x had shape {inputs}, h had shape {(middle, *inputs[1:])}; item 0 is h's gradient, item 1 is x's."
        )
    student.scenes("hidden", *cases).agree(says=says)


@check(points=1)
def test_watch(student, draw):
    """watch writes down the gradient of every pass and changes none."""
    student.scene(
        "watch_hidden", draw.normal(3, requires_grad=True), draw.normal(4, 3), [draw.normal(4) for _ in range(3)]
    ).agrees(say="t was the result of an operation.")
    student.scene("watch_leaf", draw.normal(2, 2, requires_grad=True), [draw.normal(2, 2) for _ in range(3)]).agrees(
        say="t was a leaf."
    )


@check(points=1)
def test_watch_ends(student, draw):
    """The handle that watch returns ends this watching, and no other."""
    student.scene("watch_and_remove", draw.normal(4, requires_grad=True), [draw.normal(4) for _ in range(3)]).agrees(
        say="t was watched twice."
    )


@check(points=1)
def test_scaled_pass(student, draw):
    """scaled_backward brings w's gradient, times the factor."""
    shapes = (3,), (2, 2)
    cases = [(draw.normal(*shape), draw.normal(*shape, requires_grad=True), _factor(draw)) for shape in shapes]
    student.scenes("scaled_pass", *cases).agree()


@check(points=1, needs="test_scaled_pass")
def test_neighbours(student, draw):
    """scaled_backward leaves the gradients of other leaves alone."""
    w, u, v = (draw.normal(3, requires_grad=True) for _ in range(3))
    student.scene("neighbours", draw.normal(3), w, _factor(draw), u, v).agrees()


@check(points=1, needs="test_scaled_pass")
def test_several_passes(student, draw):
    """Over several passes w.grad adds up, each pass with its own factor and the plain ones with none."""
    cotangents = [draw.normal(4) for _ in range(4)]
    factors = [_factor(draw) for _ in range(3)]
    student.scene("passes", cotangents, draw.normal(4, requires_grad=True), factors).agrees()


@check(points=1, needs="test_scaled_pass")
def test_broken_pass(student, draw):
    """When a pass breaks, the error is passed on and the next pass is a plain one."""
    for breaks_in_backward in (True, False):
        factors = [_factor(draw), _factor(draw)]
        student.scene(
            "broken_pass", draw.normal(3), draw.normal(3, requires_grad=True), factors, breaks_in_backward
        ).agrees(
            say=f"One pass went well, in the next {'backward' if breaks_in_backward else 'loss_of'} raised an error."
        )


KINDS = (
    "plain data",
    "data * 2",
    "a parameter",
    "parameter * 2",
    "parameter * 3, told to retain_grad()",
    "parameter[0]",
    "float32 parameter.to(float64)",
    "float32 parameter.to(float32)",
)


def _factor(draw):
    """Far from 0 and from ±1, so that what is not scaled, or scaled twice, shows."""
    return draw.choice((-1, 1)) * draw.real(1.5, 3)
