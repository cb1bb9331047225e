"""The judge, on the made-up exercise, with every kind of worker."""

from pathlib import Path

import pytest

from grader.core.errors import OurFault
from grader.core.verdict import Verdict


@pytest.fixture
def solution(probe):
    return probe.solution.read_text()


def by_id(attempt):
    return {check.id: check for check in attempt.checks}


def statuses(attempt):
    return {check.id: str(check.status) for check in attempt.checks}


def test_the_solution_earns_full_marks(judge, submission, solution):
    attempt = judge.judge(submission(solution))
    assert attempt.status is Verdict.PASSED
    assert (attempt.score, attempt.max_score) == (6.0, 6.0)  # the check for CUDA does not count here
    assert by_id(attempt)["test_on_cuda"].status is Verdict.SKIPPED


def test_the_stub_is_not_attempted(judge, probe, submission):
    stub = probe.stub.read_text()
    for source in (stub, stub + "\nx = 1\n", "", "\n\n"):
        attempt = judge.judge(submission(source))
        assert attempt.status is Verdict.NOT_ATTEMPTED
        assert attempt.score == 0


def test_a_known_wrong_idea_is_named(judge, submission, solution):
    attempt = judge.judge(submission(solution.replace("x * 2", "x + 2.0")))
    check = by_id(attempt)["test_double"]
    assert check.status is Verdict.FAILED
    assert check.misconception == "add-for-double"
    assert check.message.startswith("Two was added")
    assert by_id(attempt)["test_double_int"].status is Verdict.SKIPPED
    assert "Doubles a tensor" in by_id(attempt)["test_double_int"].message
    assert by_id(attempt)["test_counter"].status is Verdict.PASSED


def test_an_unknown_wrong_answer_is_told_by_its_first_difference(judge, submission, solution):
    attempt = judge.judge(submission(solution.replace("x * 2", "(x * 2).double()")))
    check = by_id(attempt)["test_double"]
    assert check.misconception is None
    assert "dtype float64, expected float32" in check.message
    attempt = judge.judge(submission(solution.replace("x * 2", "x")))
    assert "right shape" in by_id(attempt)["test_double"].message


def test_a_changed_argument_is_seen(judge, submission, solution):
    attempt = judge.judge(submission(solution.replace("return x * 2", "y = x * 2\n    x.zero_()\n    return y")))
    check = by_id(attempt)["test_double"]
    assert check.status is Verdict.FAILED
    assert "changed its argument 1" in check.message


def test_an_error_is_told_with_the_learners_own_line(judge, submission, solution):
    attempt = judge.judge(submission(solution.replace("return x * 2", "return x @ undefined_name")))
    check = by_id(attempt)["test_double"]
    assert check.status is Verdict.ERROR
    assert "NameError: name 'undefined_name' is not defined" in check.message
    assert check.where == "line 5"
    assert "return x @ undefined_name" in check.traceback
    assert "checks.py" not in check.traceback


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("while True: pass", Verdict.TIMEOUT),
        ("import os; os._exit(0)", Verdict.CRASHED),
        ("import ctypes; ctypes.string_at(0)", Verdict.CRASHED),
        ("import sys; sys.exit(0)", Verdict.ERROR),
    ],
)
def test_a_death_costs_the_check_that_was_running_and_no_other(judge, submission, solution, body, status):
    attempt = judge.judge(submission(solution.replace("return x * 2", body)))
    found = by_id(attempt)
    assert found["test_double"].status is status
    assert found["test_scene"].status is status
    assert found["test_counter"].status is Verdict.PASSED
    assert found["test_noise"].status is Verdict.PASSED
    assert attempt.score == 2.0


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("def double(x:\n    pass\n", Verdict.ERROR, "SyntaxError in line 1"),
        ("raise RuntimeError('canary')\n", Verdict.ERROR, "canary"),
        ("import os\nos._exit(0)\n", Verdict.CRASHED, "could not be loaded"),
        ("while True: pass\n", Verdict.TIMEOUT, "could not be loaded"),
    ],
)
def test_a_file_that_cannot_be_loaded_passes_nothing(judge, submission, source, status, words):
    attempt = judge.judge(submission(source))
    counted = [check for check in attempt.checks if check.counts]
    assert {check.status for check in counted} <= {status, Verdict.SKIPPED}
    assert attempt.status is status
    assert attempt.score == 0
    assert words in counted[0].message


