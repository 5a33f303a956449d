"""Tasks on the threads of this machine, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from segment.notices import Listener
from segment.scenes.work import Task, Work

T = TypeVar("T")


@dataclass(frozen=True)
class Runner:
    """Who does the tasks of a run.

    Attributes
    ----------
    jobs : int
        How many at once on this machine.
    scheduler, client : optional
        The address of a Dask scheduler, or a client of one, whose workers do them instead.
    say : callable
        Is told what happens to them.
    """

    jobs: int
    scheduler: str | None
    client: Any
    say: Listener

    def run(self, work: Work, tasks: Iterable[Task[T]]) -> Generator[T, None, None]:
        """Yield what tasks return, as they are finished."""
        if self.scheduler is None and self.client is None:
            return run_here(work, tasks, self.jobs)
        from segment.scenes.cluster import run_there

        return run_there(work, tasks, self.scheduler, self.client, self.say)


def run_here(work: Work, tasks: Iterable[Task[T]], jobs: int) -> Generator[T, None, None]:
    """Yield what tasks return, as they are finished.

    The first error is raised; the tasks that are being worked on then are finished first.
    """
    with ThreadPoolExecutor(jobs) as pool:
        rest, pending = iter(tasks), set[Future[T]]()
        try:
            while True:
                while len(pending) < jobs and (task := next(rest, None)) is not None:
                    pending.add(pool.submit(task.do, work))
                if not pending:
                    return
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in pending:
                future.cancel()
