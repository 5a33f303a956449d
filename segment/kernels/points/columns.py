"""Columns of points: the sum over a ball in 1 to 3 dimensions, without touching its inside.

Space is cut into square columns along the last axis. The points of a column are sorted along it and
carry running sums, so the part of a ball that lies wholly inside a column is one subtraction; only
the points near the sphere are compared one by one. The result is exact for the closed ball. With
moments up to the third the same holds for weights that fall as 1 - (distance / radius)^2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Column indices stay below this, so that two of them fit in one 64-bit key.
MAX_SIDE = 2**30
# So many points are tested sooner than their inner part is looked up.
FEW = 96
# Running sums of moments start anew after so many cells along a column: they grow with its cube.
LONGEST = 64
# Sums may be reordered; distances may not be contracted, or points on the sphere would flip.
SUMS = frozenset({"reassoc", "nsz"})


class Grid(NamedTuple):
    """Points sorted into columns (see `build_grid`); few arrays, for they are passed at each step.

    The coordinates are in the order (last, first, second), with zeros for those that are missing.
    """

    points: Floats  # (4, n): three coordinates and the weight
    running: Floats  # (n + m, 4): sums of weight * coordinate and of weight, from 0 in each column;
    # or (n + m, 13): the same from the middle of its box, then weight * second moments (xx, xy, xz,
    # yy, yz, zz) and weight * coordinate * square
    boxes: Floats  # (m, 7): smallest and largest of each coordinate; buckets per unit of length
    first: Ints  # (m + 1,) first point of each column
    keys: Ints  # (m,) ascending: row * stride + column
    buckets: Ints  # (n + m,) where equal steps along a column begin, column by column
    origin: tuple[float, float]
    cell: float
    stride: int


def build_grid(
    points: Floats, weights: Floats, cell: float, *, moments: bool = False
) -> tuple[Grid, Ints]:
    """Sort `points` (n, d), d from 1 to 3, into columns of side `cell`; return the order too.

    With `moments` the grid is for Epanechnikov sums.
    """
    n, d = points.shape
    table = np.zeros((4, n))
    table[0] = points[:, d - 1]
    table[1:d] = points[:, : d - 1].T
    table[3] = weights
    low = table[1:3].min(axis=1)
    cell = max(float(cell), float((table[1:3].max(axis=1) - low).max()) / MAX_SIDE)
    row, column = np.floor((table[1:3] - low[:, None]) / cell).astype(np.int64)
    stride = int(column.max()) + 1
    key = row * stride + column
    order = np.lexsort((table[0], key))
    table, key = np.ascontiguousarray(table[:, order]), key[order]
    other = np.diff(key) != 0
    if moments:
        other |= np.diff(np.floor(table[0] / (LONGEST * cell))) != 0
    first = np.concatenate(([0], np.flatnonzero(other) + 1, [n])).astype(np.int64)
    running, boxes, buckets = _summarise(table, first, 13 if moments else 4)
    origin = (float(low[0]), float(low[1]))
    return Grid(table, running, boxes, first, key[first[:-1]], buckets, origin, cell, stride), order


@kernel()
def _summarise(points: Floats, first: Ints, sums: int) -> tuple[Floats, Floats, Ints]:
    n = points.shape[1]
    m = first.size - 1
    running = np.zeros((n + m, sums))
    boxes = np.zeros((m, 7))
    buckets = np.empty(n + m, np.int64)
    for c in range(m):
        begin, end = first[c], first[c + 1]
        for j in range(3):
            boxes[c, 2 * j], boxes[c, 2 * j + 1] = lowest_highest(points[j, begin:end])
        for i in range(begin, end):
            _run_on(points[:, i], boxes[c], running[i + c], running[i + c + 1])
        length = boxes[c, 1] - boxes[c, 0]
        if length > 0 and (end - begin) / length < np.inf:
            boxes[c, 6] = (end - begin) / length
        i = begin
        for b in range(end - begin + 1):
            while i < end and (points[0, i] - boxes[c, 0]) * boxes[c, 6] < b:
                i += 1
            buckets[begin + c + b] = i
    return running, boxes, buckets


@kernel()
def lowest_highest(values: Floats) -> tuple[float, float]:
    """Return the smallest and largest value: NumPy's own take seconds to compile."""
    low, high = np.inf, -np.inf
    for value in values:
        low = min(low, value)
        high = max(high, value)
    return low, high


