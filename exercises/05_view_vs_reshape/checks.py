import torch

from grader.checks import CheckFailed, check, difference


@check(points=1)
def test_flatten_samples(student, draw):
    """Every sample of a batch becomes one row."""
    student.calls(
        "flatten_samples",
        [draw.distinct(4, 2, 3, 1)],
        [draw.distinct(2, 3, 4, 5)],
        [draw.distinct(1, 3, 2, 4)],
        [draw.distinct(4, 1, 2, 2, dtype=torch.uint8)],
    ).agree()


@check(points=1)
def test_flatten_samples_strided(student, draw):
    """Every sample becomes one row, also where the batch is not contiguous."""
    student.calls(
        "flatten_samples",
        [draw.distinct(2, 1, 3, 4).permute(0, 3, 1, 2)],
        [draw.distinct(5, 4, 6, 3)[:, :, 1:5]],
        [draw.distinct(3, 3, 3, 3).permute(0, 3, 1, 2)],
    ).agree()


@check(points=1)
def test_flatten_by_columns(student, draw):
    """A matrix becomes a vector, column after column."""
    student.calls(
        "flatten_by_columns",
        [draw.distinct(2, 3)],
        [draw.distinct(3, 3)],
        [draw.distinct(draw.whole(4, 6), 2, dtype=torch.int64)],
        [draw.distinct(4, 3).t()],
    ).agree()


def write_both_ways(student, draw, *cases):
    """What is written through the result must arrive in x, and the other way round. A case: base, cut, rows, width."""
    asked = []
    for base, cut, rows, width in cases:
        place = (draw.whole(0, rows - 1), draw.whole(1, width - 1))  # never the first number: x is written there
        asked.append((base, cut, rows, place, -draw.whole(1, 1000), -draw.whole(1001, 2000)))
    student.scenes("write_both_ways", *asked).agree(
        says=[
            f"x was {cut}, rows was {rows}; a number was written into your result, and one into x. "
            "Each must be seen in the other."
            for _, cut, rows, *_ in asked
        ]
    )


@check(points=1)
def test_view_as_rows(student, draw):
    """What is written through the result arrives in x."""
    student.call("view_as_rows", draw.distinct(3, 4), 2).agrees()
    write_both_ways(
        student,
        draw,
        (draw.distinct(3, 4), "base", 2, 6),
        (draw.distinct(3, 2, 3, dtype=torch.int64), "base", 6, 3),
        (draw.distinct(16), "base", 4, 4),
    )


@check(points=1)
def test_view_as_rows_strided(student, draw):
    """A part of a larger tensor is viewed too, wherever it has a view."""
    write_both_ways(
        student,
        draw,
        (draw.distinct(2, 4), "base", 4, 2),
        (draw.distinct(12), "base[::2]", 2, 3),
        (draw.distinct(4, 3, 5), "base[:, :2]", 4, 10),
        (draw.distinct(9, 3), "base[:, 1]", 3, 3),
    )


@check(points=1)
def test_view_as_rows_refuses(student, draw):
    """Where there is no such view, a RuntimeError says so."""
    student.call("view_as_rows", draw.distinct(2, 3), 3).agrees()
    cases = [draw.distinct(2, 3).t(), 2], [draw.distinct(4, 5)[:, :3], 2], [draw.distinct(3, 3).t(), 1]
    student.calls("view_as_rows", *cases, raising="RuntimeError")


def ask_is_copy(student, draw, names, *, part=False):
    """Ask for every name, in random order, and compare one by one."""
    names = [names[i] for i in draw.permutation(len(names))]
    answer = student.scene("ask_is_copy", draw.distinct(draw.whole(4, 5), 3), part, names)
    for name in names:
        (yours, x, y), (wanted, x_before, y_before) = answer.value[name], answer.expected[name]
        if told := difference(yours, wanted, f"is_copy(x, y) for y = {name}"):
            raise CheckFailed(f"Your answer to {told}")
        if difference(x, x_before) or difference(y, y_before):
            raise CheckFailed(f"For y = {name}, is_copy left other numbers in x or y than it found there.")


@check(points=1)
def test_is_copy(student, draw):
    """A copy is told from another view of the same memory."""
    ask_is_copy(student, draw, ["x", "x.t()", "x.view(-1)", "x.clone()", "x + 0"])


@check(points=1)
def test_is_copy_slices(student, draw):
    """A part of x is told from a copy of a part, even where x itself is a part."""
    names = ["x", "x[:]", "x[:2]", "x[1:]", "x[:, 1]", "x[-1]", "x[[1, 0]]", "x[1:].clone()"]
    ask_is_copy(student, draw, names)
    ask_is_copy(student, draw, names, part=True)


@check(points=1)
def test_is_copy_reshape(student, draw):
    """reshape and contiguous copy here and do not copy there: each case is told rightly."""
    names = ["x.reshape(-1)", "x.reshape(x.shape)", "x[1:].reshape(-1)", "x[:, 1:].reshape(-1)",
             "x.t()", "x.t().reshape(-1)", "x.contiguous()", "x.t().contiguous()"]  # fmt: skip
    ask_is_copy(student, draw, names)
    ask_is_copy(student, draw, names, part=True)


def write_into(student, draw, *cases):
    """Only what the caller sees afterwards counts, also outside of x. A case: base, cut, step."""
    asked = [(*case, -draw.whole(1, 1000)) for case in cases]
    student.scenes("write_into", *asked).agree(
        says=[
            f"x was {'all of base' if cut == 'base' else cut}, step was {step}, value was {value}; "
            "the result is base afterwards."
            for _, cut, step, value in asked
        ]
    )


@check(points=1)
def test_write_every(student, draw):
    """Every step-th number of x is overwritten, in x itself."""
    write_into(
        student,
        draw,
        (draw.distinct(3, 5), "base", 2),
        (draw.distinct(4, 4), "base", 3),
        (draw.distinct(2, 3, 4), "base", draw.whole(5, 7)),
        (draw.distinct(7, dtype=torch.int64), "base", 1),
    )


@check(points=2)
def test_write_every_strided(student, draw):
    """Every step-th number of x is overwritten, also where x is not contiguous."""
    write_into(
        student,
        draw,
        (draw.distinct(3, 4), "base.t()", 2),
        (draw.distinct(4, 6), "base[:, 1:4]", draw.choice([2, 4, 5])),
        (draw.distinct(4, 4), "base.t()", 3),
        (draw.distinct(11), "base[::2]", 2),
        (draw.distinct(2, 3, 4, dtype=torch.int64), "base.transpose(0, 2)", draw.whole(2, 5)),
    )
