"""Tasks on a Dask cluster: names go out, a few numbers come back, pixels stay on disk."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from segment.clusters import KEPT, Watch, connected, one_a_host, one_line
from segment.errors import FileError, SegmentError
from segment.files import display_name
from segment.notices import Listener
from segment.scenes.arrays import ArraySource
from segment.scenes.work import Task, Work

T = TypeVar("T")

AHEAD = 2  # tasks handed over for each thread of the cluster; more would only wait there


def run_there(
    work: Work, tasks: Iterable[Task[T]], scheduler: str | None, client: Any, say: Listener
) -> Generator[T, None, None]:
    """Yield what tasks return, as workers finish them.

    A task whose worker dies is done again by another.

    Raises
    ------
    ExtraError
        If Dask is not installed.
    FileError
        If the scheduler does not answer, or has no workers, or all of them are lost, or they do not
        see the scratch folder.
    """
    with connected(scheduler, client, "scheduler") as known:
        yield from _Run(known, work, say).run(tasks)


class _Run:
    """One run on a cluster that answers."""

    def __init__(self, client: Any, work: Work, say: Listener) -> None:
        self._client, self._work = client, work
        self._watch = Watch(client, say)
        source = work.source
        self._lazy = source if isinstance(source, ArraySource) and source.is_dask else None
        if self._lazy is not None:  # each task gets its own part of the graph, not the whole
            bare = copy.copy(self._lazy)
            bare.array = None
            self._work = dataclasses.replace(work, source=bare)

    def run(self, tasks: Iterable[Task[T]]) -> Iterator[T]:
        self._check_scratch()
        rest = iter(tasks)
        # One task a host first: what compiles into one cache must not meet there.
        for address in one_a_host(self._client).values():
            self._submit(rest, 1, workers=[address], allow_other_workers=True)
        while self._watch:
            yield self._take()
        self._submit(rest, AHEAD * sum(self._client.nthreads().values()))
        while self._watch:
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

    def _submit(self, rest: Iterator[Task[Any]], n: int, **where: Any) -> None:
        for _, task in zip(range(n), rest, strict=False):
            task = task.packed()
            if self._lazy is None:
                future = self._client.submit(_do, task, self._work, pure=False, **where)
            else:
                from dask.delayed import delayed

                part = self._lazy.lazy(task.window)
                future = self._client.compute(delayed(_do_given)(task, self._work, part), **where)
            self._watch.add(future)

    def _take(self) -> Any:
        done, error, _ = self._watch.take()
        if error is None:
            return done
        if isinstance(error, SegmentError):
            raise error
        raise FileError(
            f"the cluster gave a part of the scene up: {one_line(error)}; {KEPT}"
        ) from error


def _do(task: Task[T], work: Work) -> T:
    return task.do(work)


def _do_given(task: Task[T], work: Work, found: Any) -> T:
    """Do a task whose pixels Dask has computed."""
    source = work.source
    assert isinstance(source, ArraySource)
    return task.do(work, source.arrange(found))


def _is_folder(name: str) -> bool:
    return Path(name).is_dir()
