"""The same jobs on a Dask cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from typing import Any

from segment.batching.manifest import Entry
from segment.batching.picture import Task, process, warm
from segment.batching.plan import Job
from segment.errors import ExtraError, FileError
from segment.files import display_name

AHEAD = 3  # jobs handed over for each thread of the cluster: enough to keep it busy
TIMEOUT = "10s"
WARM_ATTEMPTS = 3


def run_on_cluster(
    address: str, task: Task, jobs: list[Job], begin: Callable[[Job], None]
) -> Generator[Entry, None, None]:
    """Yield the manifest entry of every job, as they are finished.

    A job whose worker dies is done again by another; one that kills workers again and again fails.

    Raises
    ------
    ExtraError
        If Dask is not installed.
    FileError
        If the scheduler does not answer, or has no workers.
    """
    try:
        import distributed as installed
    except ImportError as error:
        raise ExtraError("--scheduler", "scene") from error
    distributed: Any = installed  # it has no types
    task = dataclasses.replace(task, n_threads=1)
    try:
        client = distributed.Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise FileError(
            f"cannot reach the scheduler {display_name(address)}: {error or 'no answer'}; "
            "is it running?"
        ) from error
    with client:
        threads = client.nthreads()
        if not threads:
            raise FileError(f"the scheduler {display_name(address)} has no workers; start some")
        _warm_hosts(client, task)
        pending: dict[Any, Job] = {}
        finished = distributed.as_completed(loop=client.loop)
        todo = iter(jobs)

        def submit(n: int) -> None:
            for _, job in zip(range(n), todo, strict=False):
                begin(job)
                # A worker that died may have written a part: the next one may write over it.
                given = {**dataclasses.asdict(job), "overwrite": True}
                future = client.submit(process, task, given, pure=False)
                pending[future.key] = job
                finished.add(future)

        submit(AHEAD * sum(threads.values()))
        for future in finished:
            job = pending.pop(future.key)
            yield _entry(future, job, task)
            submit(1)
            if not pending:
                return


def _warm_hosts(client: Any, task: Task) -> None:
    """Compile on one worker of each host, before the others of that host look into the cache.

    If that one dies, the next one does it. Whatever else goes wrong here will go wrong in the jobs,
    which tell.
    """
    warm_hosts: set[str] = set()
    for _ in range(WARM_ATTEMPTS):
        hosts: dict[str, str] = {}
        for address, worker in client.scheduler_info(n_workers=-1)["workers"].items():
            hosts.setdefault(worker.get("host", address), address)
        cold = {host: address for host, address in hosts.items() if host not in warm_hosts}
        if not cold:
            return
        done = client.run(warm, task.recipe, workers=list(cold.values()), on_error="ignore")
        warm_hosts |= {host for host, address in cold.items() if address in done}


def _entry(future: Any, job: Job, task: Task) -> Entry:
    error = future.exception()
    if error is None:
        entry: Entry = future.result()
        return entry
    reason = " ".join(str(error).split()) or type(error).__name__
    return {
        "input": job.input,
        "page": job.page,
        "parameters": task.fingerprint,
        "status": "failed",
        "error": f"{display_name(job.input)}: the cluster gave it up: {reason}",
    }
