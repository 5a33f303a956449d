"""What a run shows while it works: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from segment.compiling import watch_compilation

COMPILING = "compiling; later runs skip this"


def stages(seconds: Mapping[str, float]) -> str:
    """Return how long each stage took, as one line."""
    return ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items())


def report(message: str) -> None:
    """Print an error as one line on stderr."""
    print("segment: " + "\\n".join(message.splitlines()), file=sys.stderr, flush=True)


class Display:
    """Live progress on stderr where that is a terminal; elsewhere only what matters, as lines.

    Parameters
    ----------
    quiet : bool
        Show nothing at all.
    spell : callable
        Turns the API's names in a note into the options of the command.
    """

    def __init__(self, *, quiet: bool = False, spell: Callable[[str], str] = str) -> None:
        self.quiet = quiet
        self._spell = spell
        self.compile_seconds = 0.0
        self._live = not quiet and sys.stderr.isatty()
        self._told = False
        self._bar: Any = None
        self._task: Any = None
        self._stage = ""

    def note(self, text: str) -> None:
        """Say something worth knowing on stderr."""
        if not self.quiet:
            with self._hidden():
                print(f"segment: {self._spell(text)}", file=sys.stderr, flush=True)

    def error(self, text: str) -> None:
        """Print an error as one line on stderr."""
        with self._hidden():
            report(text)

    def print(self, text: str) -> None:
        """Print a result on stdout."""
        with self._hidden():
            print(text, flush=True)

    @contextmanager
    def working(self, stage: str) -> Iterator[Display]:
        """Show that work is going on in the block."""
        self._stage = stage
        if not self._live:
            yield self
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task(stage, total=None)
        try:
            with self._bar:
                yield self
        finally:
            self._bar = None

    def stage(self, stage: str) -> None:
        """Name what is being done now."""
        self._stage = stage
        self._show(stage)

    def watch(self, done: int, total: int, stage: str | None = None) -> None:
        """Show how much is done."""
        self._stage = self._stage if stage is None else stage
        self._show(self._stage, completed=done, total=total)

    @contextmanager
    def compiling(self, *, announce: bool = True) -> Iterator[None]:
        """Count the time spent on compiling in the block, and say so where `announce` is true."""
        before = self.compile_seconds

        def begin() -> None:
            if announce:
                self._tell()
                self._show(COMPILING)

        def end(seconds: float) -> None:
            self.compile_seconds += seconds
            self._show(self._stage)

        with watch_compilation(begin, end):
            yield
        seconds = self.compile_seconds - before
        if announce and seconds >= 1:
            from segment.warmup import cache_folder

            lost = "" if cache_folder() else ", with no folder to keep it in: set NUMBA_CACHE_DIR"
            self.note(f"compiled in {seconds:.0f} s{lost}")

    def prepare(self, n_processes: int, kinds: Sequence[str] = ()) -> None:
        """Compile what a first run needs that saves such kinds, in several processes."""
        from segment.exports.kinds import KINDS
        from segment.warmup import cold, first_units
        from segment.warmup.helpers import compile_units

        outlines = any("tolerance" in KINDS[kind].options for kind in kinds)
        todo = cold(first_units(outlines)) if n_processes > 1 else []
        if not todo:
            return
        self._tell()
        started = time.perf_counter()
        with self.working(COMPILING):
            self.compile_seconds += compile_units(
                todo, n_processes, lambda done, total, _: self.watch(done, total)
            )
        self.note(f"compiled in {time.perf_counter() - started:.0f} s")

    def held(self) -> HeldDisplay:
        """Return a display for one of several pictures at a time, whose words wait for its turn."""
        return HeldDisplay(self)

    def _tell(self) -> None:
        """Say why it takes long, once, where no live line says so."""
        if not self._told and not self._live:
            self.note(COMPILING)
        self._told = True

    def _show(self, text: str, **fields: Any) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=text, **fields)

    @contextmanager
    def _hidden(self) -> Iterator[None]:
        """Take the live line away while something is printed."""
        bar = self._bar
        if bar is not None:
            bar.stop()
        yield
        if bar is not None:
            bar.start()


class HeldDisplay(Display):
    """Keeps what is said of one picture while others are done, until `release`.

    Parameters
    ----------
    display : Display
        Says it then, and shows the live line of all pictures.
    """

    def __init__(self, display: Display) -> None:
        super().__init__(quiet=True)
        self._display = display
        self._said: list[Callable[[], None]] = []

    def note(self, text: str) -> None:
        """Keep something worth knowing."""
        self._said.append(partial(self._display.note, text))

    def error(self, text: str) -> None:
        """Keep an error."""
        self._said.append(partial(self._display.error, text))

    def release(self) -> None:
        """Say all that was kept, in its order."""
        for say in self._said:
            say()
        self._said.clear()

    def _tell(self) -> None:
        self._display._tell()
