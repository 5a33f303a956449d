"""The options of ``segment scene``: one field each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import options

if TYPE_CHECKING:
    from segment.scenes import SceneOptions

PLAIN = options.PLAIN
MEAN_SHIFT = (
    "spatial_bandwidth", "min_size", "kernel", "color_space", "engine", "connectivity", "max_iter",
    "tol",
)  # fmt: skip
OUR_OWN = ("quiet", "json")  # of the command line alone


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
Mask = Annotated[
    Path | None,
    typer.Option(
        "--mask",
        metavar="FILE",
        show_default=False,
        help="Raster of the same size, 0 where pixels are left out.",
    ),
]
SpatialBandwidth = Annotated[
    float | None,
    typer.Option(
        "--spatial-bandwidth",
        "-s",
        metavar="PIXELS",
        show_default="7, or 5 with --level or --regions",
        help="Radius of the spatial window: larger looks farther and smooths more.",
    ),
]
RangeBandwidth = Annotated[
    Any,  # a number, or one a band
    typer.Option(
        "--range-bandwidth",
        "-r",
        metavar="UNITS",
        parser=options.parse_bandwidths,
        show_default="of colours or with --scale 6.5, or 4 with --level or --regions",
        help="Radius of the window of values, in units of the colour space: larger joins more. In "
        "the bands' own units also one a band: 300,500,200.",
    ),
]
Scale = Annotated[
    bool,
    typer.Option(
        "--scale",
        help="Compare bands in per cent of their spread, from the 2nd to the 98th percentile.",
    ),
]
Level = Annotated[
    float | None,
    typer.Option(
        "--level",
        metavar="0..1",
        show_default=False,
        help="Merge up to a level, the same everywhere: 0.3 many regions, 0.7 few.",
    ),
]
ColorSpace = Annotated[
    str | None,
    typer.Option(
        "--color-space",
        "-c",
        metavar="NAME",
        show_default="luv for 1 or 3 bands of 8 bits, else none",
        help="Where values are compared: luv, lab, rgb, or none (bands in their own units).",
    ),
]
ValueRange = Annotated[
    Any,
    typer.Option(
        "--value-range",
        metavar="LOW,HIGH",
        parser=options.parse_value_range,
        show_default="of the data type",
        help="Values that are black and white, for luv, lab and rgb.",
    ),
]
Posterized = _file("posterized", ".tif, .zarr", "Each region in its mean colour")
Filtered = _file("filtered", ".tif, .zarr", "The filtered pixels")
Table = _file("table", ".csv, .parquet", "Table of the regions")
Vector = _file("vector", ".gpkg, .fgb, .parquet, .geojson", "Outlines with the table")
Preview = _file("preview", ".png", "A quick look with outlines")
Cog = Annotated[bool, typer.Option("--cog", help="Write cloud-optimised GeoTIFFs, with overviews.")]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", show_default="half of what is free", help="What may be used: 4GB."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", metavar="N", show_default="one a core", help="Tiles at once."),
]
Tile = Annotated[
    int | None,
    typer.Option(
        metavar="PIXELS", show_default="2048, or what fits", help="Side of a tile, about."
    ),
]
Scratch = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", show_default="beside DST", help="Where unfinished work is kept."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        show_default=False,
        help="Work on a Dask cluster, such as tcp://host:8786.",
    ),
]
AcceptDamaged = Annotated[
    bool, typer.Option("--accept-damaged", help="Take blocks that are damaged as nodata.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")]


@dataclass(frozen=True)
class SceneWork:
    """What the command is told: one field an option."""

    bands: Bands = None
    nodata: Nodata = None
    mask: Mask = None
    spatial_bandwidth: SpatialBandwidth = None
    range_bandwidth: RangeBandwidth = None
    scale: Scale = False
    level: Level = None
    regions: options.Regions = None
    min_size: options.MinSize = PLAIN.min_size
    kernel: options.Kernel = PLAIN.kernel
    color_space: ColorSpace = None
    value_range: ValueRange = None
    engine: options.Engine = PLAIN.engine
    connectivity: options.Connectivity = PLAIN.connectivity
    max_iter: options.MaxIter = PLAIN.max_iter
    tol: options.Tol = PLAIN.tol
    posterized: Posterized = None  # type: ignore[valid-type]
    filtered: Filtered = None  # type: ignore[valid-type]
    table: Table = None  # type: ignore[valid-type]
    vector: Vector = None  # type: ignore[valid-type]
    preview: Preview = None  # type: ignore[valid-type]
    cog: Cog = False
    memory: Memory = None
    jobs: Jobs = None
    tile: Tile = None
    scratch: Scratch = None
    scheduler: Scheduler = None
    accept_damaged: AcceptDamaged = False
    overwrite: options.Overwrite = False
    quiet: options.Quiet = False
    json: Json = False

    def options(self, dst: Path) -> SceneOptions:
        """Return what is wanted of a scene.

        Raises
        ------
        InputError
            If an option is out of its domain.
        """
        from segment.scenes import SceneOptions

        given = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in OUR_OWN
        }
        params = {name: given.pop(name) for name in MEAN_SHIFT}
        for name in ("spatial_bandwidth", "color_space"):  # the scene decides
            if params[name] is None:
                del params[name]
        return SceneOptions(dst=dst, params=params, n_regions=given.pop("regions"), **given)
