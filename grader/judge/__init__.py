"""Runs the hidden checks in a trusted process.

Theory of operation
-------------------
A `Judge` owns a *host* of sandboxed children (`grader.sandbox`) and a *runner* (`runner.py`): one pytest
session that collected the `checks.py` of the exercises once and runs them again for each submission. For each
check it makes a `Student`, whose requests go to the submission's confined child. What the reference solution
and the known wrong answers say to the same requests is remembered (`known.py`): the requests depend on the run's
seed and not on the student, so a class asks each of them once. `verdicts.py` decides whose fault an ending is.

`judge.Judge` is the room's one door, and `opening.open_judge` opens it fastest. Importing `judge` imports torch;
`opening`, `settings`, `device` and `worker` do not.

No value that a child sent is ever run, unpickled or shown uncleaned.
"""
