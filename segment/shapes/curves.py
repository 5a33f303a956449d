"""Arcs as cubic Bézier curves that follow the edges of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation

from segment.errors import InputError
from segment.kernels.shapes import clashing, fitting, flattening, smoothing
from segment.kernels.shapes import rings as ring_kernels
from segment.shapes.graph import Arcs, Floats, Ints, Layout, Lines, Mask, simplify, twins

# Pixels that a curve may be away from its points, however small the tolerance: where the picture
# shows the edge, and where the points are cracks.
CLEAR, FAINT = 0.06, 0.5
# Pixels between a curve and the polyline that stands for it, and share of the tolerance.
FLATNESS, SHARE = 0.03, 0.05
LEAST = 0.1  # share of its pixels that is left of a ring
CELL = 4  # pixels of the grid in which clashes are looked for
FEWEST = 8  # samples of a loop that is worth a curve


@dataclass(frozen=True)
class Curves:
    """Arcs as chains of cubic Bézier curves.

    Attributes
    ----------
    controls : ndarray, shape (P, 2), float64
        Of each arc its first point, then three control points a curve, the last of them its end.
    offsets : ndarray, shape (A + 1,), int64
        Where in `controls` each arc begins.
    """

    controls: Floats
    offsets: Ints

    def lines(self, tolerance: float) -> Lines:
        """Return polylines that are hardly to be told from the curves, and bound the same areas."""
        flatness = max(FLATNESS, SHARE * tolerance)
        return Lines(*flattening.flatten(self.controls, self.offsets, flatness))

    @classmethod
    def of(cls, lines: Lines) -> Curves:
        """Return straight curves along lines."""
        points, offsets = lines.points, lines.offsets
        sizes = np.diff(offsets)
        inner = np.ones(len(points), bool)
        inner[offsets[:-1]] = False  # points that a step leads to
        step = np.zeros_like(points)
        step[1:] = np.diff(points, axis=0)
        ends = np.cumsum(np.where(inner, 3, 1)) - 1
        controls = np.empty((len(points) * 3, 2))
        controls[ends] = points
        controls[ends[inner] - 1] = points[inner] - step[inner] / 3
        controls[ends[inner] - 2] = points[inner] - step[inner] * 2 / 3
        made = np.concatenate([[0], np.cumsum(3 * (sizes - 1) + 1)])
        return cls(controls[: made[-1]], made)


def smooth(
    arcs: Arcs,
    codes: NDArray[np.uint8],
    layout: Layout,
    labels: NDArray[np.int32],
    colors: NDArray[np.float32],
    tolerance: float,
) -> Curves:
    """Fit curves to the edges that arcs stand for.

    Where two would cross, lines through the middles of cracks take their place, there only. Should
    that not do, or a polygon turn over or vanish, the arcs are drawn along their cracks.

    Parameters
    ----------
    codes : ndarray, shape (H + 1, W + 1), uint8
        As `segment.shapes.graph.trace_whole` returns it.
    colors : ndarray, shape (H, W, C), float32
        What `check_colors` returns.
    tolerance : float
        How far a curve may be away from the edge, in pixels; `CLEAR` to `FAINT` at least.
    """
    height, width = labels.shape
    plain = Curves.of(simplify(arcs, twins(arcs), codes, 0, max(tolerance, FAINT)))
    strict = np.zeros((height // CELL + 1, width // CELL + 1), bool)
    rough = np.zeros(len(arcs), bool)
    while True:
        samples, starts, shifts = smoothing.sample_arcs(
            arcs.points, arcs.offsets, arcs.sides, arcs.closed, labels, colors, strict, CELL
        )
        smoothing.doubt_samples(samples, starts, arcs.closed)
        smoothing.unbend_samples(samples, starts, arcs.closed)
        rough |= arcs.closed & (np.diff(starts) < FEWEST)
        places = _place_nodes(arcs, shifts, strict, rough, width, height)
        smoothing.relax_samples(samples, starts, places, arcs.closed)
        clear = _mean_weights(samples, starts)
        tolerances = np.maximum(FAINT + clear * (CLEAR - FAINT), tolerance)
        fitted = fitting.fit_arcs(samples, starts, places, arcs.closed, tolerances)
        curves = _choose(Curves(*fitted), plain, rough)
        lines = curves.lines(tolerance)
        cells = np.zeros_like(strict)
        bad = (
            clashing.find_clashes(lines.points, lines.offsets, arcs.nodes[0], cells, CELL) & ~rough
        )
        cells = binary_dilation(cells, np.ones((3, 3), bool)) & ~strict
        lost = _lost(lines, layout, arcs) & ~rough
        if not bad.any() and not lost.any():
            return curves
        rough |= lost if cells.any() else bad | lost
        strict |= cells


def _mean_weights(samples: Floats, starts: Ints) -> Floats:
    """Return the mean weight of the samples of each arc; 0 where it has none."""
    sums = np.concatenate([[0.0], np.cumsum(samples[:, 2])])
    weights: Floats = (sums[starts[1:]] - sums[starts[:-1]]) / np.maximum(np.diff(starts), 1)
    return weights


def _place_nodes(
    arcs: Arcs, shifts: Floats, strict: Mask, rough: Mask, width: int, height: int
) -> Floats:
    """Return where each arc begins and ends, (A, 2, 2): where the edges that meet there have moved.

    A node moves each way by the mean of what the ends of its arcs move that way; along the frame
    only, where it lies on it; and not at all in strict cells and at the ends of rough arcs.
    """
    ends, n_nodes = arcs.nodes
    at = ends[~arcs.closed]
    places = np.zeros((n_nodes, 2))
    corners = np.stack([arcs.points[arcs.offsets[:-1]], arcs.points[arcs.offsets[1:] - 1]], axis=1)
    places[at] = corners[~arcs.closed]
    column, row = places.astype(np.int64).T
    moves = ~strict[row // CELL, column // CELL]
    moves[ends[rough & ~arcs.closed].ravel()] = False
    shifts = shifts[~arcs.closed]
    for axis, size in ((0, width), (1, height)):
        known = ~np.isnan(shifts[:, :, axis])
        nodes, values = at[known], shifts[:, :, axis][known]
        count = np.bincount(nodes, minlength=n_nodes)
        total = np.bincount(nodes, values, minlength=n_nodes)
        inside = (places[:, axis] > 0) & (places[:, axis] < size)
        places[:, axis] += np.where(inside & moves, total / np.maximum(count, 1), 0)
    placed: Floats = places[np.maximum(ends, 0)]
    return placed


def _choose(one: Curves, other: Curves, chosen: Mask) -> Curves:
    """Return the curves of one, or where chosen those of the other."""
    sizes = np.where(chosen, np.diff(other.offsets), np.diff(one.offsets))
    begin = np.where(chosen, other.offsets[:-1] + len(one.controls), one.offsets[:-1])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    index = np.repeat(begin - offsets[:-1], sizes) + np.arange(offsets[-1])
    return Curves(np.concatenate([one.controls, other.controls])[index], offsets)


def _lost(lines: Lines, layout: Layout, arcs: Arcs) -> Mask:
    """Return which lines bound a ring that has turned over, or all but vanished."""
    bad = np.zeros(len(arcs), bool)
    points, offsets = ring_kernels.lay_rings(
        lines.points, lines.offsets, layout.halves, layout.starts, layout.order
    )
    if not len(layout.order):
        return bad
    x, y = points.T
    area = np.add.reduceat(np.append(x[:-1] * y[1:] - x[1:] * y[:-1], 0.0), offsets[:-1])
    # Between the end of a ring and the beginning of the next there is no step.
    ends = offsets[1:-1] - 1
    area[:-1] -= x[ends] * y[ends + 1] - x[ends + 1] * y[ends]
    pixels = ring_kernels.measure_rings(arcs.points, arcs.offsets, layout.halves, layout.starts)
    wanted = pixels[layout.order, 0]  # twice as well; negative for holes
    for ring in layout.order[area * np.sign(wanted) <= LEAST * np.abs(wanted)]:
        bad[layout.halves[layout.starts[ring] : layout.starts[ring + 1]] >> 1] = True
    return bad


def check_colors(image: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return an image as float32 (H, W, C) from 0 to 255, whatever its range; none as black.

    Raises
    ------
    InputError
        If it is not of the labels' size.
    """
    if image is None:
        return np.zeros((*shape, 1), np.float32)
    array = np.asarray(getattr(image, "pixels", image))
    if array.ndim not in (2, 3) or array.shape[:2] != shape or array.dtype.kind not in "buif":
        raise InputError(
            f"the image has shape {array.shape} and type {array.dtype} for labels of {shape}; "
            "give the image that was segmented, rows by columns by bands"
        )
    colors = array.reshape(*shape, -1).astype(np.float32)
    seen = colors[np.isfinite(colors)]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    scaled = (colors - low) * (255 / (high - low) if high > low else 1)
    return np.ascontiguousarray(np.nan_to_num(scaled, nan=0, posinf=255, neginf=0))
