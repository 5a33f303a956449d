"""Threads over fixed chunks: order, errors, watching."""

from __future__ import annotations

import threading
import time

import pytest

from segment import threads


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_keep_their_order_and_are_watched(n_threads: int) -> None:
    seen: list[tuple[int, int]] = []
    with threads.watched(lambda done, total: seen.append((done, total))):
        squares = threads.run(lambda x: x * x, range(5), n_threads)
    assert squares == [0, 1, 4, 9, 16]
    assert seen == [(done, 5) for done in range(1, 6)]
    threads.run(str, range(5), n_threads)
    assert len(seen) == 5  # the block has ended


@pytest.mark.parametrize("n_threads", [1, 3])
def test_the_first_error_is_raised_and_the_rest_dropped(n_threads: int) -> None:
    begun: list[int] = []

    def job(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ZeroDivisionError(number)
        time.sleep(0.01)  # or all would be done before the error is seen

    with pytest.raises(ZeroDivisionError, match="0"):
        threads.run(job, range(1000), n_threads)
    assert len(begun) < 1000


def test_bands_cover_everything_once() -> None:
    assert threads.chunks(10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert threads.chunks(0, 4) == []


def test_a_watcher_is_dropped_when_its_block_fails() -> None:
    seen: list[int] = []
    with pytest.raises(ZeroDivisionError), threads.watched(lambda done, _: seen.append(done)):
        threads.run(lambda x: 1 / x, [2, 1, 0], 1)
    threads.run(str, range(3), 1)
    assert seen == [1, 2]


def test_no_more_threads_than_jobs_and_one_thread_runs_in_place() -> None:
    def names(n_jobs: int, n_threads: int) -> set[str]:
        def job(_: int) -> str:
            time.sleep(0.01)
            return threading.current_thread().name

        return set(threads.run(job, range(n_jobs), n_threads))

    here = threading.current_thread().name
    assert names(4, 1) == {here}
    assert names(1, 4) == {here}
    assert here not in names(6, 3)
    assert 1 < len(names(6, 3)) <= 3
    assert len(names(2, 8)) <= 2
