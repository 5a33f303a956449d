"""What all work on a Dask cluster needs: a connection, and a watch over those who do it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import queue
import time
from collections.abc import Generator, Iterator
from typing import Any

from segment.errors import ExtraError, FileError, SegmentError
from segment.files import display_name
from segment.notices import Listener

TIMEOUT = "10s"
POLL = 2.0  # seconds between two looks whether anybody still works
ANSWER = 5.0  # seconds for the answer of a task that is done
PATIENCE = 300.0  # seconds without any worker
# What Dask raises where it was waiting for a scheduler that went.
CANCELLED = (asyncio.CancelledError, concurrent.futures.CancelledError)
KEPT = "what is done is kept, and running the same again goes on from there"


@contextlib.contextmanager
def connected(scheduler: str | None, client: Any, option: str) -> Generator[Any, None, None]:
    """Have a client: the one given, or a new one to a scheduler, which is closed in the end.

    What Dask would log of it is left to our own lines.

    Raises
    ------
    ExtraError
        If Dask is not installed; `option` is what asked for it.
    FileError
        If the scheduler does not answer, now or later, or has no workers.
    """
    try:
        import distributed as installed
    except ImportError as error:
        raise ExtraError(option, "scene") from error
    with contextlib.ExitStack() as stack:
        if client is None:
            stack.enter_context(_quiet())
            client = stack.enter_context(_connect(installed, str(scheduler)))
        name = display_name(scheduler or client.scheduler.address)
        try:
            if not client.nthreads():
                raise FileError(f"the scheduler {name} has no workers; start some")
            yield client
        except (OSError, RuntimeError, *CANCELLED) as error:
            if isinstance(error, SegmentError):
                raise
            raise FileError(f"the scheduler {name} is gone ({one_line(error)}); {KEPT}") from error


def _connect(distributed: Any, address: str) -> Any:
    try:
        distributed.comm.registry.get_backend(distributed.comm.parse_address(address)[0])
        return distributed.Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FileError(
            f"cannot reach the scheduler {display_name(address)}: {one_line(error)}; is it running?"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def one_a_host(client: Any) -> dict[str, str]:
    """Return the address of one worker of each host."""
    hosts: dict[str, str] = {}
    for address, worker in client.scheduler_info(n_workers=-1)["workers"].items():
        hosts.setdefault(worker.get("host", address), address)
    return hosts


class Watch:
    """Tasks on a cluster, and whether anybody is left to do them.

    Parameters
    ----------
    client : distributed.Client
    say : callable
        Told in a line where there is nobody.
    """

    def __init__(self, client: Any, say: Listener) -> None:
        self._client, self._say = client, say
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._pending: dict[Any, tuple[Any, Any]] = {}
        self._alone_since: float | None = None

    def __bool__(self) -> bool:
        return bool(self._pending)

    def add(self, future: Any, about: Any = None) -> None:
        """Watch over a task; `about` comes back with its answer."""
        self._pending[future.key] = future, about  # Dask forgets what nobody holds
        future.add_done_callback(self._finished.put)

    def take(self) -> tuple[Any, BaseException | None, Any]:
        """Wait for a task; return what it returned, or else what it raised, and what it is about.

        Raises
        ------
        OSError
            If the scheduler is gone.
        FileError
            If there has been no worker for long.
        """
        while True:
            future = self._next()
            if future.status == "cancelled":
                raise OSError("no answer")
            try:
                error = future.exception(timeout=ANSWER)
                answer = None if error else future.result(timeout=ANSWER)
            except TimeoutError:
                # Its worker has died with the answer, and another does the task again.
                self._look_around()
                future.add_done_callback(self._finished.put)
                continue
            _, about = self._pending.pop(future.key)
            return answer, error, about

    def _next(self) -> Any:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._finished.get(timeout=POLL)
            self._look_around()

    def _look_around(self) -> None:
        if self._client.status != "running":
            raise OSError("no answer")
        if self._client.scheduler_info(n_workers=-1)["workers"]:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()
            self._say("every worker of the cluster is gone; waiting for another")
        elif time.monotonic() - self._alone_since > PATIENCE:
            raise FileError(f"no worker has come back for {PATIENCE:.0f} s; {KEPT}")


def one_line(error: BaseException) -> str:
    """Return what an error says, or what it is, as one printable line."""
    return display_name(" ".join(str(error).split())) or type(error).__name__
