import torch

from grader.checks import check

# f(x) = sin(weight @ x): every output depends on every input, and its slopes are nowhere constant.


@check(points=1)
def test_slopes(student, draw):
    """slopes gives the derivative of a curve at every point."""
    shapes = (5,), (2, 3), (3, 3)
    curves = [([draw.real(0.5, 2), draw.real(-2, 2), draw.real(-2, 2)], draw.normal(*shape)) for shape in shapes]
    says = [f"The curve was a parabola, and x had shape {shape}." for shape in shapes]
    student.scenes("slopes_of_parabola", *curves).agree(says=says)
    x = draw.normal(4, dtype=torch.float64)
    student.scene("slopes_of_wave", draw.real(1, 3), x).agrees(say="The curve was a sine, and x was float64.")


@check(points=2)
def test_weighted_gradient(student, draw):
    """weighted_gradient lets each output count as much as its weight says."""
    cases = []
    for inputs, outputs, dtype in (
        ((3,), (3,), torch.float32),
        ((5,), (3,), torch.float32),
        ((2, 2), (2, 3), torch.float32),
        ((3, 3), (3, 3), torch.float64),
    ):
        x, weight = _inputs(draw, inputs, outputs, dtype)
        cases.append((outputs, x, draw.normal(*outputs, dtype=dtype), weight))
    says = [f"x had shape {tuple(x.shape)}, y and v had shape {outputs}." for outputs, x, *_ in cases]
    student.scenes("weighted_gradient", *cases).agree(says=says)


@check(points=1)
def test_weighted_sum(student, draw):
    """weighted_sum gives one number, and backward from it brings the weighted gradient."""
    _sums(student, draw, ((3,), (4,), torch.float32))


@check(points=1)
def test_weighted_sum_of_table(student, draw):
    """weighted_sum pairs each element with its weight, whatever y's shape is."""
    _sums(
        student,
        draw,
        ((2,), (4, 1), torch.float32),
        ((4,), (2, 3), torch.float32),
        ((3,), (3, 3), torch.float64),
    )


@check(points=1)
def test_row(student, draw):
    """jacobian_row gives the gradient of one output out of several."""
    cases = []
    for size, outputs, dtype in ((5, 3, torch.float32), (3, 3, torch.float32), (2, 6, torch.float64)):
        x, weight = _inputs(draw, (size,), (outputs,), dtype)
        cases.append(((outputs,), x, draw.whole(1, outputs - 1), weight))
    _rows(student, cases)


@check(points=1)
def test_row_of_table(student, draw):
    """jacobian_row finds element i of an output that is a table."""
    cases = []
    for inputs, outputs, low, high in (((4,), (2, 3), 0, 1), ((2, 2), (3, 2), 3, 5), ((3, 3), (3, 3), 1, 8)):
        x, weight = _inputs(draw, inputs, outputs, torch.float32)
        cases.append((outputs, x, draw.whole(low, high), weight))
    _rows(student, cases)


@check(points=2)
def test_jacobian(student, draw):
    """jacobian gives all rows, one for each output."""
    cases = []
    for size, outputs, dtype in ((2, 4, torch.float32), (5, 3, torch.float32), (3, 3, torch.float64)):
        x, weight = _inputs(draw, (size,), (outputs,), dtype)
        cases.append(((outputs,), x, weight))
    says = [f"x had shape {tuple(x.shape)}, f(x) had shape {outputs}." for outputs, x, _ in cases]
    student.scenes("jacobian", *cases).agree(says=says)


@check(points=1, needs=("test_slopes", "test_row"))
def test_x_untouched(student, draw):
    """slopes and jacobian_row leave the caller's x as it was, and give the same answer when asked again."""
    student.scene("slopes_twice", draw.real(1, 3), draw.normal(4)).agrees()
    x, weight = _inputs(draw, (3,), (2,), torch.float32)
    student.scene("row_twice", (2,), x, draw.whole(0, 1), weight).agrees()


def _inputs(draw, inputs, outputs, dtype):
    """x, and the weight of f: (elements of f(x), elements of x)."""
    x = draw.normal(*inputs, dtype=dtype)
    return x, draw.uniform(torch.Size(outputs).numel(), x.numel(), low=-1, high=1, dtype=dtype)


def _rows(student, cases):
    says = [f"x had shape {tuple(x.shape)}, f(x) had shape {outputs}, and i was {i}." for outputs, x, i, _ in cases]
    student.scenes("row", *cases).agree(says=says)


def _sums(student, draw, *shapes):
    cases = []
    for inputs, outputs, dtype in shapes:
        x, weight = _inputs(draw, inputs, outputs, dtype)
        cases.append((outputs, draw.normal(len(weight), dtype=dtype), x, weight))
    says = [f"y had shape {outputs}, the weights had shape ({len(weights)},)." for outputs, weights, *_ in cases]
    student.scenes("weighted_sum", *cases).agree(requires_grad=True, says=says)
    student.scenes("backward_from_weighted_sum", *cases).agree(
        says=[f"This is x.grad after z.backward(); {say}" for say in says]
    )
