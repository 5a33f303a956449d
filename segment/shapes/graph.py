"""The planar graph of a label map, and the rings in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segment.kernels.shapes import rings as ring_kernels
from segment.kernels.shapes import simplifying, tracing

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Arcs:
    """Chains of cracks between the same two regions.

    Attributes
    ----------
    points : ndarray, shape (P, 2), int32
        Corners (x, y) of arc after arc, ends included; a loop ends with its first point.
    offsets : ndarray, shape (A + 1,), int64
        Where in `points` each arc begins.
    sides : ndarray, shape (A, 2), int32
        Labels on the left and on the right as one walks; -1 is the outside.
    closed : ndarray, shape (A,), bool
        Whether an arc is a loop that meets no node.
    """

    points: NDArray[np.int32]
    offsets: Ints
    sides: NDArray[np.int32]
    closed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sides)

    @cached_property
    def end_keys(self) -> Ints:
        """First and last vertex of each arc as one number, shape (A, 2): row * 2**32 + column."""
        ends = np.stack([self.points[self.offsets[:-1]], self.points[self.offsets[1:] - 1]], axis=1)
        keys: Ints = (ends[..., 1].astype(np.int64) << 32) | ends[..., 0]
        return keys

    @cached_property
    def nodes(self) -> tuple[Ints, int]:
        """Number of the node at either end of each arc, -1 for loops, shape (A, 2); and how many
        there are."""
        keys, index = np.unique(self.end_keys, return_inverse=True)
        ends = index.reshape(-1, 2).astype(np.int64)
        ends[self.closed] = -1
        return ends, len(keys)

    def take(self, chosen: Mask) -> Arcs:
        """Return some of the arcs."""
        sizes = np.diff(self.offsets)
        offsets = np.concatenate([[0], np.cumsum(sizes[chosen])])
        points = self.points[np.repeat(chosen, sizes)]
        return Arcs(points, offsets, self.sides[chosen], self.closed[chosen])

    def __add__(self, other: Arcs) -> Arcs:
        return Arcs(
            np.concatenate([self.points, other.points]),
            np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]]),
            np.concatenate([self.sides, other.sides]),
            np.concatenate([self.closed, other.closed]),
        )


NO_ARCS = Arcs(
    np.empty((0, 2), np.int32), np.zeros(1, np.int64), np.empty((0, 2), np.int32), np.empty(0, bool)
)


def trace_strip(
    above: NDArray[np.int32], labels: NDArray[np.int32], top: int, *, last: bool
) -> tuple[Arcs, NDArray[np.uint8]]:
    """Trace a strip of a label map, the first of them if `top` is 0.

    Returns
    -------
    arcs : Arcs
        Cut where they leave the strip.
    codes : ndarray, shape (h + 1, W + 1), uint8
        Which vertices have cracks; see `segment.kernels.shapes.tracing`.
    """
    height, width = labels.shape
    codes = np.empty((height + 1, width + 1), np.uint8)
    tracing.find_cracks(above, labels, top == 0, last, codes)
    n_arcs, n_points = tracing.count_arcs(codes)
    points = np.empty((n_points, 2), np.int32)
    offsets = np.empty(n_arcs + 1, np.int64)
    sides = np.empty((n_arcs, 2), np.int32)
    between, n_arcs = tracing.walk_arcs(above, labels, codes, top, points, offsets, sides)
    offsets = offsets[: n_arcs + 1]
    closed = np.arange(n_arcs) >= between
    return Arcs(points[: offsets[-1]], offsets, sides[:n_arcs], closed), codes


def trace_whole(labels: NDArray[np.int32]) -> tuple[Arcs, NDArray[np.uint8]]:
    """Trace a label map; see `trace_strip`."""
    above = np.full(labels.shape[1], tracing.OUTSIDE, np.int32)
    return trace_strip(above, labels, 0, last=True)


@dataclass(frozen=True)
class Layout:
    """How arcs make up rings, rings polygons, and polygons regions.

    Attributes
    ----------
    halves, starts : ndarray of int64
        Half-edges of ring after ring, and where each ring begins.
    order : ndarray of int64
        The rings, by region, polygon, and outer ring before holes.
    polygon_offsets, region_offsets : ndarray of int64
        First ring (in `order`) of each polygon, first polygon of each region; and one beyond.
    labels, area, perimeter : ndarray of int64
        Of each region; by rising label. Area and length of all its rings, in pixels.
    """

    halves: Ints
    starts: Ints
    order: Ints
    polygon_offsets: Ints
    region_offsets: Ints
    labels: Ints
    area: Ints
    perimeter: Ints


def lay_out(arcs: Arcs, wanted: NDArray[np.bool_]) -> Layout:
    """String arcs into the rings of regions, holes with the polygon that they lie in.

    Parameters
    ----------
    arcs : Arcs
        Whole arcs, all of those around the wanted regions.
    wanted : ndarray, shape (A, 2), bool
        Whether the regions on the left and on the right of an arc are wanted.
    """
    ends, n_nodes = arcs.nodes
    slots = ring_kernels.link_nodes(arcs.points, arcs.offsets, ends, n_nodes)
    halves, starts, labels = ring_kernels.string_rings(
        arcs.points, arcs.offsets, arcs.sides, ends, slots, wanted
    )
    measures = ring_kernels.measure_rings(arcs.points, arcs.offsets, halves, starts)
    doubled, x, y, length = measures.T
    outer = doubled > 0
    parent = _outer_rings(arcs, halves, starts, labels, measures)
    order = np.lexsort((x, y, ~outer, x[parent], y[parent], labels))
    first = np.flatnonzero(outer[order])  # of each polygon
    polygon_labels = labels[order][first]
    new = np.flatnonzero(np.diff(polygon_labels, prepend=-1))  # first polygon of each region
    rings = first[new]
    area = np.add.reduceat(doubled[order], rings) // 2 if len(rings) else np.empty(0, np.int64)
    around = np.add.reduceat(length[order], rings) if len(rings) else np.empty(0, np.int64)
    return Layout(
        halves=halves,
        starts=starts,
        order=order,
        polygon_offsets=np.append(first, len(order)),
        region_offsets=np.append(new, len(first)),
        labels=polygon_labels[new].astype(np.int64),
        area=area,
        perimeter=around,
    )


def _outer_rings(
    arcs: Arcs, halves: Ints, starts: Ints, labels: NDArray[np.int32], measures: Ints
) -> Ints:
    """Return the outer ring that each ring belongs to.

    Where its region has one outer ring only, it is that. Else the first crack to the left of the
    pixel above a hole's highest corner is part of the same polygon, and of a ring that begins
    higher up; that ring's outer ring is known by then.
    """
    doubled, x, y, _ = measures.T
    parent = np.arange(len(labels))
    n_outer = np.bincount(labels[doubled > 0], minlength=1 + labels.max(initial=0))
    single = np.empty(len(n_outer), np.int64)
    outer = np.flatnonzero(doubled > 0)
    single[labels[outer]] = outer
    holes = np.flatnonzero(doubled < 0)
    parent[holes] = single[labels[holes]]
    unclear = holes[n_outer[labels[holes]] > 1]
    if not len(unclear):
        return parent
    among = np.zeros(len(n_outer), bool)
    among[labels[unclear]] = True
    ring, column, row = _left_cracks(arcs, halves, starts, np.flatnonzero(among[labels]))
    keys = np.stack([labels[ring], row, column], axis=1).astype(np.int64)
    by_key = np.lexsort(keys.T[::-1])
    keys, ring = keys[by_key], ring[by_key]
    packed = np.ascontiguousarray(keys.astype(">i8")).view("V24").ravel()
    wanted = np.stack([labels[unclear], y[unclear] - 1, x[unclear]], axis=1).astype(">i8")
    found = np.searchsorted(packed, np.ascontiguousarray(wanted).view("V24").ravel(), "right") - 1
    for k in np.argsort(y[unclear], kind="stable"):
        parent[unclear[k]] = parent[ring[found[k]]]
    return parent


def _left_cracks(arcs: Arcs, halves: Ints, starts: Ints, chosen: Ints) -> tuple[Ints, Ints, Ints]:
    """Return ring, column and pixel row of every crack on the left of the regions of some rings."""
    points, offsets = ring_kernels.lay_rings(
        arcs.points.astype(np.float64), arcs.offsets, halves, starts, chosen
    )
    steps = np.diff(points[:, 1]).astype(np.int64)
    upward = steps < 0
    upward[offsets[1:-1] - 1] = False  # from the end of a ring to the beginning of the next
    at = np.flatnonzero(upward)
    size = -steps[at]
    owner = chosen[np.searchsorted(offsets, at, "right") - 1]
    rows = np.repeat(points[at + 1, 1].astype(np.int64), size)
    rows += np.arange(len(rows)) - np.repeat(np.cumsum(size) - size, size)
    return np.repeat(owner, size), np.repeat(points[at, 0].astype(np.int64), size), rows


@dataclass(frozen=True)
class Lines:
    """Arcs as they are drawn: their points, not of whole pixels any more.

    Attributes
    ----------
    points : ndarray, shape (P, 2), float64
    offsets : ndarray, shape (A + 1,), int64
    """

    points: Floats
    offsets: Ints

    @classmethod
    def of(cls, arcs: Arcs) -> Lines:
        return cls(arcs.points.astype(np.float64), arcs.offsets)

    def take(self, chosen: Mask) -> Lines:
        """Return some of the lines."""
        sizes = np.diff(self.offsets)
        offsets = np.concatenate([[0], np.cumsum(sizes[chosen])])
        return replace(self, points=self.points[np.repeat(chosen, sizes)], offsets=offsets)

    def __add__(self, other: Lines) -> Lines:
        return Lines(
            np.concatenate([self.points, other.points]),
            np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]]),
        )


def simplify(
    arcs: Arcs, forced: NDArray[np.bool_], codes: NDArray[np.uint8], top: int, tolerance: float
) -> Lines:
    """Leave out points of arcs, none more than `tolerance` pixels from the line that remains.

    No two lines cross or touch, and no region vanishes.

    Parameters
    ----------
    forced : ndarray, shape (A,), bool
        What `twins` says.
    codes : ndarray, shape (h, W + 1), uint8
        Which vertices have cracks, from row `top` on.
    """
    keep = simplifying.simplify_arcs(
        arcs.points, arcs.offsets, forced, codes, top, float(tolerance)
    )
    sums = np.concatenate([[0], np.cumsum(keep)])
    return Lines(arcs.points[keep].astype(np.float64), sums[arcs.offsets])


def twins(arcs: Arcs) -> NDArray[np.bool_]:
    """Return which arcs share both their nodes and a region with another arc.

    Two of them may be all there is around that region, which would vanish between two chords.
    """
    keys = np.sort(arcs.end_keys, axis=1)
    found = np.zeros(len(arcs), bool)
    table = np.concatenate([np.column_stack([keys, arcs.sides[:, side]]) for side in range(2)])
    table = table[np.tile(~arcs.closed, 2)]
    owner = np.tile(np.flatnonzero(~arcs.closed), 2)
    order = np.lexsort(table.T)
    same = (np.diff(table[order], axis=0) == 0).all(axis=1) & (table[order][1:, 2] > 0)
    found[owner[order[1:][same]]] = True
    found[owner[order[:-1][same]]] = True
    return found
