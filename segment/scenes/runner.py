"""Tiles on the threads of this machine, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from segment.notices import Listener
from segment.scenes.work import Done, Work, do_tile


def run_here(work: Work, todo: Sequence[int], jobs: int) -> Generator[Done, None, None]:
    """Yield what there is to say of each tile, as they are finished.

    The first error is raised; the tiles that are being worked on then are finished first.
    """
    with ThreadPoolExecutor(jobs) as pool:
        rest, pending = iter(todo), set[Future[Done]]()
        try:
            while True:
                while len(pending) < jobs and (k := next(rest, None)) is not None:
                    pending.add(pool.submit(do_tile, work, k))
                if not pending:
                    return
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in pending:
                future.cancel()


def run(
    work: Work, todo: Sequence[int], jobs: int, scheduler: str | None, client: Any, say: Listener
) -> Generator[Done, None, None]:
    """Do tiles here, or, where there is a scheduler or a client of one, on its workers."""
    if scheduler is None and client is None:
        return run_here(work, todo, jobs)
    from segment.scenes.cluster import run_there

    return run_there(work, todo, scheduler, client, say)
