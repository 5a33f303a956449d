"""The same jobs on a Dask cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterator
from typing import Any

from segment.batching.manifest import Entry
from segment.batching.picture import Task, process, warm
from segment.batching.plan import Job
from segment.clusters import Watch, connected, one_a_host, one_line
from segment.files import display_name
from segment.notices import Listener

AHEAD = 3  # jobs handed over for each thread of the cluster: enough to keep it busy
WARM_ATTEMPTS = 3


def run_on_cluster(
    address: str, task: Task, jobs: list[Job], begin: Callable[[Job], None], say: Listener
) -> Generator[Entry, None, None]:
    """Yield the manifest entry of every job, as they are finished.

    A job whose worker dies is done again by another; one that kills workers again and again fails.

    Raises
    ------
    ExtraError
        If Dask is not installed.
    FileError
        If the scheduler does not answer, or has no workers, or all of them are lost.
    """
    task = dataclasses.replace(task, n_threads=1)
    with connected(address, None, "--scheduler") as client:
        _warm_hosts(client, task)
        todo, watch = iter(jobs), Watch(client, say)

        def submit(n: int) -> None:
            for job, future in _submitted(client, task, todo, n, begin):
                watch.add(future, job)

        submit(AHEAD * sum(client.nthreads().values()))
        while watch:
            entry, error, job = watch.take()
            yield entry if error is None else _given_up(job, error, task)
            submit(1)


def _submitted(
    client: Any, task: Task, todo: Iterator[Job], n: int, begin: Callable[[Job], None]
) -> Iterator[tuple[Job, Any]]:
    for _, job in zip(range(n), todo, strict=False):
        begin(job)
        # A worker that died may have written a part: the next one may write over it.
        given = {**dataclasses.asdict(job), "overwrite": True}
        yield job, client.submit(process, task, given, pure=False)


def _warm_hosts(client: Any, task: Task) -> None:
    """Compile on one worker of each host, before the others of that host look into the cache.

    If that one dies, the next one does it. Whatever else goes wrong here will go wrong in the jobs,
    which tell.
    """
    warm_hosts: set[str] = set()
    for _ in range(WARM_ATTEMPTS):
        cold = {
            host: address for host, address in one_a_host(client).items() if host not in warm_hosts
        }
        if not cold:
            return
        done = client.run(warm, task.recipe, workers=list(cold.values()), on_error="ignore")
        warm_hosts |= {host for host, address in cold.items() if address in done}


def _given_up(job: Job, error: BaseException, task: Task) -> Entry:
    return {
        "input": job.input,
        "page": job.page,
        "parameters": task.fingerprint,
        "status": "failed",
        "error": f"{display_name(job.input)}: the cluster gave it up: {one_line(error)}",
    }
