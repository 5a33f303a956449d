"""``segment scene``: rasters larger than memory, with their coordinates, resumable."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import groups, options
from segment.cli.batch import duration
from segment.cli.progress import report as print_error
from segment.errors import SegmentError
from segment.files import display_name
from segment.params import MeanShiftOptions

if TYPE_CHECKING:
    from segment.scenes import Progress, SceneReport

DEFAULT = MeanShiftOptions()
EVERY = 10.0  # seconds between lines of progress, where there is no terminal
WORDS = {
    "climbing": "climbing to modes",
    "merging": "merging regions",
    "writing": "writing",
    "painting": "painting",
    "tracing": "tracing outlines",
}


def _numbers(text: str) -> Any:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of bands; give one such as 4,3,2") from None


def _file(option: str, suffixes: str, text: str) -> Any:
    return Annotated[
        Path | None,
        typer.Option(
            f"--{option}", metavar="FILE", show_default=False, help=f"{text} ({suffixes})."
        ),
    ]


Bands = Annotated[
    Any,
    typer.Option(
        "--bands",
        metavar="N,...",
        parser=_numbers,
        show_default="all but alpha",
        help="Bands to use, from 1, such as 4,3,2.",
    ),
]
Nodata = Annotated[
    float | None,
    typer.Option(
        "--nodata",
        metavar="VALUE",
        show_default="what SRC says",
        help="Value of pixels that are left out, as NaN and transparent ones always are.",
    ),
]


def scene(
    context: typer.Context,
    src: Annotated[
        str,
        typer.Argument(metavar="SRC", help="GeoTIFF, COG, VRT, JPEG 2000, …, URL, or zarr."),
    ],
    dst: Annotated[
        Path, typer.Argument(metavar="DST", help="Raster of labels to write: .tif or .zarr.")
    ],
    bands: Bands = None,
    nodata: Nodata = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            "--mask",
            metavar="FILE",
            show_default=False,
            help="Raster of the same size, 0 where pixels are left out.",
        ),
    ] = None,
    spatial_bandwidth: Annotated[
        float,
        typer.Option(
            "--spatial-bandwidth",
            "-s",
            metavar="PIXELS",
            help="Radius of the spatial window: larger looks farther and smooths more.",
        ),
    ] = 7.0,
    range_bandwidth: Annotated[
        float | None,
        typer.Option(
            "--range-bandwidth",
            "-r",
            metavar="UNITS",
            show_default="6.5 of colours or with --scale",
            help="Radius of the window of values, in units of the colour space: larger joins more.",
        ),
    ] = None,
    scale: Annotated[
        bool,
        typer.Option(
            "--scale",
            help="Compare bands in per cent of their spread, from the 2nd to the 98th percentile.",
        ),
    ] = False,
    min_size: options.MinSize = DEFAULT.min_size,
    kernel: options.Kernel = DEFAULT.kernel,
    color_space: Annotated[
        str | None,
        typer.Option(
            "--color-space",
            "-c",
            metavar="NAME",
            show_default="luv for 1 or 3 bands of 8 bits, else none",
            help="Where values are compared: luv, lab, rgb, or none (bands in their own units).",
        ),
    ] = None,
    value_range: Annotated[
        Any,
        typer.Option(
            "--value-range",
            metavar="LOW,HIGH",
            parser=options.parse_value_range,
            show_default="of the data type",
            help="Values that are black and white, for luv, lab and rgb.",
        ),
    ] = None,
    engine: options.Engine = DEFAULT.engine,
    connectivity: options.Connectivity = DEFAULT.connectivity,
    max_iter: options.MaxIter = DEFAULT.max_iter,
    tol: options.Tol = DEFAULT.tol,
    posterized: _file("posterized", ".tif, .zarr", "Each region in its mean colour") = None,  # type: ignore[valid-type]
    filtered: _file("filtered", ".tif, .zarr", "The filtered pixels") = None,  # type: ignore[valid-type]
    table: _file("table", ".csv, .parquet", "Table of the regions") = None,  # type: ignore[valid-type]
    vector: _file("vector", ".gpkg, .fgb, .parquet, .geojson", "Outlines with the table") = None,  # type: ignore[valid-type]
    preview: _file("preview", ".png", "A quick look with outlines") = None,  # type: ignore[valid-type]
    cog: Annotated[
        bool, typer.Option("--cog", help="Write cloud-optimised GeoTIFFs, with overviews.")
    ] = False,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", show_default="half of what is free", help="What may be used: 4GB."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", show_default="one a core", help="Tiles at once."),
    ] = None,
    tile: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS", show_default="2048, or what fits", help="Side of a tile, about."
        ),
    ] = None,
    scratch: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", show_default="beside DST", help="Where unfinished work is kept."
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            show_default=False,
            help="Work on a Dask cluster, such as tcp://host:8786.",
        ),
    ] = None,
    accept_damaged: Annotated[
        bool, typer.Option("--accept-damaged", help="Take blocks that are damaged as nodata.")
    ] = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON object.")
    ] = False,
) -> None:
    """Segment a raster of any size, tile by tile, and keep its coordinates.

    The labels are those of mean shift on the whole, bit for bit. Stop it whenever you like: the
    same command, run again, goes on. DST appears when it is complete.

    \b
    Examples:
      segment scene ortho.tif regions.tif --vector regions.gpkg --preview look.png
      segment scene sentinel.vrt regions.tif --bands 4,3,2 --scale --table regions.csv
      segment scene slide.zarr regions.zarr --memory 4GB -s 16 -r 8
    """
    from segment.cli.progress import Display
    from segment.exports import to_json
    from segment.scenes import SceneOptions
    from segment.scenes.api import run

    params: dict[str, Any] = {
        "spatial_bandwidth": spatial_bandwidth,
        "min_size": min_size,
        "kernel": kernel,
        "engine": engine,
        "connectivity": connectivity,
        "max_iter": max_iter,
        "tol": tol,
    }
    if color_space is not None:
        params["color_space"] = color_space
    try:
        wanted = SceneOptions(
            dst=dst, params=params, range_bandwidth=range_bandwidth, value_range=value_range,
            scale=scale, bands=bands, mask=mask, nodata=nodata, posterized=posterized,
            filtered=filtered, table=table, vector=vector, preview=preview, cog=cog,
            memory=memory, tile=tile, jobs=jobs, scratch=scratch, scheduler=scheduler,
            overwrite=overwrite, accept_damaged=accept_damaged,
        )  # fmt: skip
        with display(quiet=quiet) as show, Display(quiet=quiet).compiling():
            ended = run(src, wanted, show)
    except SegmentError as error:
        print_error(in_options(str(error), context))
        raise typer.Exit(1) from None
    if json:
        print(to_json(ended.as_dict(), indent=None))
    elif not quiet:
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
    """Progress as plain lines: notes at once, the rest now and then."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if progress.note is not None:
            print_line(progress.note)
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
def bar() -> Iterator[Any]:
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
                shown.console.print(f"segment: {progress.note}", markup=False, highlight=False)
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
