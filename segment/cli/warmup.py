"""``segment warmup``: compile now rather than in the first run."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from segment.cli import options
from segment.cli.progress import Display

Everything = Annotated[
    bool,
    typer.Option("--all", help="Every kernel, engine, number of bands and kind of outline, too."),
]


def warmup(everything: Everything = False, quiet: options.Quiet = False) -> None:
    """Compile what the commands need by default, so that later runs start at once.

    Compiled code is kept in a cache, for this installation and this machine, until a new version
    is installed.

    \b
    Examples:
      segment warmup
      segment warmup --all
    """
    from segment.threads import resolve_n_threads
    from segment.warmup import cache_folder, units, usual_units
    from segment.warmup.helpers import compile_units

    display = Display(quiet=quiet)
    started = time.perf_counter()
    with display.working("warming up"), display.compiling(announce=False):
        todo = units() if everything else usual_units()
        compiled = compile_units(todo, resolve_n_threads(None), display.watch)
    if quiet:
        return
    seconds = time.perf_counter() - started
    folder = cache_folder()
    if folder is None:
        display.note("no folder can be written to keep what was compiled; set NUMBA_CACHE_DIR")
    elif compiled:
        print(f"compiled in {seconds:.1f} s, kept in {folder}")
    else:
        print(f"everything was compiled already; checked in {seconds:.1f} s")
