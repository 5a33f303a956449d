"""The options of the command line: one definition each, under the API's names.

A command takes the aliases below as the types of its parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from segment.params import (
    AUTO,
    COLOR_SPACES,
    DEFAULT_LEVEL,
    ENGINES,
    KERNELS,
    LEAF_BANDWIDTHS,
    Bandwidth,
    Cut,
    MeanShiftOptions,
    choose_scale,
)

# What mean shift does; the defaults are those of `segment.params.MeanShiftOptions`.


_PLAIN = MeanShiftOptions()


def _bandwidth(text: str) -> Bandwidth:
    try:
        return AUTO if text == AUTO else float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a number nor {AUTO!r}") from None


SpatialBandwidth = Annotated[
    Any,  # a Bandwidth; Typer takes no unions
    typer.Option(
        "--spatial-bandwidth",
        "-s",
        metavar="PIXELS|auto",
        parser=_bandwidth,
        show_default=f"{LEAF_BANDWIDTHS[0]:g}, with -r {_PLAIN.spatial_bandwidth:g}",
        help="Radius of the spatial window: larger looks farther and smooths more. auto: by the "
        "size of the picture.",
    ),
]
RangeBandwidth = Annotated[
    Any,  # a Bandwidth; Typer takes no unions
    typer.Option(
        "--range-bandwidth",
        "-r",
        metavar="UNITS|auto",
        parser=_bandwidth,
        show_default=f"{LEAF_BANDWIDTHS[1]:g}, with -s {_PLAIN.range_bandwidth:g}",
        help="Radius of the colour window, in units of the colour space: larger joins more. auto: "
        "by contrast and noise.",
    ),
]
MinSize = Annotated[
    int,
    typer.Option(
        "--min-size",
        "-m",
        metavar="PIXELS",
        help="Smallest region; smaller ones join their nearest neighbour in colour.",
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

Images = Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Image files.")]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write to; made if needed."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace existing outputs instead of refusing.")
]

Save = Annotated[
    str,
    typer.Option(
        "--save",
        metavar="WHAT,...",
        help="What to write: labels, posterized, filtered, boundaries, overlay, preview (labels in "
        "colours), sheet (side by side), contours (levels as 16-bit gray), hierarchy (every level, "
        ".npz), regions (a table), json, or all.",
    ),
]
Page = Annotated[
    int, typer.Option("--page", metavar="N", help="Page of a TIFF or frame of a GIF, from 0.")
]
MaxPixels = Annotated[
    int | None,
    typer.Option(
        "--max-pixels",
        metavar="N",
        show_default="268435456",
        help="Refuse larger pictures before memory is taken.",
    ),
]
AcceptDamaged = Annotated[
    bool, typer.Option("--accept-damaged", help="Take what is left of a truncated file.")
]

# What is said.

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a picture instead of a line of text.")
]


def scale(
    context: typer.Context,
    spatial: Bandwidth,
    color: Bandwidth,
    level: float | None,
    regions: int | None,
) -> tuple[Bandwidth, Bandwidth, Cut]:
    """Return the bandwidths and the cut that the options ask for; see `choose_scale`."""
    options: dict[str, Bandwidth] = {"spatial_bandwidth": spatial, "range_bandwidth": color}
    given = {}
    for name, value in options.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            given[name] = value
    chosen, cut = choose_scale(given, Cut(level, regions))
    options |= chosen
    return options["spatial_bandwidth"], options["range_bandwidth"], cut
