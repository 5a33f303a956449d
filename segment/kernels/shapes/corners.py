"""Where a line of points has corners, and where they would be had nothing rounded them."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel

SPAN = 4  # points either way that show a corner
SHARP = 0.6  # cosine of the turn, about 53 degrees, from which on it is one
NEAR = 1.5  # how far the sides of a corner may meet from its point, in pixels


@kernel(bare=True)
def find_corners(line: Any, closed: bool, turn: Any, corner: Any) -> None:
    """Write which points of a line are corners; the ends of an open one are.

    `turn` is room for a number a point.
    """
    n = len(line)
    for i in range(n):
        turn[i] = 1.0
        if not closed and (i < SPAN or i >= n - SPAN):
            continue
        a, b = line[(i - SPAN) % n], line[(i + SPAN) % n]
        ax, ay, bx, by = line[i, 0] - a[0], line[i, 1] - a[1], b[0] - line[i, 0], b[1] - line[i, 1]
        sizes = np.sqrt((ax * ax + ay * ay) * (bx * bx + by * by))
        if sizes > 0:
            turn[i] = (ax * bx + ay * by) / sizes
    for i in range(n):
        corner[i] = False
        if turn[i] >= SHARP:
            continue
        best = True
        for k in range(-SPAN, SPAN + 1):
            j = (i + k) % n if closed else min(max(i + k, 0), n - 1)
            if turn[j] < turn[i] or (turn[j] == turn[i] and k < 0 and j != i):
                best = False
        corner[i] = best
    if not closed:
        corner[0] = corner[n - 1] = True


@kernel(bare=True)
def sharpen(line: Any, corner: Any, closed: bool) -> None:
    """Move corners to where the lines along both their sides meet, if that is near."""
    n = len(line)
    inner, outer = 3, 7
    for i in range(n):
        if not corner[i] or (not closed and (i < outer or i >= n - outer)):
            continue
        a, b = line[(i - outer) % n], line[(i - inner) % n]
        c, d = line[(i + outer) % n], line[(i + inner) % n]
        ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]
        cross = ux * vy - uy * vx
        if abs(cross) < 1e-9:
            continue
        t = ((c[0] - a[0]) * vy - (c[1] - a[1]) * vx) / cross
        x, y = a[0] + t * ux, a[1] + t * uy
        if (x - line[i, 0]) ** 2 + (y - line[i, 1]) ** 2 <= NEAR * NEAR:
            line[i, 0], line[i, 1] = x, y
            # What is rounded off beside the corner comes onto its sides.
            for side in range(-1, 2, 2):
                k = (i + side * inner) % n
                for step in range(1, inner):
                    j, share = (i + side * step) % n, step / inner
                    line[j, 0] = line[i, 0] + share * (line[k, 0] - line[i, 0])
                    line[j, 1] = line[i, 1] + share * (line[k, 1] - line[i, 1])
