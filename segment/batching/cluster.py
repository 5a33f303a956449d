"""The same jobs on a Dask cluster."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import queue
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from segment.batching.manifest import Entry
from segment.batching.picture import Task, process, warm
from segment.batching.plan import Job
from segment.errors import ExtraError, FileError, SegmentError
from segment.files import display_name

AHEAD = 3  # jobs handed over for each thread of the cluster: enough to keep it busy
TIMEOUT = "10s"
WARM_ATTEMPTS = 3
POLL = 2.0  # seconds between two looks whether anybody still works
ANSWER = 5.0  # seconds for the answer of a job that is done
PATIENCE = 300.0  # seconds without any worker


def run_on_cluster(
    address: str,
    task: Task,
    jobs: list[Job],
    begin: Callable[[Job], None],
    say: Callable[[str], None],
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
    try:
        import distributed as installed
    except ImportError as error:
        raise ExtraError("--scheduler", "scene") from error
    distributed: Any = installed  # it has no types
    task = dataclasses.replace(task, n_threads=1)
    try:
        distributed.comm.registry.get_backend(distributed.comm.parse_address(address)[0])
        client = distributed.Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FileError(
            f"cannot reach the scheduler {display_name(address)}: {error or 'no answer'}; "
            "is it running?"
        ) from error
    try:
        with _quiet(), client:
            yield from _Run(client, distributed, task, begin, say).run(jobs)
    except (OSError, RuntimeError) as error:
        if isinstance(error, SegmentError):
            raise
        raise FileError(
            f"the scheduler {display_name(address)} is gone ({_one_line(error)}); what is done is "
            "kept, and running the same again goes on from there"
        ) from error


class _Run:
    """One run on a cluster that answers."""

    def __init__(
        self,
        client: Any,
        distributed: Any,
        task: Task,
        begin: Callable[[Job], None],
        say: Callable[[str], None],
    ) -> None:
        self._client, self._distributed = client, distributed
        self._task, self._begin, self._say = task, begin, say
        self._pending: dict[Any, Job] = {}
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._alone_since: float | None = None

    def run(self, jobs: list[Job]) -> Generator[Entry, None, None]:
        threads = self._client.nthreads()
        if not threads:
            raise FileError(
                f"the scheduler {display_name(self._client.scheduler.address)} has no workers; "
                "start some"
            )
        _warm_hosts(self._client, self._task)
        todo = iter(jobs)
        self._submit(todo, AHEAD * sum(threads.values()))
        while self._pending:
            future = self._next()
            if future.status == "cancelled":
                raise OSError("no answer")
            try:
                entry = _entry(future, self._pending[future.key], self._task)
            except TimeoutError:
                # Its worker has died with the answer, and another does the job again.
                self._look_around()
                future.add_done_callback(self._finished.put)
                continue
            del self._pending[future.key]
            yield entry
            self._submit(todo, 1)

    def _submit(self, todo: Iterator[Job], n: int) -> None:
        for _, job in zip(range(n), todo, strict=False):
            self._begin(job)
            # A worker that died may have written a part: the next one may write over it.
            given = {**dataclasses.asdict(job), "overwrite": True}
            future = self._client.submit(process, self._task, given, pure=False)
            self._pending[future.key] = job
            future.add_done_callback(self._finished.put)

    def _next(self) -> Any:
        """Wait for a job to be finished."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._finished.get(timeout=POLL)
            self._look_around()

    def _look_around(self) -> None:
        """Say so where there is nobody left to finish a job; raise if nobody comes back."""
        if self._client.status != "running":
            raise OSError("no answer")
        if self._client.scheduler_info(n_workers=-1)["workers"]:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()
            self._say("every worker of the cluster is gone; waiting for another")
        elif time.monotonic() - self._alone_since > PATIENCE:
            raise FileError(
                f"no worker has come back for {PATIENCE:.0f} s; what is done is kept, and "
                "running the same again goes on from there"
            )


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


def _one_line(error: BaseException) -> str:
    return display_name(" ".join(str(error).split())) or type(error).__name__


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
    """Return the entry of a job that is done, or raise TimeoutError if the answer is lost."""
    error = future.exception(timeout=ANSWER)
    if error is None:
        entry: Entry = future.result(timeout=ANSWER)
        return entry
    reason = " ".join(str(error).split()) or type(error).__name__
    return {
        "input": job.input,
        "page": job.page,
        "parameters": task.fingerprint,
        "status": "failed",
        "error": f"{display_name(job.input)}: the cluster gave it up: {reason}",
    }
