"""Processes that compile, each a unit of the warm-up at a time.

In one process Numba compiles one kernel at a time.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from segment.notices import no_warnings
from segment.processes import start_python
from segment.warmup import Unit, compile_unit, units

Watcher = Callable[[int, int, str], None]
Channel = tuple[IO[bytes], IO[bytes], Callable[[], object]]

FORKS = sys.platform == "linux"  # elsewhere libraries of the system do not stand it


def compile_units(some: Sequence[Unit], n_processes: int, watch: Watcher | None = None) -> float:
    """Do units in several processes; `watch` is told how many are done, of how many, and which is.

    What no other process can do is done here, and raises what it raises. Returned are the seconds
    of compiling that it took, all processes together.
    """
    helpers: list[_Helper] = []
    free: queue.SimpleQueue[_Helper] = queue.SimpleQueue()

    def do(unit: Unit) -> float | None:
        helper = free.get()
        try:
            return helper.do(unit)
        finally:
            free.put(helper)

    n_processes, total = min(n_processes, len(some)), 0.0
    if n_processes > 1 and FORKS:
        _load()
    pool = ThreadPoolExecutor(max(n_processes, 1))
    try:
        with contextlib.suppress(OSError):  # no more processes are allowed
            for _ in range(n_processes if n_processes > 1 else 0):
                helpers.append(_Helper())
                free.put(helpers[-1])
        found = pool.map(do, some) if helpers else [None] * len(some)
        for k, (unit, seconds) in enumerate(zip(some, found, strict=True)):
            total += compile_unit(unit) if seconds is None else seconds
            if watch is not None:
                watch(k + 1, len(some), unit.name)
    finally:
        for helper in helpers:
            helper.stop()
        pool.shutdown(cancel_futures=True)
    return total


class _Helper:
    """Another process that does units."""

    def __init__(self) -> None:
        self._orders, self._answers, self._end = _forked() if FORKS else _started()

    def do(self, unit: Unit) -> float | None:
        """Return the seconds of compiling that it took; None if it could not be done."""
        try:
            self._orders.write(unit.name.encode() + b"\n")
            self._orders.flush()
        except OSError:  # it has died
            return None
        answer = self._answers.readline().split()
        return float(answer[1]) if answer[:1] == [b"done"] else None

    def stop(self) -> None:
        self._end()
        self._answers.close()
        with contextlib.suppress(OSError):  # an order that it has not read
            self._orders.close()


def _forked() -> Channel:
    """Return pipes to and from a copy of this process, and what ends it.

    It has all modules already, which a new process takes a second to import.
    """
    theirs, orders = os.pipe()
    answers, ours = os.pipe()
    with no_warnings(DeprecationWarning):  # of threads, which it does without
        child = os.fork()
    if child == 0:
        try:
            _become_helper(theirs, ours)
        finally:
            os._exit(0)
    os.close(theirs)
    os.close(ours)

    def end() -> None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    return os.fdopen(orders, "wb"), os.fdopen(answers, "rb"), end


def _become_helper(orders: int, answers: int) -> None:
    """Do what is ordered, until nobody can order any more."""
    os.setsid()  # a Ctrl-C in the terminal reaches only the one that orders
    nowhere = os.open(os.devnull, os.O_RDWR)
    for known in range(3):
        os.dup2(nowhere, known)
    # Those of before may be locked for good, by a thread that is not here.
    sys.stdout = sys.stderr = os.fdopen(nowhere, "w")
    for number in sorted({int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2}):
        if number not in (orders, answers, nowhere):  # ends of pipes to other helpers, say
            with contextlib.suppress(OSError):
                os.close(number)
    serve(os.fdopen(orders, "rb"), os.fdopen(answers, "wb", buffering=0))


def _started() -> Channel:
    """Return pipes to and from a new process, and what ends it."""
    process = start_python("from segment.warmup.helpers import main; main()", subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None

    def end() -> None:
        process.kill()
        process.wait()

    return process.stdin, process.stdout, end


def main() -> None:
    """Serve whoever has started this process."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever prints, answers stay answers
    serve(sys.stdin.buffer, answers)


def serve(orders: IO[bytes], answers: IO[bytes]) -> None:
    """Do the units that are named line by line, and say of each whether it is done."""
    gc.disable()  # a third of the objects that the compiler makes stay for good
    known = {unit.name: unit for unit in units()}
    for line in orders:
        try:
            seconds = compile_unit(known[line.strip().decode()])
        except Exception:
            answers.write(b"failed\n")
        else:
            answers.write(f"done {seconds:.3f}\n".encode())


def _load() -> None:
    """Import what units need, once for all helpers."""
    from numba.core.registry import cpu_target

    import segment.drawing
    import segment.exports.saving
    import segment.regions.hierarchy
    import segment.regions.pyramid
    import segment.regions.segmenting
    import segment.shapes.svg  # noqa: F401

    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