@kernel()
def _run_on(point: Floats, box: Floats, before: Floats, after: Floats) -> None:
    """Add a point to the running sums `before`."""
    weight = point[3]
    after[3] = before[3] + weight
    if after.size == 4:
        for j in range(3):
            after[j] = before[j] + weight * point[j]
        return
    x = point[0] - (box[0] + box[1]) / 2
    y = point[1] - (box[2] + box[3]) / 2
    z = point[2] - (box[4] + box[5]) / 2
    square = x * x + y * y + z * z
    after[0] = before[0] + weight * x
    after[1] = before[1] + weight * y
    after[2] = before[2] + weight * z
    after[4] = before[4] + weight * x * x
    after[5] = before[5] + weight * x * y
    after[6] = before[6] + weight * x * z
    after[7] = before[7] + weight * y * y
    after[8] = before[8] + weight * y * z
    after[9] = before[9] + weight * z * z
    after[10] = before[10] + weight * x * square
    after[11] = before[11] + weight * y * square
    after[12] = before[12] + weight * z * square


@kernel()
def _inner_sum(
    before: Floats, after: Floats, box: Floats, x: float, y: float, z: float, square: float
) -> tuple[float, float, float, float]:
    """Sum the points between two running sums, all of which lie in the ball."""
    mass = after[3] - before[3]
    sx, sy, sz = after[0] - before[0], after[1] - before[1], after[2] - before[2]
    if after.size == 4:
        return sx, sy, sz, mass
    # Points are q, and the centre is e, from the middle of the box; t = q - e.
    ex = x - (box[0] + box[1]) / 2
    ey = y - (box[2] + box[3]) / 2
    ez = z - (box[4] + box[5]) / 2
    xx, xy, xz = after[4] - before[4], after[5] - before[5], after[6] - before[6]
    yy, yz, zz = after[7] - before[7], after[8] - before[8], after[9] - before[9]
    e2 = ex * ex + ey * ey + ez * ez
    t2 = xx + yy + zz - 2 * (ex * sx + ey * sy + ez * sz) + e2 * mass
    k = mass - t2 / square
    # The sums of t * |t|^2, from those of q * |q|^2.
    cx = after[10] - before[10] - 2 * (xx * ex + xy * ey + xz * ez) + e2 * sx - ex * t2
    cy = after[11] - before[11] - 2 * (xy * ex + yy * ey + yz * ez) + e2 * sy - ey * t2
    cz = after[12] - before[12] - 2 * (xz * ex + yz * ey + zz * ez) + e2 * sz - ez * t2
    return (
        x * k + sx - ex * mass - cx / square,
        y * k + sy - ey * mass - cy / square,
        z * k + sz - ez * mass - cz / square,
        k,
    )


@kernel()
def _seek(
    points: Floats, buckets: Ints, begin: int, end: int, c: int, low: float, scale: float, x: float
) -> int:
    """Return the first point of column `c` whose coordinate is at least `x`, or one before it."""
    if x <= low:
        return begin
    b = min((x - low) * scale, end - begin - 1.0)
    at = begin + c + int(b)
    left, right = buckets[at], buckets[at + 1]
    if points[0, end - 1] < x:
        return end
    while left < right:
        middle = (left + right) // 2
        if points[0, middle] < x:
            left = middle + 1
        else:
            right = middle
    return left


@kernel()
def _first_key(keys: Ints, value: int) -> int:
    left, right = 0, keys.size
    while left < right:
        middle = (left + right) // 2
        if keys[middle] < value:
            left = middle + 1
        else:
            right = middle
    return left


