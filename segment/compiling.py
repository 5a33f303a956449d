"""Time that Numba spends on compiling, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Meter:
    """Seconds of compiling since it was made, while it is `running`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[Meter]:
        """Count what is compiled in the block, by whatever thread."""
        with watch_compilation(lambda: None, self._add):
            yield self

    def _add(self, seconds: float) -> None:
        self.seconds += seconds


@contextmanager
def watch_compilation(begin: Callable[[], None], end: Callable[[float], None]) -> Iterator[None]:
    """Call `begin()` when Numba starts to compile in the block, and `end(seconds)` after it.

    Kernels that load from the cache do not count, so whoever is told to wait does have to.
    """
    from numba.core import event

    class Listener(event.Listener):
        depth = 0  # a kernel that calls another one compiles it within its own compilation
        started = 0.0

        def on_start(self, _: Any) -> None:
            self.depth += 1
            if self.depth == 1:
                self.started = time.perf_counter()
                begin()

        def on_end(self, _: Any) -> None:
            self.depth -= 1
            if self.depth == 0:
                end(time.perf_counter() - self.started)

    with event.install_listener("numba:compile", Listener()):
        yield
