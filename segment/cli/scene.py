"""``segment scene``: rasters larger than memory, with their coordinates, resumable."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import groups
from segment.cli.batch import duration
from segment.cli.progress import report as print_error
from segment.cli.scene_options import SceneWork
from segment.errors import SegmentError
from segment.files import display_name

if TYPE_CHECKING:
    from segment.scenes import Progress, SceneReport

Spell = Callable[[str], str]

EVERY = 10.0  # seconds between lines of progress, where there is no terminal
WORDS = {
    "climbing": "climbing to modes",
    "merging": "merging regions",
    "describing": "describing regions",
    "growing": "growing the hierarchy",
    "writing": "writing",
    "painting": "painting",
    "tracing": "tracing outlines",
}


@groups.grouped
def scene(
    context: typer.Context,
    src: Annotated[
        str,
        typer.Argument(metavar="SRC", help="GeoTIFF, COG, VRT, JPEG 2000, …, URL, or zarr."),
    ],
    dst: Annotated[
        Path, typer.Argument(metavar="DST", help="Raster of labels to write: .tif or .zarr.")
    ],
    work: SceneWork,
) -> None:
    """Segment a raster of any size, tile by tile, and keep its coordinates.

    The labels are those of mean shift on the whole, bit for bit, or merged from them. Stop it
    whenever you like: the same command, run again, goes on. DST appears when it is complete.

    \b
    Examples:
      segment scene ortho.tif regions.tif --vector regions.gpkg --preview look.png
      segment scene sentinel.vrt regions.tif --bands 4,3,2 --scale --table regions.csv
      segment scene ortho.tif fields.tif --level 0.5 --vector fields.gpkg
      segment scene slide.zarr regions.zarr --memory 4GB -s 16 -r 8
    """
    from segment.cli.progress import Display
    from segment.exports import to_json
    from segment.scenes.run import run

    try:
        wanted = work.options(dst)
        spell = partial(in_options, context=context)
        with display(spell, quiet=work.quiet) as show, Display(quiet=work.quiet).compiling():
            ended = run(src, wanted, show)
    except SegmentError as error:
        print_error(in_options(str(error), context))
        raise typer.Exit(1) from None
    if work.json:
        print(to_json(ended.as_dict(), indent=None))
    elif not work.quiet:
        print(summary(src, ended))


def in_options(text: str, context: typer.Context) -> str:
    """Return a message with parameters named as the options that they are here."""
    text = groups.explain(text, groups.spelled(context.command))
    return re.sub(r"(--[a-z-]+) True\b", r"\1", text)  # flags


def summary(src: str, ended: SceneReport) -> str:
    """Return the line that ends a run."""
    seconds = sum(ended.seconds.values())
    others = [display_name(path) for kind, path in ended.outputs.items() if kind != "labels"]
    names = ", ".join([display_name(ended.dst), *others])
    return (
        f"{display_name(src)}: {ended.n_regions:,} region{'s' * (ended.n_regions != 1)}, "
        f"{ended.width}x{ended.height}, {duration(seconds)} -> {names}"
    )


@contextmanager
def display(spell: Spell, *, quiet: bool) -> Iterator[Any]:
    """Yield what shows the progress of a run: a bar on a terminal, else lines on stderr.

    Notes are spelled in the words of the command.
    """
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with bar(spell) as show:
            yield show
    else:
        yield Lines(spell)


class Lines:
    """Progress as plain lines: notes at once, the rest now and then."""

    def __init__(self, spell: Spell) -> None:
        self._spell = spell
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if progress.note is not None:
            print_line(self._spell(progress.note))
            return
        now = time.monotonic()
        if now - self._last >= EVERY and progress.done < progress.total:
            self._last = now
            print_line(
                f"{WORDS[progress.stage]}: {progress.done:,} of {progress.total:,} tiles, "
                f"{progress.rate:.2f} a second, {duration(progress.remaining)} left"
            )


def print_line(text: str) -> None:
    print(f"segment: {text}", file=sys.stderr, flush=True)


@contextmanager
def bar(spell: Spell) -> Iterator[Any]:
    """Yield a callable that shows progress as a bar with tiles, rate and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.2f}/s"),
        TextColumn("{task.fields[left]} left"),
    )
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True) as shown:
        task = shown.add_task("looking", total=None, rate=0.0, left="?")

        def show(progress: Progress) -> None:
            if progress.note is not None:
                text = f"segment: {spell(progress.note)}"
                shown.console.print(text, markup=False, highlight=False)
                return
            shown.update(
                task,
                description=WORDS[progress.stage],
                total=progress.total or None,
                completed=progress.done,
                rate=progress.rate,
                left=duration(progress.remaining),
            )

        yield show
