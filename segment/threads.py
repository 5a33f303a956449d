"""Threads over fixed bands: the same work list, hence the same result, on any number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from segment.errors import InputError

T = TypeVar("T")
R = TypeVar("R")


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


def bands(length: int, size: int) -> list[tuple[int, int]]:
    """Cut ``range(length)`` into half-open bands of `size`; they never depend on thread counts."""
    return [(start, min(start + size, length)) for start in range(0, length, size)]


def run(function: Callable[[T], R], jobs: Iterable[T], n_threads: int) -> list[R]:
    """Call `function` on every job, on `n_threads` threads, and return the results in order.

    `function` must release the GIL to gain anything (every kernel does). The first exception is
    raised and the jobs not yet begun are dropped.
    """
    jobs = list(jobs)
    if n_threads == 1 or len(jobs) < 2:
        return [function(job) for job in jobs]
    with ThreadPoolExecutor(min(n_threads, len(jobs))) as pool:
        futures = [pool.submit(function, job) for job in jobs]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
