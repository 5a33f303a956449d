"""What all work on a Dask cluster needs, where the cluster misbehaves."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from segment import clusters
from segment.errors import FileError

pytest.importorskip("distributed")


def client(threads: int = 1) -> Any:
    """A client of which only its scheduler's name and its threads are asked."""
    workers = {"tcp://a:1": threads} if threads else {}
    return SimpleNamespace(
        scheduler=SimpleNamespace(address="tcp://here:8786"), nthreads=lambda: workers
    )


@pytest.mark.parametrize("error", [OSError("closed"), RuntimeError(), asyncio.CancelledError()])
def test_a_scheduler_that_goes_is_one_line(error: BaseException) -> None:
    message = "the scheduler tcp://here:8786 is gone .* running the same again goes on"
    with pytest.raises(FileError, match=message), clusters.connected(None, client(), "client"):
        raise error


def test_errors_of_ours_pass() -> None:
    with pytest.raises(FileError, match=r"^ours$"), clusters.connected(None, client(), "client"):
        raise FileError("ours")


def test_no_workers() -> None:
    with (
        pytest.raises(FileError, match="has no workers"),
        clusters.connected(None, client(0), "client"),
    ):
        raise AssertionError
