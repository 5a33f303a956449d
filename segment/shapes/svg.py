"""Regions as SVG: flat colours without gaps, single-stroke outlines, paint-by-number sheets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.params import SVG_STYLES, choice
from segment.shapes import numbering
from segment.shapes.coloring import Palette, hex_color, recolored
from segment.shapes.drawings import Drawing, Paths, make_drawing, polygons_to_paint

# Tolerance by default: a share of the picture's longer side, and pixels at least.
FINENESS, FINEST = 1 / 600, 0.8
# Each polygon has a line of its own colour around it, so that it reaches below the next and no
# background shines through: so many pixels wide on the screen, at any scale.
OVERLAP = 1.2


def to_svg(
    labels: ArrayLike,
    colors: ArrayLike,
    *,
    image: ArrayLike | None = None,
    style: str = "fill",
    palette: int | Sequence[str] | None = None,
    tolerance: float | None = None,
) -> str:
    """Draw the regions of a label map.

    Parameters
    ----------
    labels : array_like, shape (H, W), of integers
        1..n; 0 is no region and stays transparent.
    colors : array_like, shape (n, 3), uint8
        Colour of each region, sRGB.
    image : array_like, optional
        The picture, whose edges the outlines follow.
    style : {"fill", "outline", "numbered"}
        Flat colours; lines, each drawn once; or a sheet to paint by numbers, with a legend, and
        the colours in a layer that is hidden.
    palette : int or sequence of str, optional
        So many colours, or these (``"#aa3300"`` or names as in CSS), in place of each region's own;
        ``numbered`` takes `segment.shapes.numbering.N_COLORS` by default.
    tolerance : float, optional
        How far the outlines may be away from the edges, in pixels; by default 1/600 of the
        picture's longer side.

    Returns
    -------
    str
        The document.
    """
    choice("svg_style", style, SVG_STYLES)
    array = np.asarray(labels)
    own = np.asarray(colors, np.uint8).reshape(-1, 3)
    if palette is None and style == "numbered":
        palette = numbering.N_COLORS
    chosen: Palette | None = None
    if palette is not None:
        array, own, chosen = recolored(array, own, palette)
    if tolerance is None:
        tolerance = min(max(FINENESS * max(array.shape), FINEST), max(array.shape))
    drawing = make_drawing(array, image, tolerance)
    paths = Paths(drawing)
    if style == "fill":
        body = filled(drawing, paths, own)
    elif style == "outline":
        body = outlined(drawing, paths, 1.0)
    else:
        assert chosen is not None
        return numbering.sheet(drawing, paths, chosen, filled(drawing, paths, own))
    return document(drawing.labels.shape, body)


def document(shape: tuple[int, ...], body: str) -> str:
    """Return an SVG document of the size of a picture."""
    height, width = shape
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">\n{body}</svg>\n'
    )


def filled(drawing: Drawing, paths: Paths, colors: NDArray[Any]) -> str:
    """Return the polygons in flat colours, the larger below the smaller."""
    out = [
        "<style>.regions path{vector-effect:non-scaling-stroke}</style>\n"
        f'<g class="regions" stroke-width="{OVERLAP:g}" stroke-linejoin="round">\n'
    ]
    texts = [hex_color(color) for color in colors.tolist()]
    jobs = ((texts[label - 1], rings) for label, rings in polygons_to_paint(drawing))
    for color, group in groupby(jobs, key=lambda job: job[0]):
        path = "".join(paths.rings(rings) for _, rings in group)
        rule = "" if (drawing.labels > 0).all() else ' fill-rule="evenodd"'
        out.append(f'<path fill="{color}" stroke="{color}"{rule} d="{path}"/>\n')
    out.append("</g>\n")
    return "".join(out)


def outlined(drawing: Drawing, paths: Paths, width: float) -> str:
    """Return every border once, as lines."""
    lines = "".join(
        paths.arc(arc) for arc in np.flatnonzero((drawing.arcs.sides > 0).any(axis=1)).tolist()
    )
    return (
        f'<path fill="none" stroke="#000" stroke-width="{width:g}" stroke-linejoin="round" '
        f'stroke-linecap="round" d="{lines}"/>\n'
    )
