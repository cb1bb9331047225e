from grader.checks import check


@check(points=2)
def test_join_rows(student, draw):
    """Tables with the same columns are joined row after row."""
    student.call("join_rows", [draw.normal(2, 3), draw.normal(4, 3)]).agrees()
    student.call("join_rows", [draw.normal(3, 3), draw.normal(3, 3)]).agrees()


@check(points=3)
def test_pile_images(student, draw):
    """Images become one batch."""
    student.call("pile_images", [draw.normal(3, 2, 5) for _ in range(4)]).agrees()
