"""Polylines that cross or touch each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel


@kernel()
def _clash(ax: Any, ay: Any, bx: Any, by: Any, cx: Any, cy: Any, dx: Any, dy: Any) -> bool:
    """Whether segments a b and c d cross or touch anywhere but at an end that they share."""
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx):
        return False
    if max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return False
    if (bx == cx and by == cy) or (bx == dx and by == dy):
        ax, ay, bx, by = bx, by, ax, ay
    if ax == dx and ay == dy:
        cx, cy, dx, dy = dx, dy, cx, cy
    one = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    other = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
    if ax == cx and ay == cy:  # do they leave the same way?
        ahead = (bx - ax) * (dx - ax) + (by - ay) * (dy - ay)
        return (bx == dx and by == dy) or (other == 0 and ahead > 0)
    third = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
    fourth = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
    return min(one, other) <= 0 <= max(one, other) and min(third, fourth) <= 0 <= max(third, fourth)


@kernel()
def find_clashes(points: Any, offsets: Any, cells: Any, cell: int) -> Any:
    """Return which polylines cross or touch another, or themselves, but at common ends.

    Segments are compared that meet in a cell of a grid.

    Parameters
    ----------
    points, offsets
        As `flatten` returns them.
    cells : ndarray of bool
        The grid; where they do becomes true.
    cell : int
        Side of a cell, in pixels.
    """
    rows, columns = cells.shape
    starts = np.zeros(columns * rows + 1, np.int64)
    n_arcs = len(offsets) - 1
    bad = np.zeros(n_arcs, np.bool_)
    for fill in range(2):
        if fill:
            for k in range(1, len(starts)):
                starts[k] += starts[k - 1]
            entries = np.empty((starts[len(starts) - 1], 2), np.int64)
            at = starts[:-1].copy()
        for arc in range(n_arcs):
            for i in range(offsets[arc], offsets[arc + 1] - 1):
                ax, ay, bx, by = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
                left = min(max(int(min(ax, bx)) // cell, 0), columns - 1)
                right = min(max(int(max(ax, bx)) // cell, 0), columns - 1)
                top = min(max(int(min(ay, by)) // cell, 0), rows - 1)
                bottom = min(max(int(max(ay, by)) // cell, 0), rows - 1)
                for row in range(top, bottom + 1):
                    for column in range(left, right + 1):
                        k = row * columns + column
                        if fill:
                            entries[at[k], 0], entries[at[k], 1] = i, arc
                            at[k] += 1
                        else:
                            starts[k + 1] += 1
    for k in range(columns * rows):
        for m in range(starts[k], starts[k + 1]):
            i, arc = entries[m, 0], entries[m, 1]
            for o in range(m + 1, starts[k + 1]):
                j, other = entries[o, 0], entries[o, 1]
                if _clash(
                    points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1],
                    points[j, 0], points[j, 1], points[j + 1, 0], points[j + 1, 1],
                ):  # fmt: skip
                    bad[arc] = bad[other] = True
                    cells[k // columns, k % columns] = True
    return bad