@kernel(fastmath=SUMS)
def _tested_sum(
    points: Floats, begin: int, end: int, x: float, y: float, z: float, square: float, fall: float
) -> tuple[float, float, float, float]:
    """Sum the points from `begin` to `end` that lie in the ball, times 1 - fall * distance^2."""
    xs, ys, zs = points[0, begin:end], points[1, begin:end], points[2, begin:end]
    weights = points[3, begin:end]
    a, b, c, total = 0.0, 0.0, 0.0, 0.0
    for i in range(xs.size):
        dx = xs[i] - x
        dy = ys[i] - y
        dz = zs[i] - z
        away = dx * dx + dy * dy + dz * dz
        weight = weights[i] * (1 - fall * away) if away <= square else 0.0
        a += weight * xs[i]
        b += weight * ys[i]
        c += weight * zs[i]
        total += weight
    return a, b, c, total


@kernel()
def ball_sum(grid: Grid, center: Floats, radius: float, total: Floats) -> None:
    """Write the sums of weight * point (d numbers) and of weight in the closed ball to `total`.

    With a grid of moments weights fall as 1 - (distance / radius)^2.
    """
    d = center.size
    points, running, boxes = grid.points, grid.running, grid.boxes
    first, keys, buckets = grid.first, grid.keys, grid.buckets
    x = center[d - 1]
    y = center[0] if d > 1 else 0.0
    z = center[1] if d > 2 else 0.0
    square = radius * radius
    fall = 1 / square if running.shape[1] > 4 else 0.0
    # The bounds are widened and narrowed by far more than rounding; points between them are tested.
    slack = 1e-9 * radius + 1e-14 * abs(x)
    a, b, e, mass = 0.0, 0.0, 0.0, 0.0
    # One row and column more on each side than rounding could miss.
    row = max(np.floor((y - radius - grid.origin[0]) / grid.cell) - 1, 0.0)
    last_row = min(np.floor((y + radius - grid.origin[0]) / grid.cell) + 1, MAX_SIDE + 1.0)
    low = max(np.floor((z - radius - grid.origin[1]) / grid.cell) - 1, 0.0)
    high = min(np.floor((z + radius - grid.origin[1]) / grid.cell) + 1, grid.stride - 1.0)
    c = 0
    while row <= last_row and low <= high:
        c = _first_key(keys, int(row) * grid.stride + int(low))
        stop = int(row) * grid.stride + int(high)
        if d == 2:  # one column to a row: the rows follow each other
            stop = int(last_row)
        while c < keys.size and keys[c] <= stop:
            gap = max(boxes[c, 2] - y, y - boxes[c, 3], 0.0)
            near = gap * gap
            gap = max(boxes[c, 4] - z, z - boxes[c, 5], 0.0)
            near += gap * gap
            if near > square:
                c += 1
                continue
            gap = max(abs(boxes[c, 2] - y), abs(y - boxes[c, 3]))
            far = gap * gap
            gap = max(abs(boxes[c, 4] - z), abs(z - boxes[c, 5]))
            far += gap * gap
            begin, end = first[c], first[c + 1]
            left, scale = boxes[c, 0], boxes[c, 6]
            outer = np.sqrt(square - near) + slack
            i = _seek(points, buckets, begin, end, c, left, scale, x - outer)
            j = _seek(points, buckets, begin, end, c, left, scale, x + outer)
            while j < end and points[0, j] <= x + outer:
                j += 1
            inner = np.sqrt(square - far) - slack if far < square and j - i > FEW else 0.0
            if inner > 0:
                within = _seek(points, buckets, begin, end, c, left, scale, x - inner)
                while within < end and points[0, within] < x - inner:
                    within += 1
                beyond = max(within, _seek(points, buckets, begin, end, c, left, scale, x + inner))
                s = _tested_sum(points, i, within, x, y, z, square, fall)
                a, b, e, mass = a + s[0], b + s[1], e + s[2], mass + s[3]
                p, q = running[within + c], running[beyond + c]
                s = _inner_sum(p, q, boxes[c], x, y, z, square)
                a, b, e, mass = a + s[0], b + s[1], e + s[2], mass + s[3]
                i = beyond
            s = _tested_sum(points, i, j, x, y, z, square, fall)
            a, b, e, mass = a + s[0], b + s[1], e + s[2], mass + s[3]
            c += 1
        if d < 3 or c >= keys.size:
            break
        # Rows without points are leapt over.
        row = max(row + 1, float(keys[c] // grid.stride))
    total[d - 1] = a
    if d > 1:
        total[0] = b
    if d > 2:
        total[1] = e
    total[d] = mass
