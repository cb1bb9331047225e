from grader.checks import check


@check(points=2)
def test_double(student, draw):
    """Doubles a tensor."""
    student.call("double", draw.normal(2, 3)).agrees()
    student.call("double", draw.normal(4)).agrees()


@check(points=1, needs="test_double")
def test_double_int(student, draw):
    """Doubles whole numbers too."""
    student.call("double", draw.integers(0, 9, 3)).agrees()


@check(points=1)
def test_counter(student, draw):
    """Counts from 0 in steps."""
    counter = student.new("Counter", draw.whole(2, 5))
    for _ in range(3):
        counter.call("next").agrees()


@check(points=1)
def test_noise(student, draw):
    """Draws from the global generator."""
    student.call("draw_noise", draw.whole(3, 9)).agrees()


@check(points=1)
def test_scene(student, draw):
    """Is used twice beside a scene."""
    student.scene("twice", draw.normal(3)).agrees()


@check(points=1, device="cuda")
def test_on_cuda(student, draw):
    """Doubles on CUDA."""
    student.call("double", draw.normal(2)).agrees()
