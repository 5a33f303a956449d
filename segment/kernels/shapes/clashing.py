"""Polylines that cross or touch each other.

.. [1] J. R. Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric
   predicates", Discrete & Computational Geometry 18, 1997.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel

# Of the sum of two products: a difference that is smaller may be nothing but rounding [1]_.
DOUBT = 4e-16


@kernel(bare=True)
def _turn(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    """Return on which side of the line from a to b point c lies; 0 if on it, or in doubt."""
    one, other = (bx - ax) * (cy - ay), (by - ay) * (cx - ax)
    turn = one - other
    return turn if abs(turn) > DOUBT * (abs(one) + abs(other)) else 0.0


@kernel(bare=True)
def _cross(ax: Any, ay: Any, bx: Any, by: Any, cx: Any, cy: Any, dx: Any, dy: Any) -> bool:
    """Whether segments a b and c d cross or touch."""
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx):
        return False
    if max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return False
    one, other = _turn(ax, ay, bx, by, cx, cy), _turn(ax, ay, bx, by, dx, dy)
    third, fourth = _turn(cx, cy, dx, dy, ax, ay), _turn(cx, cy, dx, dy, bx, by)
    return min(one, other) <= 0 <= max(one, other) and min(third, fourth) <= 0 <= max(third, fourth)


@kernel(bare=True)
def _overlap(ax: float, ay: float, bx: float, by: float, dx: float, dy: float) -> bool:
    """Whether segments a b and a d, which both begin at a, have more in common than a."""
    ahead = (bx - ax) * (dx - ax) + (by - ay) * (dy - ay)
    return ahead > 0 and _turn(ax, ay, bx, by, dx, dy) == 0


@kernel(bare=True)
def _clash(points: Any, vertices: Any, i: int, j: int) -> bool:
    """Whether the segments from points i and j have anything in common but a vertex."""
    a, b, c, d = i, i + 1, j, j + 1
    if vertices[b] == vertices[c] or vertices[b] == vertices[d]:
        a, b = b, a
    if vertices[a] == vertices[d]:
        c, d = d, c
    ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
    if vertices[a] != vertices[c]:
        return _cross(ax, ay, bx, by, points[c, 0], points[c, 1], points[d, 0], points[d, 1])
    return vertices[b] == vertices[d] or _overlap(ax, ay, bx, by, points[d, 0], points[d, 1])


@kernel(bare=True)
def _number_vertices(offsets: Any, nodes: Any, vertices: Any) -> None:
    """Write a number for each point, the same for those only that are one vertex of the map."""
    n_points = len(vertices)
    for i in range(n_points):
        vertices[i] = i
    for arc in range(len(offsets) - 1):
        first, last = offsets[arc], offsets[arc + 1] - 1
        if nodes[arc, 0] < 0:
            vertices[last] = first
        else:
            vertices[first], vertices[last] = n_points + nodes[arc, 0], n_points + nodes[arc, 1]


def find_clashes(points: Any, offsets: Any, nodes: Any, cells: Any, cell: int) -> Any:
    """Return which polylines cross or touch another, or themselves, but at nodes that they share.

    Segments are compared that meet in a cell of a grid.

    Parameters
    ----------
    points, offsets
        As `flatten` returns them.
    nodes : ndarray, shape (A, 2), int64
        At which node each polyline begins and ends; -1 for loops.
    cells : ndarray of bool
        The grid; where they do becomes true.
    cell : int
        Side of a cell, in pixels.
    """
    vertices = np.empty(len(points), np.int64)
    _number_vertices(offsets, nodes, vertices)
    counts = np.zeros(cells.size, np.int64)
    rows, columns = cells.shape
    _sort_into_cells(points, offsets, rows, columns, cell, counts, np.empty((0, 2), np.int64))
    starts = np.concatenate([[0], np.cumsum(counts)])
    entries = np.empty((starts[-1], 2), np.int64)
    _sort_into_cells(points, offsets, rows, columns, cell, starts[:-1].copy(), entries)
    bad = np.zeros(len(offsets) - 1, np.bool_)
    _compare(points, vertices, starts, entries, cells, bad)
    return bad


@kernel(bare=True)
def _sort_into_cells(
    points: Any, offsets: Any, rows: int, columns: int, cell: int, at: Any, entries: Any
) -> None:
    """Write each segment, its first point and its arc, for each cell that it may meet.

    `at` tells where, and is moved on; where `entries` is empty nothing is written.
    """
    for arc in range(len(offsets) - 1):
        for i in range(offsets[arc], offsets[arc + 1] - 1):
            ax, ay, bx, by = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
            left = min(max(int(min(ax, bx)) // cell, 0), columns - 1)
            right = min(max(int(max(ax, bx)) // cell, 0), columns - 1)
            top = min(max(int(min(ay, by)) // cell, 0), rows - 1)
            bottom = min(max(int(max(ay, by)) // cell, 0), rows - 1)
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    k = row * columns + column
                    if len(entries):
                        entries[at[k], 0], entries[at[k], 1] = i, arc
                    at[k] += 1


@kernel(bare=True)
def _compare(points: Any, vertices: Any, starts: Any, entries: Any, cells: Any, bad: Any) -> None:
    """Mark arcs and cells with segments that clash."""
    columns = cells.shape[1]
    for k in range(len(starts) - 1):
        for m in range(starts[k], starts[k + 1]):
            i, arc = entries[m, 0], entries[m, 1]
            for o in range(m + 1, starts[k + 1]):
                j, other = entries[o, 0], entries[o, 1]
                if _clash(points, vertices, i, j):
                    bad[arc] = bad[other] = True
                    cells[k // columns, k % columns] = True
