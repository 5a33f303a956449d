"""A pool of worker processes that outlives the crash of any of them."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from segment.batching.manifest import Entry
from segment.batching.picture import Task
from segment.batching.plan import Job
from segment.errors import SegmentError
from segment.files import REMEDIES, TEMPORARY, display_name
from segment.memory import SHARE, free_memory
from segment.processes import start_python

PROGRAM = "from segment.batching.worker import main; main()"
POLL = 0.5  # seconds; Windows sees Ctrl-C only between two waits
Message = dict[str, Any]


class Worker:
    """One worker process, the job it does, and the memory it was granted."""

    def __init__(self, task: Task, inbox: queue.SimpleQueue[tuple[Worker, Message | None]]) -> None:
        self.job: Job | None = None
        self.granted = 0
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        try:
            self.process = start_python(PROGRAM, self._errors)
        except OSError:
            self._errors.close()
            raise
        threading.Thread(target=self._listen, args=(inbox,), daemon=True).start()
        self.send({"task": task.as_dict()})

    def _listen(self, inbox: queue.SimpleQueue[tuple[Worker, Message | None]]) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as answers:
            for line in answers:
                if not line.endswith(b"\n"):  # cut short by a crash
                    break
                inbox.put((self, json.loads(line)))
        inbox.put((self, None))

    def send(self, message: Message) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # if it is dead, we hear of it by its silence
            self.process.stdin.write(json.dumps(message).encode("ascii") + b"\n")
            self.process.stdin.flush()

    def epitaph(self) -> str:
        """Say how a dead process ended."""
        code = self.process.wait()
        if code < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-code).name
                hint = "; out of memory?" if name == "SIGKILL" else ""
                return f"worker process {self.process.pid} was ended by {name}{hint}"
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 4096))
        said = [line for line in self._errors.read().decode("utf-8", "replace").split("\n") if line]
        last = f": {display_name(said[-1].strip())}" if said else ""
        return f"worker process {self.process.pid} ended with code {code}{last}"

    def stop(self) -> None:
        """End the process at once."""
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        self._errors.close()


class Pool:
    """Does jobs in worker processes.

    Parameters
    ----------
    task : Task
        What is to be done with every picture.
    n_workers : int
        Number of processes.
    begin : callable
        Called with each job before a worker gets it.
    """

    def __init__(self, task: Task, n_workers: int, begin: Callable[[Job], None]) -> None:
        self._task = task
        self._n_workers = n_workers
        self._begin = begin
        self._inbox: queue.SimpleQueue[tuple[Worker, Message | None]] = queue.SimpleQueue()
        self._workers: list[Worker] = []
        self._waiting: list[tuple[Worker, int]] = []
        self._budget = free_memory() * SHARE

    def run(self, jobs: Iterable[Job]) -> Generator[Entry, None, None]:
        """Yield the manifest entry of every job, in the order in which they are finished.

        Raises
        ------
        SegmentError
            If workers cannot be started.
        """
        try:
            self._start()
            todo = iter(jobs)
            for worker in self._workers:
                self._next(worker, todo)
            while any(worker.job is not None for worker in self._workers):
                worker, message = self._receive()
                if message is None:
                    if worker.job is not None:
                        yield self._crashed(worker, todo)
                elif "ask" in message:
                    self._waiting.append((worker, int(message["ask"])))
                    self._grant()
                elif "entry" in message:
                    worker.job, worker.granted = None, 0
                    self._grant()
                    self._next(worker, todo)
                    yield message["entry"]
        finally:
            self._stop()

    def _start(self) -> None:
        """Start the workers; one compiles into the cache before any other may look there."""
        try:
            for _ in range(self._n_workers):
                self._workers.append(Worker(self._task, self._inbox))
        except OSError as error:
            raise SegmentError(
                f"cannot start {self._n_workers} processes, only {len(self._workers)}: "
                f"{REMEDIES.get(error.errno or 0, error.strerror)}; use fewer --jobs"
            ) from error
        first = self._workers[0]
        first.send({"warm": True})
        while True:
            worker, message = self._receive()
            if message is None:
                raise SegmentError(f"cannot start the work: {worker.epitaph()}")
            if worker is first and "warm" in message:
                return

    def _receive(self) -> tuple[Worker, Message | None]:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._inbox.get(timeout=POLL)

    def _next(self, worker: Worker, todo: Iterator[Job]) -> None:
        worker.job = next(todo, None)
        if worker.job is None:
            return
        self._begin(worker.job)
        job = worker.job
        worker.send({"job": asdict(job)})

    def _grant(self) -> None:
        """Let workers go on whose memory is there; one always may, however large its picture."""
        while self._waiting:
            worker, wanted = self._waiting[0]
            taken = sum(other.granted for other in self._workers)
            if taken and taken + wanted > self._budget:
                return
            del self._waiting[0]
            worker.granted = wanted
            worker.send({"granted": wanted})

    def _crashed(self, worker: Worker, todo: Iterator[Job]) -> Entry:
        """Replace a dead worker and return what is to be said of its picture."""
        job = worker.job
        assert job is not None
        reason = worker.epitaph()
        worker.stop()
        self._remove_leftovers(worker, job)
        self._waiting = [(other, wanted) for other, wanted in self._waiting if other is not worker]
        replacement = self._replacement(reason)
        self._workers[self._workers.index(worker)] = replacement
        self._grant()
        self._next(replacement, todo)
        return {
            "input": job.input,
            "page": job.page,
            "parameters": self._task.fingerprint,
            "status": "failed",
            "error": f"{display_name(job.input)}: {reason}; another one was started",
        }

    def _replacement(self, reason: str) -> Worker:
        try:
            return Worker(self._task, self._inbox)
        except OSError as error:
            more = REMEDIES.get(error.errno or 0, error.strerror)
            raise SegmentError(
                f"{reason}, and no other can be started: {more}; what is done is kept, and running "
                "the same again goes on from there"
            ) from error

    def _remove_leftovers(self, worker: Worker, job: Job) -> None:
        folder = Path(self._task.dst, job.stem).parent
        with contextlib.suppress(OSError):
            for path in folder.glob(f"{TEMPORARY}{worker.process.pid}-*.tmp"):
                path.unlink()

    def _stop(self) -> None:
        for worker in self._workers:
            with contextlib.suppress(OSError):
                worker.process.kill()
        for worker in self._workers:
            worker.stop()
            if worker.job is not None:
                self._remove_leftovers(worker, worker.job)
