"""The options for how kinds of files are saved, such as ``--outline-color``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from segment.errors import InputError
from segment.params import SVG_STYLES

SvgStyle = Annotated[
    str | None,
    typer.Option(
        "--svg-style",
        metavar="NAME",
        show_default="fill",
        autocompletion=lambda: list(SVG_STYLES),
        help=f"What --save svg draws: {', '.join(SVG_STYLES)} (to paint by numbers).",
    ),
]

Palette = Annotated[
    str | None,
    typer.Option(
        "--palette",
        metavar="N|COLOR,...",
        show_default="each region's own",
        help="Colours of --save svg: so many, or those given, as in '#aa3300,navy'.",
    ),
]

Tolerance = Annotated[
    float | None,
    typer.Option(
        "--tolerance",
        metavar="PIXELS",
        show_default="0, with svg by the size of the picture",
        help="Simplify outlines: how far they may be off. Neighbours still fit.",
    ),
]

Smooth = Annotated[
    bool,
    typer.Option("--smooth", help="Outlines along the edges of the picture instead of its pixels."),
]

Category = Annotated[
    str | None,
    typer.Option(
        "--category",
        metavar="NAME",
        show_default="region",
        help="What coco, labelme and geojson call the regions.",
    ),
]

Names = Annotated[
    Path | None,
    typer.Option(
        "--names",
        metavar="FILE",
        readable=False,
        help="What each region is called there, in yolo and in tables: CSV with the columns label "
        'and name, or JSON such as {"1": "sky"}.',
    ),
]

CocoPolygons = Annotated[
    bool, typer.Option("--coco-polygons", help="Polygons in place of run lengths in coco.")
]


def _color(text: str) -> Any:
    from segment.drawing import parse_color

    try:
        return parse_color(text)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None


OutlineColor = Annotated[
    Any,
    typer.Option(
        "--outline-color",
        metavar="COLOR",
        parser=_color,
        show_default="#ffe840",
        help="Colour of the lines of overlay and sheet, such as red, #ff8000 or 255,128,0.",
    ),
]

OutlineWidth = Annotated[
    float | None,
    typer.Option(
        "--outline-width",
        metavar="PIXELS",
        show_default="1, more beyond 1,800 pixels a side",
        help="Width of those lines.",
    ),
]


def _names(text: str) -> Any:
    return tuple(name.strip() for name in text.split(",") if name.strip())


Properties = Annotated[
    Any,
    typer.Option(
        "--properties",
        metavar="NAME,...",
        parser=_names,
        show_default=False,
        help="Further columns of regions, as scikit-image's regionprops names them, such as "
        "eccentricity,solidity.",
    ),
]
