import torch

from grader.checks import check


def below(draw, rows, columns, dtype=torch.float32):
    """Tables with the same columns; no number occurs twice in all of them."""
    return [part.clone() for part in draw.distinct(sum(rows), columns, dtype=dtype).split(rows)]


def beside(draw, rows, columns, dtype=torch.float32):
    """Tables with the same rows; no number occurs twice in all of them."""
    return [part.clone() for part in draw.distinct(rows, sum(columns), dtype=dtype).split(columns, dim=1)]


def samples(draw, count, *shape, dtype=torch.float32):
    """Samples of one shape; no number occurs twice in all of them."""
    return [part.clone() for part in draw.distinct(count, *shape, dtype=dtype)]


@check(points=1)
def test_join_rows(student, draw):
    """Tables with the same columns are joined row after row."""
    student.calls(
        "join_rows",
        [below(draw, [2, 2], 3)],
        [below(draw, [1, 4, 2], 3)],
        [below(draw, [3, 3, 3], 3)],
        [below(draw, [3, 0, 2], 5)],
    ).agree()


@check(points=1)
def test_join_rows_dtype(student, draw):
    """Tables of whole numbers give a table of whole numbers."""
    student.calls(
        "join_rows",
        [below(draw, [2, 3], 2, torch.int64)],
        [below(draw, [1, 1, 2], 3, draw.choice([torch.int32, torch.uint8]))],
    ).agree()


@check(points=1)
def test_join_columns(student, draw):
    """Tables with the same rows are joined column after column, in their own dtype."""
    student.calls(
        "join_columns",
        [beside(draw, 3, [2, 2])],
        [beside(draw, 4, [1, 3, 2])],
        [beside(draw, 3, [3, 3])],
        [beside(draw, 2, [1, 3], torch.int64)],
    ).agree()


@check(points=1)
def test_batch_images(student, draw):
    """Images become one batch, in their own dtype."""
    student.calls(
        "make_batch",
        [samples(draw, 2, 3, 2, 2)],
        [samples(draw, 4, 3, 2, 5)],
        [samples(draw, 3, 3, 3, 3)],
        [samples(draw, 1, 3, 4, 2, dtype=torch.uint8)],
    ).agree()


@check(points=1)
def test_batch_labels(student, draw):
    """Labels, which are 0-d, become one vector, in their own dtype."""
    student.calls(
        "make_batch",
        [samples(draw, draw.whole(4, 6), dtype=torch.int64)],
        [samples(draw, 1, dtype=torch.int64)],
        [list(draw.normal(3, dtype=torch.float64))],
    ).agree()


@check(points=2)
def test_split_back(student, draw):
    """A joined table is cut into pieces of the given lengths again."""
    cases = [
        [draw.distinct(sum(lengths), columns), lengths]
        for lengths, columns in (([1, 3, 2], 2), ([2, 2, 2], 3), ([4, 0, 1, 2], 3))
    ]
    lengths = [draw.whole(1, 4) for _ in range(draw.whole(4, 6))]
    student.calls("split_back", *cases, [draw.distinct(sum(lengths), 2, dtype=torch.int64), lengths]).agree()


@check(points=1)
def test_interleave_two(student, draw):
    """The rows of two tables take turns."""
    student.calls(
        "interleave",
        [below(draw, [4, 4], 3)],
        [below(draw, [2, 2], 2)],
        [below(draw, [draw.whole(5, 6)] * 2, 1)],
    ).agree()


@check(points=2)
def test_interleave_many(student, draw):
    """The rows of any number of tables take turns, in their own dtype."""
    student.calls(
        "interleave",
        [below(draw, [4] * 3, 2)],
        [below(draw, [3] * 3, 3)],
        [below(draw, [4], 2)],
        [below(draw, [draw.whole(2, 4)] * 5, 2, torch.int64)],
    ).agree()
