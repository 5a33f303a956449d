"""``segment batch``: every picture of a folder, resumable."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import options
from segment.cli.progress import report as print_error
from segment.files import display_name
from segment.params import MeanShiftOptions

if TYPE_CHECKING:
    from segment.batching.report import Progress, Report

DEFAULT = MeanShiftOptions()
EVERY = 10.0  # seconds between lines of progress, where there is no terminal
MOST = 50  # failures that are listed


def batch(
    context: typer.Context,
    src: Annotated[Path, typer.Argument(metavar="SRC", help="Folder of pictures; only read.")],
    dst: Annotated[Path, typer.Argument(metavar="DST", help="Folder of the outputs.")],
    save: options.Save = "labels,posterized,overlay,json",
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Take only files like this; may be repeated."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Leave out files like this; may be repeated."),
    ] = None,
    on_exists: Annotated[
        str,
        typer.Option(
            metavar="error|skip|overwrite",
            help="What to do about outputs that no earlier run of this batch has written.",
        ),
    ] = "error",
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", show_default="one a core", help="Processes."),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Write DST/index.html, a contact sheet.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Work on a Dask cluster, such as tcp://host:8786."),
    ] = None,
    spatial_bandwidth: options.SpatialBandwidth = DEFAULT.spatial_bandwidth,
    range_bandwidth: options.RangeBandwidth = DEFAULT.range_bandwidth,
    min_size: options.MinSize = DEFAULT.min_size,
    regions: options.Regions = None,
    level: options.Level = None,
    kernel: options.Kernel = DEFAULT.kernel,
    color_space: options.ColorSpace = DEFAULT.color_space,
    engine: options.Engine = DEFAULT.engine,
    connectivity: options.Connectivity = DEFAULT.connectivity,
    max_iter: options.MaxIter = DEFAULT.max_iter,
    tol: options.Tol = DEFAULT.tol,
    page: options.Page = 0,
    max_pixels: options.MaxPixels = None,
    accept_damaged: options.AcceptDamaged = False,
    quiet: options.Quiet = False,
) -> None:
    """Segment every picture of a folder and its subfolders.

    The outputs lie in DST as the pictures lie in SRC. DST/manifest.jsonl records what was done, so
    the same command, run again, does what is missing, changed or failed, and nothing else. Stop it
    whenever you like.

    \b
    Examples:
      segment batch photos segmented
      segment batch photos segmented --jobs 8 --report
      segment batch scans labels --include '*.tif' --save labels,json
    """
    from segment.batching import BatchOptions
    from segment.batching.api import run
    from segment.exports import KINDS, parse_kinds
    from segment.images import MAX_PIXELS
    from segment.workflow import Recipe

    spatial_bandwidth, range_bandwidth, cut = options.scale(
        context, spatial_bandwidth, range_bandwidth, level, regions
    )
    recipe = Recipe(
        params=MeanShiftOptions(
            spatial_bandwidth=spatial_bandwidth,
            range_bandwidth=range_bandwidth,
            min_size=min_size,
            kernel=kernel,
            color_space=color_space,
            engine=engine,
            connectivity=connectivity,
            max_iter=max_iter,
            tol=tol,
        ),
        cut=cut,
        kinds=tuple(KINDS) if save == "all" else parse_kinds(save),
        page=page,
        max_pixels=MAX_PIXELS if max_pixels is None else max_pixels,
        accept_damaged=accept_damaged,
    )
    wanted = BatchOptions(
        recipe=recipe,
        include=include or (),
        exclude=exclude or (),
        on_exists=on_exists,
        jobs=jobs,
        report=report,
        scheduler=scheduler,
    )
    with display(quiet=quiet) as show:
        ended = run(src, dst, wanted, show)
    if not quiet:
        print(summary(ended, dst))
    if not ended.ok:
        print_failures(ended)
        raise typer.Exit(1)


def summary(ended: Report, dst: Path) -> str:
    """Return the line that ends a run."""
    parts = [f"{ended.done:,} done"]
    for count, name in (
        (ended.unchanged, "unchanged"),
        (ended.skipped, "skipped"),
        (len(ended.failures), "failed"),
    ):
        if count:
            parts.append(f"{count:,} {name}")
    where = ended.index if ended.index is not None else dst
    return f"{', '.join(parts)} in {duration(ended.seconds)} -> {display_name(where)}"


def print_failures(ended: Report) -> None:
    """Print what failed and why, one a line, on stderr."""
    for failure in ended.failures[:MOST]:
        print_error(failure.error)
    more = len(ended.failures) - MOST
    if more > 0:
        print_error(f"and {more:,} more failures; see {display_name(ended.manifest)}")


@contextmanager
def display(*, quiet: bool) -> Iterator[Any]:
    """Yield what shows the progress of a run: a bar on a terminal, else lines on stderr."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with bar() as show:
            yield show
    else:
        yield Lines()


class Lines:
    """Progress as plain lines: each failure at once, the rest now and then."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if progress.done == 0:
            self._print(f"{progress.total:,} picture{'s' * (progress.total != 1)} to do")
        if progress.failure is not None:
            self._print(f"failed: {progress.failure.error}")
        now = time.monotonic()
        if now - self._last >= EVERY and progress.done < progress.total:
            self._last = now
            self._print(
                f"{progress.done:,} of {progress.total:,}, {progress.failed:,} failed, "
                f"{progress.rate:.1f} a second, {duration(progress.remaining)} left"
            )

    def _print(self, text: str) -> None:
        print(f"segment: {text}", file=sys.stderr, flush=True)


@contextmanager
def bar() -> Iterator[Any]:
    """Yield a callable that shows progress as a bar with rate, time left and failures."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TextColumn("{task.fields[left]} left"),
        TextColumn("{task.fields[failed]} failed"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None, rate=0.0, left="?", failed=0)

        def show(progress: Progress) -> None:
            shown.update(
                task,
                total=progress.total,
                completed=progress.done,
                rate=progress.rate,
                left=duration(progress.remaining),
                failed=progress.failed,
            )

        yield show


def duration(seconds: float) -> str:
    """Return seconds for people.

    >>> duration(3700)
    '1 h 2 min'
    """
    if seconds == float("inf"):
        return "?"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
