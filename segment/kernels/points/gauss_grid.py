"""Gaussian sums through a lattice, in 1 to 3 dimensions: the cost of a step ignores their number.

Each point is spread over the 4 lattice lines around it along every axis with the weights of cubic
interpolation, so that a sum over lattice nodes interpolates the kernel at the points.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.jit import kernel
from segment.kernels.points.tree import SUMS, exponentials

Floats = NDArray[np.float64]

# Lattice lines per bandwidth. Cubic interpolation of k = exp(-u^2 / 2) at this spacing is off by at
# most 9 / 384 / LINES^4 * |k''''| per axis, that is, by 5.5e-5 at u = 0.
LINES = 6


class Lattice(NamedTuple):
    """Weights on a lattice whose axes are in the order of the features, padded to 3 with ones."""

    values: Floats  # (n0, n1, n2)
    origin: Floats  # (d,)
    step: float
    reach: float  # in bandwidths: the sum is cut off beyond


def lattice_shape(points: Floats, bandwidth: float) -> tuple[int, ...]:
    """Return the shape of the lattice over `points`, as Python integers that cannot overflow."""
    extent = points.max(axis=0) - points.min(axis=0)
    return tuple(int(x * LINES / bandwidth) + 4 for x in extent)


def build_lattice(points: Floats, weights: Floats, bandwidth: float, error: float) -> Lattice:
    """Spread `points` (n, d) over a lattice.

    The sum is cut off so far out that what is left off, over all points and times their distance,
    is at most `error` times the largest weight: as a trajectory from a point never sees less than
    about that point's own weight, no step is off by more than `error` bandwidths for this.
    """
    d = points.shape[1]
    step = bandwidth / LINES
    origin = points.min(axis=0) - step
    values = np.zeros(lattice_shape(points, bandwidth) + (1,) * (3 - d))
    _spread(points, weights, origin, step, values)
    reach = math.sqrt(2 * math.log(8 * weights.sum() / weights.max() / error))
    return Lattice(values, origin, step, reach)


@kernel()
def _spread(points: Floats, weights: Floats, origin: Floats, step: float, values: Floats) -> None:
    n, d = points.shape
    base = np.zeros(3, np.int64)
    share = np.zeros((3, 4))
    share[:, 0] = 1.0
    count = np.ones(3, np.int64)
    count[:d] = 4
    for p in range(n):
        for j in range(d):
            place = (points[p, j] - origin[j]) / step
            base[j] = min(max(int(place) - 1, 0), values.shape[j] - 4)
            t = place - base[j]
            share[j, 0] = (t - 1) * (t - 2) * (t - 3) / -6
            share[j, 1] = t * (t - 2) * (t - 3) / 2
            share[j, 2] = t * (t - 1) * (t - 3) / -2
            share[j, 3] = t * (t - 1) * (t - 2) / 6
        for a in range(count[0]):
            for b in range(count[1]):
                part = weights[p] * share[0, a] * share[1, b]
                for c in range(count[2]):
                    values[base[0] + a, base[1] + b, base[2] + c] += part * share[2, c]


@kernel()
def lattice_sum(lattice: Lattice, radius: float, center: Floats, total: Floats) -> None:
    """Write the Gaussian sums of k * weight * point (d numbers) and of k * weight to `total`."""
    d = center.size
    values, origin, step = lattice.values, lattice.origin, lattice.step
    reach = lattice.reach * radius
    most = int(2 * reach / step) + 3
    low = np.zeros(3, np.int64)
    size = np.ones(3, np.int64)
    k = np.ones((3, most))
    moved = np.zeros((3, most))
    bits = np.empty(most, np.int64)
    total[:] = 0.0
    for j in range(d):
        first = max(np.ceil((center[j] - reach - origin[j]) / step), 0.0)
        last = min(np.floor((center[j] + reach - origin[j]) / step), values.shape[j] - 1.0)
        if first > last:
            return
        low[j] = int(first)
        size[j] = int(last) - low[j] + 1
        for i in range(size[j]):
            moved[j, i] = origin[j] + (low[j] + i) * step - center[j]
            k[j, i] = moved[j, i] ** 2
        exponentials(k[j, : size[j]], 1 / (2 * radius * radius), bits)
        for i in range(size[j]):
            moved[j, i] *= k[j, i]
    mass, x, y, z = 0.0, 0.0, 0.0, 0.0
    if d == 1:
        mass, x = _row(values[low[0] : low[0] + size[0], 0, 0], k[0], moved[0])
    elif d == 2:
        for a in range(size[0]):
            row = values[low[0] + a, low[1] : low[1] + size[1], 0]
            m, along = _row(row, k[1], moved[1])
            mass += k[0, a] * m
            x += moved[0, a] * m
            y += k[0, a] * along
    else:
        for a in range(size[0]):
            plane, tilt, turn = 0.0, 0.0, 0.0
            for b in range(size[1]):
                row = values[low[0] + a, low[1] + b, low[2] : low[2] + size[2]]
                m, along = _row(row, k[2], moved[2])
                plane += k[1, b] * m
                tilt += moved[1, b] * m
                turn += k[1, b] * along
            mass += k[0, a] * plane
            x += moved[0, a] * plane
            y += k[0, a] * tilt
            z += k[0, a] * turn
    if mass <= 0:
        return
    total[d] = mass
    total[0] = x + mass * center[0]
    if d > 1:
        total[1] = y + mass * center[1]
    if d > 2:
        total[2] = z + mass * center[2]


@kernel(fastmath=SUMS)
def _row(values: Floats, k: Floats, moved: Floats) -> tuple[float, float]:
    mass, along = 0.0, 0.0
    for i in range(values.size):
        mass += values[i] * k[i]
        along += values[i] * moved[i]
    return mass, along
