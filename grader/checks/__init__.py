"""The words that authors write checks with.

A `checks.py` is a pytest file. Each check is a function marked with `@check`, its docstring is the sentence
that the learner reads, and its fixtures are the words here::

    from grader.checks import check

    @check(points=2)
    def test_join_rows(student, draw):
        \"\"\"Tables with the same columns are joined row after row.\"\"\"
        student.call("join_rows", [draw.normal(2, 3), draw.normal(4, 3)]).agrees()

`student` (`Student`) asks the learner's code, `draw` (`Draw`) makes fresh inputs from the run's seed. A check
never sees a live object of the learner's: it sees observations (`grader.core.exchange`).
"""

from grader.checks.compare import difference
from grader.checks.draw import Draw
from grader.checks.failures import CheckFailed, fail
from grader.checks.mark import check
from grader.checks.student import Answer, Student, Thing

__all__ = ["Answer", "CheckFailed", "Draw", "Student", "Thing", "check", "difference", "fail"]
