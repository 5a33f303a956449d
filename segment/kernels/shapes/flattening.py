"""Cubic Bézier curves as polylines that bound the same areas."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel
from segment.kernels.shapes.fitting import bezier, signed_area


@kernel()
def flatten(controls: Any, offsets: Any, flatness: float) -> Any:
    """Return curves as polylines that are nowhere farther away than `flatness`, and bound the same
    areas."""
    total = 0
    for attempt in range(2):
        if attempt:
            points = np.empty((total, 2), np.float64)
            out_offsets = np.zeros(len(offsets), np.int64)
        n = 0
        for arc in range(len(offsets) - 1):
            if attempt:
                first = offsets[arc]
                points[n, 0], points[n, 1] = controls[first, 0], controls[first, 1]
            n += 1
            for i in range(offsets[arc], offsets[arc + 1] - 1, 3):
                curve = controls[i : i + 4]
                bend = 0.0
                for k in range(2):
                    x = curve[k, 0] - 2 * curve[k + 1, 0] + curve[k + 2, 0]
                    y = curve[k, 1] - 2 * curve[k + 1, 1] + curve[k + 2, 1]
                    bend = max(bend, np.sqrt(x * x + y * y))
                # A curve is at most 6/8 of its largest second difference from its chord, and what
                # makes up for that 4/3 of it from the curve.
                steps = max(int(np.ceil(np.sqrt(bend / flatness))), 1)
                if attempt:
                    for k in range(1, steps):
                        x, y = bezier(curve, k / steps)
                        points[n + k - 1, 0], points[n + k - 1, 1] = x, y
                    points[n + steps - 1, 0], points[n + steps - 1, 1] = curve[3, 0], curve[3, 1]
                    _swell(points[n - 1 : n + steps], curve)
                n += steps
            if attempt:
                out_offsets[arc + 1] = n
        total = n
    return points, out_offsets


@kernel(bare=True)
def _swell(points: Any, curve: Any) -> None:
    """Move points along a curve, all but its ends, to where they cut off the area that it does."""
    n = len(points) - 1
    x0, y0 = points[0, 0], points[0, 1]
    beyond = squares = 0.0
    for k in range(1, n):
        px, py = points[k, 0] - x0, points[k, 1] - y0
        qx, qy = points[k + 1, 0] - x0, points[k + 1, 1] - y0
        beyond += 0.5 * (px * qy - py * qx)
        squares += (points[k + 1, 0] - points[k - 1, 0]) ** 2
        squares += (points[k + 1, 1] - points[k - 1, 1]) ** 2
    if squares == 0:
        return
    missing = -beyond + signed_area(
        curve[1, 0] - x0, curve[1, 1] - y0, curve[2, 0] - x0, curve[2, 1] - y0,
        curve[3, 0] - x0, curve[3, 1] - y0,
    )  # fmt: skip
    share = 2 * missing / squares
    x, y = x0, y0
    for k in range(1, n):
        ux, uy = points[k + 1, 0] - x, points[k + 1, 1] - y
        x, y = points[k, 0], points[k, 1]
        points[k, 0], points[k, 1] = x + share * uy, y - share * ux