def test_a_missing_function_is_a_wrong_answer(judge, submission, solution):
    attempt = judge.judge(submission(solution.replace("def draw_noise", "def noise")))
    assert "no draw_noise" in by_id(attempt)["test_noise"].message
    assert attempt.status is Verdict.FAILED


def test_what_the_code_printed_is_kept_and_bounded(judge, submission, solution):
    source = solution.replace("return x * 2", "print('shape', tuple(x.shape)); return x * 2")
    assert "shape (2, 3)" in by_id(judge.judge(submission(source)))["test_double"].printed
    flood = solution.replace("return x * 2", "print('y' * 10_000_000); return x * 2")
    attempt = judge.judge(submission(flood))
    assert attempt.status is Verdict.PASSED
    assert len(by_id(attempt)["test_double"].printed) < 5000


def test_memory_beyond_the_limit_ends_the_check_and_not_the_machine(judge, submission, solution):
    if judge.confinement == "none":
        pytest.skip("nothing confines here")
    attempt = judge.judge(submission(solution.replace("return x * 2", "hog = [bytearray(10**8) for _ in range(50)]")))
    assert by_id(attempt)["test_double"].status in (Verdict.ERROR, Verdict.CRASHED)
    assert by_id(attempt)["test_counter"].status is Verdict.PASSED


def test_the_same_seed_repeats_a_run_exactly(judge, submission, solution):
    wrong = submission(solution.replace("x * 2", "x * 3"))

    def told(seed):
        judge.reseed(seed)
        return [(check.id, check.status, check.message, check.given) for check in judge.judge(wrong).checks]

    first, again, other = told(3), told(3), told(4)
    judge.reseed(7)
    assert first == again
    assert first != other


def test_the_global_generator_is_set_for_each_request(judge, submission, solution):
    source = solution.replace("return torch.randn(n)", "torch.manual_seed(0); return torch.randn(n)")
    assert by_id(judge.judge(submission(source)))["test_noise"].status is Verdict.FAILED


def test_answers_that_compare_equal_to_everything_are_wrong(judge, submission, solution):
    source = solution.replace(
        "return x * 2",
        "class Yes(torch.Tensor):\n"
        "        @classmethod\n"
        "        def __torch_function__(cls, f, types, args=(), kwargs=None):\n"
        "            return True\n"
        "    return torch.zeros_like(x).as_subclass(Yes)",
    )
    assert by_id(judge.judge(submission(source)))["test_double"].status is Verdict.FAILED
    source = solution.replace(
        "return x * 2",
        "class Any:\n        __eq__ = lambda s, o: True\n        shape, dtype = x.shape, x.dtype\n    return Any()",
    )
    assert by_id(judge.judge(submission(source)))["test_double"].status is Verdict.FAILED


def test_broadcastable_and_empty_results_are_wrong(judge, submission, solution):
    for body in ("x.mean() * 2", "torch.empty(0)", "(x * 2)[None]", "x * float('nan')"):
        attempt = judge.judge(submission(solution.replace("return x * 2", f"return {body}")))
        assert by_id(attempt)["test_double"].status is Verdict.FAILED, body


def test_how_it_ended_is_told_however_long_the_end_takes(judge, submission, solution):
    """A process closes its line a moment before it ends, and on a busy machine that moment may be long."""
    slow = "import os, time; os.closerange(3, 256); time.sleep(0.5); os._exit(3)"
    attempt = judge.judge(submission(solution.replace("return x * 2", slow)))
    assert attempt.checks[0].status is Verdict.CRASHED
    assert "exit code 3" in attempt.checks[0].message


def test_an_end_is_told_also_where_who_started_us_ignores_the_ends_of_children(probe, submission, solution):
    """Then the system forgets how they ended, unless the zygote says that it wants to know."""
    import signal

    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    if not hasattr(signal, "SIGCHLD"):
        pytest.skip("this system has no such signal")
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        judge = Judge([probe], Settings(seed=1, worker="fork", bubblewrap=False))
    finally:
        signal.signal(signal.SIGCHLD, before)
    with judge:
        attempt = judge.judge(submission(solution.replace("return x * 2", "import os; os._exit(3)")))
    assert attempt.checks[0].status is Verdict.CRASHED
    assert "exit code 3" in attempt.checks[0].message


def test_a_killed_zygote_is_replaced_and_nothing_is_lost(judge, submission, solution):
    import os
    import signal

    if not hasattr(judge._host, "pid"):
        pytest.skip("there is no zygote in this kind of worker")
    os.kill(judge._host.pid, signal.SIGKILL)
    # Or all might be over, by way of the child that was there already, before it has ended.
    judge._host._process.wait(10)
    assert judge.judge(submission(solution)).status is Verdict.PASSED


