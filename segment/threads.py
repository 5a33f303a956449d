"""Threads over fixed chunks: the same work, hence the same result, on any number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from segment.errors import InputError

T = TypeVar("T")
R = TypeVar("R")

Watcher = Callable[[int, int], None]
_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


def resolve_n_threads(n_threads: int | None) -> int:
    """Return the number of threads to use; None means every core this process may run on.

    Raises
    ------
    InputError
        If `n_threads` is neither None nor an integer of at least 1.
    """
    if n_threads is None:
        available = getattr(os, "sched_getaffinity", None)
        return len(available(0)) if available else os.cpu_count() or 1
    if isinstance(n_threads, bool) or not hasattr(n_threads, "__index__") or int(n_threads) < 1:
        raise InputError(
            f"n_threads={n_threads!r} is not a number of threads; use an integer of at least 1, "
            "or None for every core"
        )
    return int(n_threads)


def chunks(length: int, size: int) -> list[tuple[int, int]]:
    """Cut ``range(length)`` into half-open chunks of `size`; they never depend on thread counts."""
    return [(start, min(start + size, length)) for start in range(0, length, size)]


def run(function: Callable[[T], R], jobs: Iterable[T], n_threads: int) -> list[R]:
    """Call `function` on every job, on `n_threads` threads, and return the results in order.

    `function` must release the GIL to gain anything (every kernel does). The first exception is
    raised and the jobs not yet begun are dropped.
    """
    jobs = list(jobs)
    watcher = _watcher.get() or _ignore
    results = []
    if n_threads == 1 or len(jobs) < 2:
        for job in jobs:
            results.append(function(job))
            watcher(len(results), len(jobs))
        return results
    with ThreadPoolExecutor(min(n_threads, len(jobs))) as pool:
        futures = [pool.submit(function, job) for job in jobs]
        try:
            for future in futures:
                results.append(future.result())
                watcher(len(results), len(jobs))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _ignore(done: int, total: int) -> None:
    pass


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Call `watcher(done, total)` on this thread after each job of every `run` in the block."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)
