"""What is drawn of a label map: arcs as curves, polygons with their colours and order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.kernels.shapes.rings import measure_rings
from segment.shapes import curves
from segment.shapes.curves import Curves
from segment.shapes.graph import Arcs, Ints, Layout, lay_out, trace_whole
from segment.shapes.polygons import check_labels, check_tolerance

DIGITS = 1  # of coordinates below a pixel


@dataclass(frozen=True)
class Drawing:
    """A label map made ready to draw.

    Attributes
    ----------
    labels : ndarray, shape (H, W), int32
    arcs : Arcs
    layout : Layout
    curves : Curves
        What each arc has become.
    """

    labels: NDArray[np.int32]
    arcs: Arcs
    layout: Layout
    curves: Curves


def make_drawing(labels: ArrayLike, image: ArrayLike | None, tolerance: float) -> Drawing:
    """Trace and smooth a label map; see `segment.polygons`."""
    array, _ = check_labels(labels)
    tolerance = check_tolerance(tolerance, array.shape)
    colors = curves.check_colors(image, array.shape)
    arcs, codes = trace_whole(array)
    layout = lay_out(arcs, arcs.sides > 0)
    return Drawing(
        array, arcs, layout, curves.smooth(arcs, codes, layout, array, colors, tolerance)
    )


class Paths:
    """SVG paths along the arcs of a drawing, in whole steps of a tenth of a pixel.

    A path is relative but for its beginning, so that an arc reads the same in every path.
    """

    def __init__(self, drawing: Drawing) -> None:
        self._controls = np.rint(drawing.curves.controls * 10**DIGITS).astype(np.int64)
        self._offsets = drawing.curves.offsets
        self._layout = drawing.layout
        self._cache: dict[int, str] = {}

    def along(self, half: int) -> str:
        """Return the relative path along a half-edge."""
        if half not in self._cache:
            arc = half >> 1
            points = self._controls[self._offsets[arc] : self._offsets[arc + 1]]
            self._cache[half] = relative(points[::-1] if half & 1 else points)
        return self._cache[half]

    def start(self, half: int) -> str:
        """Return the command that goes to the beginning of a half-edge."""
        at = self._offsets[(half >> 1) + 1] - 1 if half & 1 else self._offsets[half >> 1]
        x, y = self._controls[at].tolist()
        return f"M{joined([x, y])}"

    def arc(self, arc: int) -> str:
        """Return the path along an arc, from its beginning."""
        return self.start(2 * arc) + self.along(2 * arc)

    def rings(self, rings: Sequence[int] | Ints) -> str:
        """Return closed paths around rings, by their number in the layout."""
        layout = self._layout
        out = []
        for ring in rings:
            halves = layout.halves[layout.starts[ring] : layout.starts[ring + 1]].tolist()
            out.append(self.start(halves[0]) + "".join(map(self.along, halves)) + "z")
        return "".join(out)


def polygons_to_paint(drawing: Drawing) -> list[tuple[int, list[int]]]:
    """Return label and rings of every polygon, in an order in which they can be painted over one
    another: larger ones first.

    Where every pixel is of a region, holes are left out: whatever lies in them is painted later.
    """
    layout = drawing.layout
    whole = bool((drawing.labels > 0).all())
    labels = np.repeat(layout.labels, np.diff(layout.region_offsets))
    arcs = drawing.arcs
    area = measure_rings(arcs.points, arcs.offsets, layout.halves, layout.starts)[:, 0]
    found = []
    for label, (first, last) in zip(
        labels.tolist(), pairwise(layout.polygon_offsets.tolist()), strict=True
    ):
        rings = layout.order[first:last].tolist()
        found.append((int(area[rings[0]]), label, rings[:1] if whole else rings))
    found.sort(key=lambda item: -item[0])
    return [(label, rings) for _, label, rings in found]


def relative(points: Ints) -> str:
    """Return curves (3 n + 1 control points, in whole steps) as relative commands.

    >>> relative(np.array([[0, 0], [10, 0], [20, 0], [30, 0], [30, 5], [30, 10], [15, 20]]))
    'h3c0 .5 0 1-1.5 2'
    """
    out, last = [], ""
    steps = np.repeat(points[:-1:3], 3, axis=0)
    deltas = (points[1:] - steps).reshape(-1, 6).tolist()
    for ax, ay, bx, by, x, y in deltas:
        if abs(ax * y - ay * x) <= abs(x) + abs(y) and abs(bx * y - by * x) <= abs(x) + abs(y):
            if x == 0 and y == 0:
                continue
            command, numbers = ("h", [x]) if y == 0 else ("v", [y]) if x == 0 else ("l", [x, y])
        else:
            command, numbers = "c", [ax, ay, bx, by, x, y]
        text = joined(numbers)
        if command != last:
            out.append(command + text)
        else:
            out.append(text if text[0] == "-" else " " + text)
        last = command
    return "".join(out)


def joined(numbers: Sequence[int]) -> str:
    """Return numbers, in whole steps, as short as SVG reads them."""
    texts = [number_text(number) for number in numbers]
    return texts[0] + "".join(t if t[0] == "-" else " " + t for t in texts[1:])


def number_text(steps: int) -> str:
    """Return a number of tenths as text: ``3``, ``-.5``, ``12.5``."""
    sign = "-" if steps < 0 else ""
    whole, tenth = divmod(abs(steps), 10)
    if tenth == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole or ''}.{tenth}"
