"""Arcs strung into rings, by 4-connectivity; every ring is simple.

A half-edge is ``2 * arc``, walked as traced, or ``2 * arc + 1``, walked backwards. A ring has its
region on its right as seen on a screen (rows downward), so the shoelace sum of (x, y) is positive
for outer rings and negative for holes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel
from segment.kernels.shapes.tracing import heading


@kernel()
def link_nodes(points: Any, offsets: Any, ends: Any, n: int) -> Any:
    """Return which half-edge leaves each node in each direction, -1 for none: (n, 4) int64.

    Parameters
    ----------
    points, offsets
        As `tracing.walk_arcs` writes them.
    ends : ndarray, shape (A, 2), int64
        Node at which each arc begins and ends; -1 for loops.
    n : int
        Number of nodes.
    """
    slots = np.full((n, 4), -1, np.int64)
    for arc in range(len(ends)):
        if ends[arc, 0] >= 0:
            first, last = offsets[arc], offsets[arc + 1] - 1
            slots[ends[arc, 0], heading(points, first, first + 1)] = 2 * arc
            slots[ends[arc, 1], heading(points, last, last - 1)] = 2 * arc + 1
    return slots


@kernel(inline="always")
def _next(points: Any, offsets: Any, ends: Any, slots: Any, half: int) -> int:
    """Return the half-edge that goes on around the same corner of the region on the right."""
    arc = half >> 1
    if half & 1:
        node, first = ends[arc, 0], offsets[arc]
        direction = heading(points, first + 1, first)
    else:
        node, last = ends[arc, 1], offsets[arc + 1] - 1
        direction = heading(points, last - 1, last)
    for turn in range(1, -2, -1):
        half = slots[node, (direction + turn) & 3]
        if half >= 0:
            return half
    return -1


@kernel()
def string_rings(points: Any, offsets: Any, sides: Any, ends: Any, slots: Any, wanted: Any) -> Any:
    """String the arcs around wanted regions into rings.

    Around a corner that a region touches twice, the way along the same pixel is taken; where a ring
    then comes to a node again, the part between is cut off as a ring of its own, so that none
    touches itself.

    Parameters
    ----------
    points, offsets, sides
        As `tracing.walk_arcs` writes them.
    ends, slots
        As for, and from, `link_nodes`.
    wanted : ndarray, shape (A, 2), bool
        Whether the rings of the regions on the left and on the right of an arc are wanted.

    Returns
    -------
    halves : ndarray, int64
        Half-edges of ring after ring.
    starts : ndarray, int64
        Where in `halves` each ring begins; one more than rings.
    labels : ndarray, int32
        Region of each ring.
    """
    n_arcs = len(sides)
    halves = np.empty(2 * n_arcs, np.int64)
    starts = np.zeros(2 * n_arcs + 1, np.int64)
    labels = np.empty(2 * n_arcs, np.int32)
    walked = np.zeros(2 * n_arcs, np.bool_)
    place = np.full(len(slots), -1, np.int64)
    stack = np.empty(2 * n_arcs, np.int64)
    n, rings = 0, 0
    for begin in range(2 * n_arcs):
        arc = begin >> 1
        side = 1 - (begin & 1)
        if walked[begin] or not wanted[arc, side]:
            continue
        if ends[arc, 0] < 0:
            walked[begin] = True
            halves[n] = begin
            labels[rings] = sides[arc, side]
            n += 1
            rings += 1
            starts[rings] = n
            continue
        depth, half = 0, begin
        while not walked[half]:
            walked[half] = True
            backwards = half & 1
            place[ends[half >> 1, backwards]] = depth
            stack[depth] = half
            depth += 1
            bottom = place[ends[half >> 1, 1 - backwards]]
            if bottom >= 0:
                for i in range(bottom, depth):
                    halves[n] = stack[i]
                    place[ends[stack[i] >> 1, stack[i] & 1]] = -1
                    n += 1
                labels[rings] = sides[arc, side]
                rings += 1
                starts[rings] = n
                depth = bottom
            half = _next(points, offsets, ends, slots, half)
    return halves[:n].copy(), starts[: rings + 1].copy(), labels[:rings].copy()


@kernel()
def measure_rings(points: Any, offsets: Any, halves: Any, starts: Any) -> Any:
    """Return twice the area of each ring, holes negative, its highest (then leftmost) vertex and
    its length: int64 (R, 4) of area, x, y, length."""
    out = np.empty((len(starts) - 1, 4), np.int64)
    for ring in range(len(starts) - 1):
        area, length = 0, 0
        left, top = np.int64(1 << 62), np.int64(1 << 62)
        for i in range(starts[ring], starts[ring + 1]):
            arc = halves[i] >> 1
            sign = 1 - 2 * (halves[i] & 1)
            for j in range(offsets[arc], offsets[arc + 1] - 1):
                x, y = np.int64(points[j, 0]), np.int64(points[j, 1])
                across, down = points[j + 1, 0] - x, points[j + 1, 1] - y
                area += sign * (x * down - y * across)
                length += abs(across) + abs(down)
                # Both ends of a step count: an arc walked backwards begins with the last.
                for u, v in ((x, y), (x + across, y + down)):
                    if v < top or (v == top and u < left):
                        left, top = u, v
        out[ring, 0], out[ring, 1], out[ring, 2], out[ring, 3] = area, left, top, length
    return out


@kernel()
def lay_rings(points: Any, offsets: Any, halves: Any, starts: Any, order: Any) -> Any:
    """Write out rings point by point, each from its highest (then leftmost) point, closed.

    Parameters
    ----------
    points : ndarray, shape (P, 2), float64
    offsets, halves, starts
        Arcs and rings.
    order : ndarray, shape (R,), int64
        The rings wanted, in their order.

    Returns
    -------
    coordinates : ndarray, shape (N, 2), float64
    ring_offsets : ndarray, shape (R + 1,), int64
    """
    total = 0
    for ring in order:
        total += 1
        for i in range(starts[ring], starts[ring + 1]):
            arc = halves[i] >> 1
            total += offsets[arc + 1] - offsets[arc] - 1
    out = np.empty((total, 2), np.float64)
    ring_offsets = np.zeros(len(order) + 1, np.int64)
    n = 0
    for k in range(len(order)):
        ring = order[k]
        size = 0
        for i in range(starts[ring], starts[ring + 1]):
            arc = halves[i] >> 1
            size += offsets[arc + 1] - offsets[arc] - 1
        best: Any = 0
        at = 0
        for attempt in range(2):  # find where to begin, then write
            j = 0
            for i in range(starts[ring], starts[ring + 1]):
                arc = halves[i] >> 1
                first, last, step = offsets[arc], offsets[arc + 1] - 1, 1
                if halves[i] & 1:
                    first, last, step = last, first, -1
                for p in range(first, last, step):
                    if attempt == 0:
                        if j == 0 or (
                            points[p, 1] < points[best, 1]
                            or (points[p, 1] == points[best, 1] and points[p, 0] < points[best, 0])
                        ):
                            best, at = p, j
                    else:
                        to = n + (j - at) % size
                        out[to, 0], out[to, 1] = points[p, 0], points[p, 1]
                    j += 1
        n += size
        out[n, 0], out[n, 1] = out[n - size, 0], out[n - size, 1]
        n += 1
        ring_offsets[k + 1] = n
    return out, ring_offsets
