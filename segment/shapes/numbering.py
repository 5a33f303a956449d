"""Sheets to paint by numbers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segment.shapes.coloring import Palette, hex_color
from segment.shapes.drawings import Drawing, Paths

N_COLORS = 24
# Height of a number: its share of the room that there is, and limits, in thousandths of the
# picture's longer side.
SHARE, SMALLEST, LARGEST = 0.8, 6.0, 22.0
LINE = 0.9  # width of lines, in thousandths of the longer side
GRAY = "#8a8a8a"

# Digits as single strokes in a box of 4 by 6, for plotters and so that no font is needed.
STROKES = {
    "0": "M2 0C.6 0 0 1.5 0 3s.6 3 2 3 2-1.5 2-3-.6-3-2-3",
    "1": "M.8 1.2L2.2 0v6",
    "2": "M.2 1.6C.2.6 1 0 2 0s1.8.7 1.8 1.7C3.8 3 1.5 4.2.1 6h3.8",
    "3": "M.2.9C.6.3 1.2 0 2 0s1.7.6 1.7 1.4S3 2.8 2 2.8s1.9.6 1.9 1.6S3.1 6 2 6 .5 5.6 .1 5",
    "4": "M3 6V0L.1 4.2h3.8",
    "5": "M3.6 0H.7L.4 2.7Q1.1 2.2 2 2.2c1.1 0 1.9.8 1.9 1.9S3.1 6 2 6 .6 5.7 .1 5.1",
    "6": "M3.5.7Q2.9 0 2.1 0C.7 0 .1 1.6.1 3.4S.8 6 2 6s1.9-.8 1.9-1.9S3.1 2.3 2 2.3.1 3 .1 4",
    "7": "M.1 0h3.8L1.5 6",
    "8": "M2 2.8C1 2.8.4 2.2.4 1.4S1 0 2 0s1.6.6 1.6 1.4S3 2.8 2 2.8"
    "s-1.9.6-1.9 1.6S.9 6 2 6s1.9-.6 1.9-1.6S3.1 2.8 2 2.8",
    "9": "M.5 5.3Q1.1 6 1.9 6c1.4 0 2-1.6 2-3.4S3.2 0 2 0 .1.8.1 1.9.9 3.7 2 3.7 3.9 3 3.9 2",
}
ADVANCE = 5.2  # from one digit to the next


def sheet(drawing: Drawing, paths: Paths, palette: Palette, painted: str) -> str:
    """Return a sheet: lines, the number of a colour in every region, and a legend below.

    The layers are ``paper``, ``colors`` (hidden), ``lines``, ``numbers`` and ``legend``.
    """
    height, width = drawing.labels.shape
    unit = max(height, width) / 1000
    shown = np.flatnonzero((drawing.arcs.sides > 0).any(axis=1))
    lines = "".join(map(paths.arc, shown.tolist()))
    numbers = []
    for label, x, y, radius in poles(drawing.labels):
        text = str(palette.index[label - 1] + 1)
        size = min(max(SHARE * radius / (0.6 + 0.3 * len(text)), SMALLEST * unit), LARGEST * unit)
        numbers.append(written(text, x, y, size))
    legend, below = _legend(palette, width, height, unit)
    used = "".join(f'<path id="d{digit}" d="{path}"/>' for digit, path in STROKES.items())
    pen = 'fill="none" stroke-linejoin="round" stroke-linecap="round"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height + below}" '
        f'viewBox="0 0 {width} {height + below}">\n'
        f"<defs>{used}</defs>\n"
        f'<path id="paper" fill="#fff" d="M0 0h{width}v{height + below}H0z"/>\n'
        f'<g id="colors" display="none">\n{painted}</g>\n'
        f'<path id="lines" {pen} stroke="{GRAY}" stroke-width="{LINE * unit:.2g}" d="{lines}"/>\n'
        f'<g id="numbers" {pen} stroke="{GRAY}" stroke-width=".5">\n{"".join(numbers)}</g>\n'
        f'<g id="legend" {pen} stroke="#444" stroke-width=".5">\n{legend}</g>\n'
        "</svg>\n"
    )


def written(text: str, x: float, y: float, size: float) -> str:
    """Return a number as strokes, its middle at (x, y), so many pixels high."""
    scale = size / 6
    left = x - scale * (ADVANCE * (len(text) - 1) + 4) / 2
    digits = "".join(
        f'<use href="#d{digit}"' + (f' x="{ADVANCE * k:g}"/>' if k else "/>")
        for k, digit in enumerate(text)
    )
    place = f"translate({left:.1f} {y - size / 2:.1f}) scale({scale:.3g})"
    return f'<g transform="{place}">{digits}</g>\n'


def poles(labels: NDArray[np.int32]) -> list[tuple[int, float, float, float]]:
    """Return label, x, y and distance of the point of each region farthest from its border (its
    pole of inaccessibility, to half a pixel)."""
    padded = np.pad(labels, 1)
    middle = padded[1:-1, 1:-1]
    inner = np.ones(labels.shape, bool)
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2), (0, 0), (0, 2), (2, 0), (2, 2)):
        inner &= padded[dy : dy + len(labels), dx : dx + labels.shape[1]] == middle
    away = cv2.distanceTransform(
        np.pad(inner, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )[1:-1, 1:-1].ravel()
    flat = labels.ravel()
    order = np.lexsort((-away, flat))
    _, first = np.unique(flat[order], return_index=True)
    found = []
    for at in order[first].tolist():
        if flat[at] > 0:
            y, x = divmod(at, labels.shape[1])
            found.append((int(flat[at]), x + 0.5, y + 0.5, float(away[at]) + 0.5))
    return found


def _legend(palette: Palette, width: int, height: int, unit: float) -> tuple[str, int]:
    """Return swatches with their numbers, and the height that they take."""
    side = 40 * unit
    columns = max(int(width // (1.25 * side)), 1)
    out = []
    for k, color in enumerate(palette.colors.tolist()):
        row, column = divmod(k, columns)
        x = (column + 0.125) * 1.25 * side
        y = height + side * (0.4 + 1.25 * row)
        out.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" '
            f'fill="{hex_color(color)}" stroke-width="{LINE * unit:.2g}"/>\n'
        )
        bright = np.dot(color, (0.3, 0.59, 0.11)) > 128
        number = written(str(k + 1), x + side / 2, y + side / 2, side * 0.4)
        out.append(number if bright else f'<g stroke="#fff">{number}</g>\n')
    rows = -(-len(palette.colors) // columns)
    return "".join(out), int(np.ceil(side * (0.6 + 1.25 * rows)))
