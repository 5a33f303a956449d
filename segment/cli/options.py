"""The options of the command line: one definition each, under the API's names.

A command takes the aliases below as the types of its parameters; see `segment.cli.groups` for those
that several commands take together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from segment.errors import InputError
from segment.exports.kinds import KINDS
from segment.params import (
    AUTO,
    COLOR_SPACES,
    DEFAULT_KINDS,
    DEFAULT_LEVEL,
    ENGINES,
    EVERY_PAGE,
    KERNELS,
    LEAF_BANDWIDTHS,
    Bandwidth,
    MeanShiftOptions,
    page_number,
)

# What mean shift does; the defaults are those of `segment.params.MeanShiftOptions`.

PLAIN = MeanShiftOptions()


def _bandwidth(text: str) -> Bandwidth:
    try:
        return AUTO if text == AUTO else float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a number nor {AUTO!r}") from None


def _min_size(text: str) -> int | str:
    try:
        return AUTO if text == AUTO else int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a whole number nor {AUTO!r}") from None


def parse_bandwidths(text: Any) -> Bandwidth | tuple[float, ...]:
    if not isinstance(text, str) or "," not in text:  # Typer parses the default too, a number
        return _bandwidth(text)
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number a band, such as 3,5,2") from None


SpatialBandwidth = Annotated[
    Any,  # a number, or "auto": Typer knows no unions
    typer.Option(
        "--spatial-bandwidth",
        "-s",
        metavar="PIXELS|auto",
        parser=_bandwidth,
        show_default=f"{LEAF_BANDWIDTHS[0]:g}, with -r {PLAIN.spatial_bandwidth:g}",
        help="Radius of the spatial window: larger looks farther and smooths more. auto: by the "
        "size of the picture.",
    ),
]
RangeBandwidth = Annotated[
    Any,  # a number, or one a band, or "auto"
    typer.Option(
        "--range-bandwidth",
        "-r",
        metavar="UNITS|auto",
        parser=parse_bandwidths,
        show_default=f"{LEAF_BANDWIDTHS[1]:g}, with -s {PLAIN.range_bandwidth:g}",
        help="Radius of the colour window, in units of the colour space: larger joins more. auto: "
        "by contrast and noise. With -c none also one a band: 3,5,2.",
    ),
]
MinSize = Annotated[
    Any,  # a whole number, or "auto"
    typer.Option(
        "--min-size",
        "-m",
        metavar="PIXELS|auto",
        parser=_min_size,
        help="Smallest region; smaller ones join their nearest neighbour in colour. auto: by the "
        "size of the picture.",
    ),
]
Kernel = Annotated[
    str,
    typer.Option(
        "--kernel",
        "-k",
        metavar="NAME",
        autocompletion=lambda: list(KERNELS),
        help=f"Weights of the mean: {', '.join(KERNELS)}.",
    ),
]
ColorSpace = Annotated[
    str,
    typer.Option(
        "--color-space",
        "-c",
        metavar="NAME",
        autocompletion=lambda: list(COLOR_SPACES),
        help="Where colours are compared: luv, lab, rgb, or none (bands in their own units).",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="NAME",
        autocompletion=lambda: list(ENGINES),
        help="fast: climbs from small groups of pixels; exact: from every pixel, the yardstick.",
    ),
]
Connectivity = Annotated[
    int,
    typer.Option(
        "--connectivity",
        metavar="1|2",
        help="1: neighbours share an edge; 2: or a corner.",
    ),
]
MaxIter = Annotated[
    int, typer.Option("--max-iter", metavar="N", help="Most steps that a pixel climbs.")
]
Tol = Annotated[
    float,
    typer.Option(
        "--tol", metavar="UNITS", help="A pixel stops when its step is shorter than this."
    ),
]
NThreads = Annotated[
    int | None,
    typer.Option(
        "--n-threads",
        "-t",
        metavar="N",
        show_default="every core",
        help="Threads to use; the result is the same on any number.",
    ),
]

Regions = Annotated[
    int | None,
    typer.Option(
        "--regions",
        metavar="N",
        show_default=False,
        help="Merge down to N regions.",
    ),
]
Level = Annotated[
    float | None,
    typer.Option(
        "--level",
        metavar="0..1",
        show_default=f"{DEFAULT_LEVEL}, or no merging with -s or -r",
        help="Merge up to a scale, the same on every picture: 0.3 many parts, 0.5 about as people "
        "draw, 0.7 few.",
    ),
]

# Files.

# An unreadable file is the business of the run, which goes on with the others.
Images = Annotated[
    list[Path],
    typer.Argument(metavar="IMAGE", readable=False, help="Image files, or a folder of them."),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER|FILE|-",
        help="Where to write to; a folder is made if needed.",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace existing outputs instead of refusing.")
]


SAVED = ",".join(DEFAULT_KINDS)


def _listed() -> str:
    """Return the kinds that can be saved, with a word on those whose names do not say it."""
    return ", ".join(
        f"{name} ({kind.summary})" if kind.summary else name for name, kind in KINDS.items()
    )


Save = Annotated[
    str,
    typer.Option(
        "--save",
        metavar="WHAT,...",
        help=f"What to write: {_listed()}, or all.",
    ),
]


def _page(text: str) -> int | str:
    try:
        return page_number(text if text == EVERY_PAGE else int(text))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no page; give a number from 0, or {EVERY_PAGE}"
        ) from None


Page = Annotated[
    int, typer.Option("--page", metavar="N", help="Page of a TIFF or frame of a GIF, from 0.")
]
Pages = Annotated[
    Any,
    typer.Option(
        "--page",
        metavar="N|all",
        parser=_page,
        help="Page of a TIFF or frame of a GIF, from 0; all: each, with its number in the names.",
    ),
]
MaxPixels = Annotated[
    int,
    typer.Option(
        "--max-pixels",
        metavar="N",
        help="Refuse larger pictures before memory is taken. "
        "With a limit of your own, free memory is not asked.",
    ),
]
AcceptDamaged = Annotated[
    bool, typer.Option("--accept-damaged", help="Take what is left of a truncated file.")
]


def _nodata(text: str) -> Any:
    from segment.images.nodata import check_nodata

    try:
        return check_nodata(text)
    except InputError as error:
        raise typer.BadParameter(str(error).removeprefix("nodata=")) from None


def parse_value_range(text: str) -> Any:
    from segment.regions.ranges import check_range

    try:
        return check_range(text if text == AUTO else tuple(text.split(",")))
    except InputError:
        raise typer.BadParameter(
            f"{text!r} is no range that rises; give two numbers such as 0,4095, or {AUTO}"
        ) from None


Nodata = Annotated[
    Any,
    typer.Option(
        "--nodata",
        metavar="VALUE|none",
        parser=_nodata,
        show_default="what a GeoTIFF says",
        help="Value of pixels that are left out, as NaN and transparent ones always are.",
    ),
]
Mask = Annotated[
    Path | None,
    typer.Option(
        "--mask",
        metavar="FILE|FOLDER",
        show_default=False,
        help="Image of the same size, black where pixels are left out; or a folder of such, "
        "each of its picture's name.",
    ),
]
ValueRange = Annotated[
    Any,
    typer.Option(
        "--value-range",
        metavar="LOW,HIGH|auto",
        parser=parse_value_range,
        show_default="what the file says, or the values make sure",
        help="Values that are black and white. auto: stretched.",
    ),
]

# What is said.

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a picture instead of a line of text.")
]


Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say how long each stage took.")]
OnExists = Annotated[
    str,
    typer.Option(
        "--on-exists",
        metavar="error|skip|overwrite",
        help="What to do about outputs that exist already.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        show_default="batch: one a core; image: 1",
        help="Pictures at a time; they share the threads.",
    ),
]
