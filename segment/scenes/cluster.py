"""Tiles as tasks of a Dask cluster: names go out, a few numbers come back, pixels stay on disk."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import logging
import queue
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from segment.errors import ExtraError, FileError, SegmentError
from segment.files import display_name
from segment.notices import Listener
from segment.scenes.arrays import ArraySource
from segment.scenes.work import Done, Work, do_tile

AHEAD = 2  # tiles handed over for each thread of the cluster; more would only wait there
TIMEOUT = "10s"
POLL = 2.0  # seconds between two looks whether anybody still works
ANSWER = 5.0  # seconds for the answer of a tile that is done
PATIENCE = 300.0  # seconds without any worker
KEPT = "what is done is kept, and running the same again goes on from there"


def run_there(
    work: Work, todo: Sequence[int], scheduler: str | None, client: Any, say: Listener
) -> Generator[Done, None, None]:
    """Yield what there is to say of each tile, as workers finish them.

    A tile whose worker dies is done again by another.

    Raises
    ------
    ExtraError
        If Dask is not installed.
    FileError
        If the scheduler does not answer, or has no workers, or all of them are lost, or they do not
        see the scratch folder.
    """
    try:
        import distributed as installed
    except ImportError as error:
        raise ExtraError("scheduler", "scene") from error
    distributed: Any = installed  # it has no types
    with contextlib.ExitStack() as stack:
        if client is None:
            stack.enter_context(_quiet())
            client = stack.enter_context(_connect(distributed, str(scheduler)))
        name = display_name(scheduler or client.scheduler.address)
        try:
            yield from _Run(client, work, say, name).run(todo)
        except (OSError, RuntimeError) as error:
            if isinstance(error, SegmentError):
                raise
            raise FileError(f"the scheduler {name} is gone ({_one_line(error)}); {KEPT}") from error


def _connect(distributed: Any, address: str) -> Any:
    try:
        distributed.comm.registry.get_backend(distributed.comm.parse_address(address)[0])
        return distributed.Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FileError(
            f"cannot reach the scheduler {display_name(address)}: {_one_line(error)}; "
            "is it running?"
        ) from error


class _Run:
    """One run on a cluster that answers."""

    def __init__(self, client: Any, work: Work, say: Listener, name: str) -> None:
        self._client, self._work, self._say, self._name = client, work, say, name
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._alone_since: float | None = None
        self._pending: dict[Any, Any] = {}
        source = work.source
        self._lazy = source if isinstance(source, ArraySource) and source.is_dask else None
        if self._lazy is not None:  # each task gets its own part of the graph, not the whole
            bare = copy.copy(self._lazy)
            bare.array = None
            self._work = dataclasses.replace(work, source=bare)

    def run(self, todo: Sequence[int]) -> Iterator[Done]:
        threads = self._client.nthreads()
        if not threads:
            raise FileError(f"the scheduler {self._name} has no workers; start some")
        self._check_scratch()
        rest = iter(todo)
        # One tile a host first: what compiles into one cache must not meet there.
        for address in self._one_a_host():
            self._submit(rest, 1, workers=[address], allow_other_workers=True)
        while self._pending:
            yield self._take()
        self._submit(rest, AHEAD * sum(threads.values()))
        while self._pending:
            yield self._take()
            self._submit(rest, 1)

    def _check_scratch(self) -> None:
        """Raise FileError if a worker does not see the scratch folder."""
        seen = self._client.run(_is_folder, str(self._work.folder), on_error="return")
        blind = sorted(address for address, found in seen.items() if found is not True)
        if blind:
            raise FileError(
                f"the worker {blind[0]} does not see {display_name(self._work.folder)}; choose a "
                "folder that all machines share with scratch"
            )

    def _one_a_host(self) -> list[str]:
        hosts: dict[str, str] = {}
        for address, worker in self._client.scheduler_info(n_workers=-1)["workers"].items():
            hosts.setdefault(worker.get("host", address), address)
        return list(hosts.values())

    def _submit(self, rest: Iterator[int], n: int, **where: Any) -> None:
        for _, k in zip(range(n), rest, strict=False):
            if self._lazy is None:
                future = self._client.submit(do_tile, self._work, k, pure=False, **where)
            else:
                from dask.delayed import delayed

                part = self._lazy.lazy(self._work.tiles.surroundings(k))
                future = self._client.compute(delayed(_do_given)(self._work, k, part), **where)
            self._pending[future.key] = future  # Dask forgets what nobody holds
            future.add_done_callback(self._finished.put)

    def _take(self) -> Done:
        while True:
            future = self._next()
            if future.status == "cancelled":
                raise OSError("no answer")
            try:
                error = future.exception(timeout=ANSWER)
                if error is None:
                    done: Done = future.result(timeout=ANSWER)
                    self._pending.pop(future.key)
                    return done
            except TimeoutError:
                # Its worker has died with the answer, and another does the tile again.
                self._look_around()
                future.add_done_callback(self._finished.put)
                continue
            if isinstance(error, SegmentError):
                raise error
            raise FileError(f"the cluster gave a tile up: {_one_line(error)}; {KEPT}") from error

    def _next(self) -> Any:
        """Wait for a tile to be finished."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._finished.get(timeout=POLL)
            self._look_around()

    def _look_around(self) -> None:
        """Say so where there is nobody left to finish a tile; raise if nobody comes back."""
        if self._client.status != "running":
            raise OSError("no answer")
        if self._client.scheduler_info(n_workers=-1)["workers"]:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()
            self._say("every worker of the cluster is gone; waiting for another")
        elif time.monotonic() - self._alone_since > PATIENCE:
            raise FileError(f"no worker has come back for {PATIENCE:.0f} s; {KEPT}")


def _do_given(work: Work, k: int, found: Any) -> Done:
    """Do a tile whose pixels Dask has computed."""
    source = work.source
    assert isinstance(source, ArraySource)
    return do_tile(work, k, source.arrange(found))


def _is_folder(name: str) -> bool:
    return Path(name).is_dir()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let Dask not log what we say in a line of our own."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
