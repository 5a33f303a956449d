"""``segment warmup``: compile everything now rather than in the first run."""

from __future__ import annotations

import time

from segment.cli import options
from segment.cli.progress import Display
from segment.notices import listening


def warmup(quiet: options.Quiet = False) -> None:
    """Compile everything once, so that later runs start at once.

    Compiled code is kept in a cache, for this installation and this machine, until a new version
    is installed.

    \b
    Examples:
      segment warmup
    """
    display = Display(quiet=quiet)
    started = time.perf_counter()
    with display.working("warming up"), display.compiling(announce=False):
        from segment.warmup import cache_folder, compilations

        todo = list(compilations())
        for done, (name, job) in enumerate(todo):
            display.watch(done, len(todo), f"warming up: {name}")
            with listening(_ignore):  # about pictures that nobody has given
                job()
    if quiet:
        return
    seconds = time.perf_counter() - started
    folder = cache_folder()
    if folder is None:
        display.note("no folder can be written to keep what was compiled; set NUMBA_CACHE_DIR")
    elif display.compile_seconds:
        print(f"compiled in {seconds:.1f} s, kept in {folder}")
    else:
        print(f"everything was compiled already; checked in {seconds:.1f} s")


def _ignore(text: str) -> None:
    pass