@pytest.mark.parametrize("ordered", [False, True], ids=["the spare is there", "the spare was ordered"])
def test_wherever_the_zygote_is_killed_the_learner_does_not_pay(judge, submission, solution, ordered, monkeypatch):
    import os
    import select
    import signal

    from grader.core.exchange import Request, Word
    from grader.sandbox.client import ConfinedBackend

    host = judge._host
    if not hasattr(host, "pid"):
        pytest.skip("there is no zygote in this kind of worker")
    monkeypatch.setattr(host, "_ahead", True)
    limits = judge._exercises["01_probe"].limits
    host.prepare_spare(limits)
    host._collect_all()
    if ordered:
        for pid in (host.pid, *descendants(host.pid)):
            if b"zygote" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGSTOP)
    backend = ConfinedBackend(host, "01_probe.py", "x = 1", None, limits)
    child = host._spare[1]
    os.kill(in_our_namespace(child), signal.SIGCONT)
    assert backend.ask(Request(Word.GET, "x")).value == 1
    assert backend._child is child
    assert len(host._ordered) == 1
    if not ordered:
        host._collect_all()
    os.kill(host.pid, signal.SIGKILL)
    # In a process namespace it dies with the zygote; else it is killed here, as by a system that lacks memory.
    signal.pidfd_send_signal(child._pidfd, signal.SIGKILL)
    assert select.select([child._pidfd], [], [], 10)[0]
    with pytest.raises(OurFault):
        backend.ask(Request(Word.GET, "x"))
    backend.drop()
    attempt = judge.judge(submission(solution))
    assert attempt.status is Verdict.PASSED
    assert attempt.score == 6


def test_where_no_core_is_free_nothing_is_forked_ahead(judge, submission, solution, monkeypatch):
    host = judge._host
    if not hasattr(host, "_ahead"):
        pytest.skip("there are no forks in this kind of worker")
    asked, fork = [], type(host)._fork

    def noted(self, limits, scratch):
        child = fork(self, limits, scratch)
        asked.append(child)
        return child

    monkeypatch.setattr(type(host), "_fork", noted)
    for ahead, waiting in ((True, 1), (False, 0), (True, 1)):
        monkeypatch.setattr(host, "_ahead", ahead)
        del asked[:]
        assert judge.judge(submission(solution)).score == 6
        assert sum(host._spare is not None and host._spare[1] is child for child in asked) == waiting
        assert (host._spare is not None) is ahead


def test_scenes_are_at_hand_in_every_fork_that_comes_after_them(judge, submission, solution, monkeypatch):
    from grader.core.exchange import Request, Word
    from grader.sandbox.client import ConfinedBackend
    from grader.sandbox.session import compile_scenes

    host = judge._host
    if not hasattr(host, "_kept"):
        pytest.skip("there are no forks in this kind of worker")
    monkeypatch.setattr(host, "_ahead", False)
    assert judge.judge(submission(solution)).score == 6  # with what was forked ahead before
    scenes = compile_scenes(f"def twice(answer, x): return answer.f(answer.f(x))\nlong = '{'z' * 100_000}'\n")
    source = "from grader.sandbox import session\nkept = list(session._kept)\ndef f(x): return x + 1\n"

    def ask(scenes):
        backend = ConfinedBackend(host, "01_probe.py", source, scenes, judge._exercises["01_probe"].limits)
        try:
            kept = backend.ask(Request(Word.GET, "kept")).value
            return kept, backend.ask(Request(Word.SCENE, "twice", args=(1,))).value if scenes else None
        finally:
            backend.close()

    before, _ = ask(None)
    assert scenes not in before
    assert ask(scenes) == ([*before, scenes], 3)
    assert ask(None) == ([*before, scenes], None)
    host.restart()
    assert ask(None) == ([], None)
    assert ask(scenes) == ([scenes], 3)


@pytest.mark.parametrize(
    ("cores", "judges", "ahead"), [(1, 1, False), (2, 1, True), (2, 2, False), (8, 4, True), (8, 5, False)]
)
def test_the_next_child_is_made_ahead_only_where_each_judge_has_a_second_core(cores, judges, ahead, monkeypatch):
    from grader.judge import opening
    from grader.judge.settings import Settings

    monkeypatch.setattr(opening, "cores", lambda: cores)
    assert opening.forks_ahead(Settings(judges=judges)) is ahead


