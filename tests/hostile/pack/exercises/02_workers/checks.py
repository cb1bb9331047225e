from grader.checks import check


@check(points=2)
def test_batches(student, draw):
    """Loads in batches."""
    student.call("batches", draw.whole(3, 9)).agrees()
