"""A pool of processes on this machine.

Pebble replaces a worker that dies and fails only the task that it held; the standard library's pool breaks as
a whole. Here a task whose worker died is tried once more, on another worker.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any, TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Died:
    """What stands in the place of a result when two workers died over a task."""

    reason: str


def run(
    tasks: Iterable[_Task],
    work: Callable[..., _Result],
    *,
    workers: int,
    beside: tuple[Any, ...] = (),
) -> Iterator[tuple[_Task, _Result | Died]]:
    """Each task with its result, in the order in which they are done.

    `work` is called with a task and what is `beside` it, the same for all. What a worker needs to start with it
    makes at its first task: Pebble takes a death in an initializer for the death of the pool. Only a few tasks
    for each worker are under way at any time, so memory does not grow with the number of tasks. An exception of
    `work` is raised here.
    """
    # Here, so that who judges in its own process does not wait for them.
    import multiprocessing

    from pebble import ProcessExpired, ProcessPool

    # spawn: a fork of this process would carry whatever it has imported and every lock that it holds.
    context = multiprocessing.get_context("spawn")
    waiting: dict[Future[_Result], tuple[_Task, int]] = {}
    source = iter(tasks)
    with ProcessPool(max_workers=workers, context=context) as pool:

        def submit(task: _Task, tries: int) -> None:
            waiting[pool.submit(work, None, task, *beside)] = (task, tries)

        try:
            for task in source:
                submit(task, 1)
                if len(waiting) >= 3 * workers:
                    break
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    task, tries = waiting.pop(future)
                    try:
                        yield task, future.result()
                    except ProcessExpired as expired:
                        if tries < 2:
                            submit(task, tries + 1)
                            continue
                        yield task, Died(f"the process that judged it ended twice (code {expired.exitcode})")
                    following = next(source, None)
                    if following is not None:
                        submit(following, 1)
        finally:
            pool.stop()
