"""The logarithm of a Gaussian density as a cubic spline, in tiles where the points are.

Around x the Gaussian mean of the points is x + h^2 * gradient of log f, with h the bandwidth and f
the sum of the kernel: with log f at hand a step costs 4^d loads, whatever the number of points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.jit import kernel

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]


class Surface(NamedTuple):
    """Tiles of spline coefficients; NaN where only a sum over the points is exact enough.

    Tiles have 3 axes; those that are missing come first, with one node. Node i of tile t along a
    feature lies at origin + (t * cells + i - 1) * step; neighbours share 3 nodes.
    """

    coefficients: Singles  # (m, n0, n1, cells + 3)
    keys: Ints  # (m,) ascending
    strides: Ints  # (d,)
    extent: Ints  # (d,)
    origin: Floats  # (d,)
    step: float
    cells: int


def no_surface(d: int) -> Surface:
    """Return a surface without tiles."""
    none = np.zeros(0, np.int64)
    zeros = np.zeros(d, np.int64)
    coefficients = np.zeros((0, 1, 1, 4), np.float32)
    return Surface(coefficients, none, zeros, zeros.copy(), np.zeros(d), 1.0, 1)


@kernel()
def spline_weights(t: float, weights: Floats) -> None:
    """Write the cubic B-spline's weights of 4 nodes, at a fraction t between the middle two."""
    s = 1 - t
    weights[0] = s * s * s / 6
    weights[1] = 2 / 3 - t * t * (1 - t / 2)
    weights[2] = 2 / 3 - s * s * (1 - s / 2)
    weights[3] = t * t * t / 6


@kernel()
def spread(weights: Floats, tile: Ints, place: Floats, cells: int, values: Floats) -> None:
    """Add the weight of each point to the 4^d nodes around it.

    `tile` (n,) is the row in `values` of each point's tile; `place` (n, d) is in steps from the
    origin.
    """
    n, d = place.shape
    base = np.zeros(3, np.int64)
    count = np.ones(3, np.int64)
    count[3 - d :] = 4
    share = np.zeros((3, 4))
    share[:, 0] = 1.0
    for p in range(n):
        for j in range(d):
            whole = int(place[p, j])
            base[3 - d + j] = whole % cells
            spline_weights(place[p, j] - whole, share[3 - d + j])
        for a in range(count[0]):
            for b in range(count[1]):
                part = weights[p] * share[0, a] * share[1, b]
                for c in range(4):
                    values[tile[p], base[0] + a, base[1] + b, base[2] + c] += part * share[2, c]


@kernel()
def find_key(keys: Ints, key: int) -> int:
    """Return the position of `key` in the ascending `keys`, or -1."""
    left, right = 0, keys.size
    while left < right:
        middle = (left + right) // 2
        if keys[middle] < key:
            left = middle + 1
        else:
            right = middle
    return left if left < keys.size and keys[left] == key else -1


@kernel()
def spline_room() -> Floats:
    """Return room for the weights of `surface_sum`; missing axes have one node."""
    room = np.zeros((2, 3, 4))
    room[0, :, 0] = 1.0
    return room


@kernel()
def surface_sum(
    surface: Surface, radius: float, center: Floats, last: Ints, w: Floats, total: Floats
) -> bool:
    """Write the sums of k * weight * point (d numbers) and of k * weight to `total`.

    False, and nothing, where no tile is, or its coefficients are NaN. `last` remembers key and tile
    from call to call (at first -1, -1); `w` is `spline_room()`.
    """
    d = center.size
    coefficients, step, cells = surface.coefficients, surface.step, surface.cells
    i0, i1, i2 = 0, 0, 0
    key = 0
    for j in range(d):
        at = (center[j] - surface.origin[j]) / step
        if not 0 <= at < surface.extent[j] * cells:
            return False
        whole = int(at)
        index = whole // cells
        key += index * surface.strides[j]
        i0, i1, i2 = i1, i2, whole - index * cells
        t = at - whole
        s = 1 - t
        k = 3 - d + j
        spline_weights(t, w[0, k])
        w[1, k, 0] = -0.5 * s * s
        w[1, k, 1] = t * (1.5 * t - 2)
        w[1, k, 2] = s * (2 - 1.5 * s)
        w[1, k, 3] = 0.5 * t * t
    if key != last[0]:
        last[0] = key
        last[1] = find_key(surface.keys, key)
    tile = last[1]
    if tile < 0:
        return False
    z0, z1, z2, z3 = w[0, 2, 0], w[0, 2, 1], w[0, 2, 2], w[0, 2, 3]
    y0, y1, y2, y3 = w[1, 2, 0], w[1, 2, 1], w[1, 2, 2], w[1, 2, 3]
    value, first, second, third = 0.0, 0.0, 0.0, 0.0
    for a in range(4 if d > 2 else 1):
        plane, across, along = 0.0, 0.0, 0.0
        for b in range(4 if d > 1 else 1):
            c = coefficients[tile, i0 + a, i1 + b, i2 : i2 + 4]
            c0, c1, c2, c3 = np.float64(c[0]), np.float64(c[1]), np.float64(c[2]), np.float64(c[3])
            row = z0 * c0 + z1 * c1 + z2 * c2 + z3 * c3
            plane += w[0, 1, b] * row
            across += w[1, 1, b] * row
            along += w[0, 1, b] * (y0 * c0 + y1 * c1 + y2 * c2 + y3 * c3)
        value += w[0, 0, a] * plane
        first += w[1, 0, a] * plane
        second += w[0, 0, a] * across
        third += w[0, 0, a] * along
    if not value < np.inf:
        return False
    mass = np.exp(value)
    slope = mass * radius * radius / step
    total[d] = mass
    total[d - 1] = mass * center[d - 1] + slope * third
    if d > 1:
        total[d - 2] = mass * center[d - 2] + slope * second
    if d > 2:
        total[0] = mass * center[0] + slope * first
    return True
