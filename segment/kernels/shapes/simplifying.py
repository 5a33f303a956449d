"""Arcs simplified one by one, so that what they bound still fits together.

The distance rule is that of Douglas and Peucker [1]_; a chord must also sweep over no vertex of any
other arc. Each vertex of the map that is no end of the chord then stays on its side, so two chords
cannot cross: the one would have to come between the other and its path, and leave a vertex there.
What is decided about an arc depends on nothing but the map around it.

.. [1] D. Douglas and T. Peucker, "Algorithms for the reduction of the number of points required to
   represent a digitized line or its caricature", Cartographica 10(2), 1973.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel


@kernel(bare=True)
def _farthest(points: Any, a: int, b: int) -> Any:
    """Return the point between a and b farthest from the segment that joins them, and its
    distance²; -1 if there is none.

    Distances are compared as whole numbers, distance² times length², so that ties are ties.
    """
    ax, ay = np.int64(points[a, 0]), np.int64(points[a, 1])
    dx, dy = points[b, 0] - ax, points[b, 1] - ay
    length2 = dx * dx + dy * dy
    best, most = a + 1, -1.0
    for i in range(a + 1, b):
        px, py = points[i, 0] - ax, points[i, 1] - ay
        along = px * dx + py * dy
        if along <= 0:
            away = float(px * px + py * py) * max(length2, 1)
        elif along >= length2:
            away = float((px - dx) ** 2 + (py - dy) ** 2) * length2
        else:
            away = float(dx * py - dy * px) ** 2
        if away > most:
            best, most = i, away
    return best, most / max(length2, 1)


@kernel(inline="always")
def _widen(row: int, left: int, right: int, low: Any, high: Any) -> None:
    low[row] = min(low[row], left)
    high[row] = max(high[row], right)


@kernel(bare=True)
def _sweeps_nothing(
    points: Any, a: int, b: int, codes: Any, top: int, low: Any, high: Any, own: Any
) -> bool:
    """Whether there is no vertex of another arc between the path from a to b and its chord.

    Looked at is, in each row, all between the outermost of path and chord. `low`, `high` and `own`
    are work space as long as `codes`.
    """
    first, last = points[a, 1] - top, points[a, 1] - top
    for i in range(a, b + 1):
        first, last = min(first, points[i, 1] - top), max(last, points[i, 1] - top)
    for row in range(first, last + 1):
        low[row], high[row], own[row] = 1 << 30, -1, 0
    for i in range(a, b):
        x, y = points[i, 0], points[i, 1] - top
        to_x, to_y = points[i + 1, 0], points[i + 1, 1] - top
        if y == to_y:
            _widen(y, min(x, to_x), max(x, to_x), low, high)
            own[y] += abs(to_x - x)
        else:
            step = 1 if to_y > y else -1
            for row in range(y, to_y, step):
                _widen(row, x, x, low, high)
                own[row] += 1
    x, y = points[a, 0], points[a, 1] - top
    to_x, to_y = points[b, 0], points[b, 1] - top
    own[to_y] += 1
    _widen(to_y, to_x, to_x, low, high)
    if y == to_y:
        _widen(y, min(x, to_x), max(x, to_x), low, high)
    if y > to_y:
        x, y, to_x, to_y = to_x, to_y, x, y
    for row in range(y + 1, to_y):
        across = np.int64(to_x - x) * (row - y)
        _widen(row, x - (-across // (to_y - y)), x + across // (to_y - y), low, high)
    for row in range(first, last + 1):
        for at in range(low[row], high[row] + 1):
            own[row] -= codes[row, at] >> 5 & 1
        if own[row] != 0:
            return False
    return True


def simplify_arcs(
    points: Any, offsets: Any, forced: Any, codes: Any, top: int, tolerance: float
) -> Any:
    """Return which points of each arc to keep: (P,) bool.

    Parameters
    ----------
    points, offsets
        As `tracing.walk_arcs` writes them.
    forced : ndarray, shape (A,), bool
        Where an arc that is not straight must keep a point between its ends.
    codes : ndarray, shape (h, W + 1), uint8
        Which vertices have cracks, from row `top` on, as far as the arcs go.
    top : int
    tolerance : float
        Largest distance of a point left out from its chord, in pixels.
    """
    keep = np.zeros(len(points), np.bool_)
    low, high, own = np.empty((3, len(codes)), np.int64)
    stack = np.empty((2 * int(np.diff(offsets).max(initial=1)), 2), np.int64)
    _choose(points, offsets, forced, codes, top, tolerance, low, high, own, stack, keep)
    return keep


@kernel(inline="always")
def _push(stack: Any, depth: int, a: int, b: int) -> None:
    stack[depth, 0], stack[depth, 1] = a, b


@kernel(bare=True)
def _choose(
    points: Any, offsets: Any, forced: Any, codes: Any, top: int, tolerance: float, low: Any,
    high: Any, own: Any, stack: Any, keep: Any,
) -> None:  # fmt: skip
    """Mark in `keep` what `simplify_arcs` returns."""
    limit = tolerance * tolerance
    for arc in range(len(offsets) - 1):
        first, last = offsets[arc], offsets[arc + 1] - 1
        keep[first] = keep[last] = True
        if last - first == 1:
            continue
        # An arc that comes back to its beginning is cut in two, of which one must keep a corner.
        depth = 0
        if points[first, 0] == points[last, 0] and points[first, 1] == points[last, 1]:
            middle, _ = _farthest(points, first, last)
            keep[middle] = True
            one, far = _farthest(points, first, middle)
            other, farther = _farthest(points, middle, last)
            split, a, b, c, d = one, first, middle, middle, last
            if farther > far:
                split, a, b, c, d = other, middle, last, first, middle
            _push(stack, 0, c, d)
            _push(stack, 1, a, split)
            _push(stack, 2, split, b)
            keep[split] = True
            depth = 3
        elif forced[arc]:
            split, _ = _farthest(points, first, last)
            keep[split] = True
            _push(stack, 0, first, split)
            _push(stack, 1, split, last)
            depth = 2
        else:
            _push(stack, 0, first, last)
            depth = 1
        while depth:
            depth -= 1
            a, b = stack[depth, 0], stack[depth, 1]
            if b - a == 1:
                continue
            split, far = _farthest(points, a, b)
            if far <= limit and _sweeps_nothing(points, a, b, codes, top, low, high, own):
                continue
            keep[split] = True
            _push(stack, depth, a, split)
            _push(stack, depth + 1, split, b)
            depth += 2