def in_our_namespace(child):
    return int(Path(f"/proc/self/fdinfo/{child._pidfd}").read_text().split("Pid:")[1].split()[0])


def descendants(pid):
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *descendants(child)]
    return found


def test_a_zygote_that_cannot_be_started_again_is_our_fault(probe, submission, solution, monkeypatch):
    """And where it can be started the time after, judging goes on."""
    import os
    import signal
    import sys

    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    if sys.platform != "linux":
        pytest.skip("there is a zygote on Linux only")
    with Judge([probe], Settings(seed=7, worker="fork")) as judge:
        os.kill(judge._host.pid, signal.SIGKILL)
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", "/bin/false")
            attempt = judge.judge(submission(solution))
            assert attempt.status is Verdict.INTERNAL_ERROR
            assert attempt.score is None
            assert judge.judge(submission(solution)).status is Verdict.INTERNAL_ERROR
        assert judge.judge(submission(solution)).status is Verdict.PASSED


def test_a_check_that_fails_by_itself_is_our_fault(probe, submission, solution, tmp_path):
    import shutil

    from grader.catalogue import Catalogue
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    shutil.copytree(probe.folder.parents[1], tmp_path / "pack")
    checks = tmp_path / "pack/exercises/01_probe/checks.py"
    checks.write_text(checks.read_text().replace('"""Counts from 0 in steps."""', '"""Counts."""\n    1 / 0'))
    exercise = Catalogue.load(tmp_path / "pack").find("01")
    with Judge([exercise], Settings(seed=1)) as judge:
        attempt = judge.judge(submission(solution))
        assert statuses(attempt)["test_counter"] == "internal_error"
        assert attempt.status is Verdict.INTERNAL_ERROR
        assert attempt.score is None
    checks.write_text("this is not python")
    with Judge([Catalogue.load(tmp_path / "pack").find("01")], Settings(seed=1)) as judge:
        attempt = judge.judge(submission(solution))
        assert attempt.status is Verdict.INTERNAL_ERROR
        assert attempt.max_score == 7


def test_an_answer_of_an_unforeseen_form_is_wrong_and_not_our_fault(probe, submission, solution, tmp_path):
    """A check that stumbles over the learner's value only, and not over the reference's, has found a wrong answer."""
    import shutil

    from grader.catalogue import Catalogue
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    shutil.copytree(probe.folder.parents[1], tmp_path / "pack")
    checks = tmp_path / "pack/exercises/01_probe/checks.py"
    text = checks.read_text()
    checks.write_text(text.replace("draw.normal(4)).agrees()", "draw.normal(4)).value.shape[0] / 1"))
    exercise = Catalogue.load(tmp_path / "pack").find("01")
    with Judge([exercise], Settings(seed=1)) as judge:
        assert statuses(judge.judge(submission(solution)))["test_double"] == "passed"
        odd = solution.replace("return x * 2", "return x * 2 if x.dim() == 2 else None")
        check = by_id(judge.judge(submission(odd)))["test_double"]
        assert check.status is Verdict.FAILED
        assert "form" in check.message


def test_one_judge_goes_from_exercise_to_exercise(probe, submission, solution, tmp_path):
    import shutil

    from grader.catalogue import Catalogue
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    shutil.copytree(probe.folder.parents[1], tmp_path / "pack")
    shutil.copytree(probe.folder, tmp_path / "pack/exercises/02_again")
    shutil.copy(probe.solution, tmp_path / "pack/solutions/02_again.py")
    with Judge(list(Catalogue.load(tmp_path / "pack")), Settings(seed=1)) as judge:
        for _ in range(2):
            for name in ("01_probe", "02_again"):
                assert judge.judge(submission(solution, name)).status is Verdict.PASSED


def test_a_scene_that_fails_by_itself_is_our_fault(probe, submission, solution, tmp_path):
    import shutil

    from grader.catalogue import Catalogue
    from grader.judge.judge import Judge
    from grader.judge.settings import Settings

    shutil.copytree(probe.folder.parents[1], tmp_path / "pack")
    scenes = tmp_path / "pack/exercises/01_probe/scenes.py"
    for broken in ("def other(answer, x):\n    return x\n", "def twice(answer, x):\n    return {}['first']\n"):
        scenes.write_text(broken)
        with Judge([Catalogue.load(tmp_path / "pack").find("01")], Settings(seed=1)) as judge:
            assert statuses(judge.judge(submission(solution)))["test_scene"] == "internal_error"
