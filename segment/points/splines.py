"""Building the surfaces of `segment.kernels.points.spline`: log densities on tiles of a grid."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segment.threads import chunks, run

if TYPE_CHECKING:
    from segment.kernels.points.spline import Surface

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

# Cells along a tile in 1, 2 and 3 dimensions.
CELLS = (128, 32, 12)
# Grid lines per bandwidth: the finer ones if they take at most so many bytes a point.
LINES = (8, 4)
FINE_BYTES = 32
# Points that make a tile worth its while, and share of all points that must lie in such tiles.
FEWEST = 8
SHARE = 0.5
# Beyond so many bandwidths the kernel is left off: 1e-13 of its peak.
REACH = 7.75
# Error of a step, in bandwidths, from which on it is left to sums over the points; it is estimated
# from fourth differences, which see a third of it between heavy places 7 bandwidths apart.
ERROR = 5e-3
# Tiles handled at a time.
CHUNK = 256


def build_surface(
    points: Floats, weights: Floats, bandwidth: float, n_threads: int
) -> Surface | None:
    """Return log f over weighted `points` (n, d), d from 1 to 3; None if they lie too far apart.

    Points are spread over a grid with the weights of cubic B-splines; the grid is convolved
    axis by axis, tile by tile, with what interpolates the Gaussian from these.
    """
    for lines in LINES:
        tiles = _cut(points, bandwidth / lines, math.ceil(REACH * lines))
        if tiles and len(tiles.wanted) * tiles.nodes * 4 <= FINE_BYTES * len(points):
            break
    return None if tiles is None else _fill(tiles, weights, lines, n_threads)


@dataclass(frozen=True)
class _Tiles:
    """Where the points lie on the grid, and which tiles are wanted."""

    place: Floats  # (n, d) in steps from the origin of the tile with all indices 0
    key: Ints  # (n,) tile of each point
    wanted: Ints  # keys of the tiles to fill, ascending
    strides: Ints  # (d,)
    extent: Ints  # (d,)
    origin: Floats  # (d,)
    step: float
    cells: int
    margin: int  # tiles that the kernel reaches beyond one

    @property
    def nodes(self) -> int:
        return int((self.cells + 3) ** len(self.extent))


def _cut(points: Floats, step: float, reach: int) -> _Tiles | None:
    """Lay tiles over `points`; None if few lie in tiles that are worth their while."""
    d = points.shape[1]
    cells = CELLS[d - 1]
    margin = math.ceil(reach / cells)
    origin = points.min(axis=0) - margin * cells * step
    with np.errstate(over="ignore"):
        place = (points - origin) / step
    if place.max() > 2**40:
        return None
    index = place.astype(np.int64) // cells
    extent = index.max(axis=0) + margin + 1
    if math.prod(extent.tolist()) > 2**62:
        return None
    strides = np.ones(d, np.int64)
    for j in range(d - 2, -1, -1):
        strides[j] = strides[j + 1] * extent[j + 1]
    key = index @ strides
    keys, count = np.unique(key, return_counts=True)
    crowded = count >= FEWEST
    if count[crowded].sum() < SHARE * len(points):
        return None
    return _Tiles(place, key, keys[crowded], strides, extent, origin, step, cells, margin)


def _fill(tiles: _Tiles, weights: Floats, lines: int, n_threads: int) -> Surface:
    from segment.kernels.points.spline import Surface, spread

    d = len(tiles.extent)
    cells, strides, wanted = tiles.cells, tiles.strides.tolist(), tiles.wanted
    kernels = _kernels(cells, lines)
    # From the last axis to the first; `needed` is where the passes still to come will look.
    needed = [wanted]
    for stride in strides:
        needed.append(_around(needed[-1], stride, tiles.margin))
    near = np.isin(tiles.key, needed[-1])
    keys, tile = np.unique(tiles.key[near], return_inverse=True)
    # Many small weights add up in doubles only; from there on singles do, for weights of about 1.
    unit = float(weights.max())
    whole = np.zeros((len(keys), *((1,) * (3 - d)), *((cells + 3,) * d)))
    spread(weights[near] / unit, tile, tiles.place[near], cells, whole)
    values = whole.astype(np.float32)
    del whole
    for j in range(d - 1, 0, -1):
        there = np.intersect1d(_around(keys, strides[j], tiles.margin), needed[j])
        shape = list(values.shape)
        shape[0], shape[3 - d + j + 1] = len(there), cells + 5
        sums = np.empty(shape, np.float32)
        convolve = partial(_convolve, values, keys, kernels, strides[j], 3 - d + j)
        _fill_in_bands(sums, convolve, there, n_threads)
        values, keys = sums, there
    coefficients = np.empty((len(wanted), *((1,) * (3 - d)), *((cells + 3,) * d)), np.float32)
    convolve = partial(_convolve, values, keys, kernels, strides[0], 3 - d)
    _fill_in_bands(
        coefficients, lambda some: _coefficients(convolve(some), d, lines), wanted, n_threads
    )
    coefficients += np.float32(math.log(unit))
    return Surface(
        coefficients, wanted, tiles.strides, tiles.extent, tiles.origin, tiles.step, cells
    )


def _kernels(cells: int, lines: int) -> list[Singles]:
    """Return the matrices from the nodes of a tile to those of its neighbours along an axis.

    A tile holds the nodes 0 to cells + 2 of what was spread; one node more on each side is wanted.
    """
    from scipy.linalg import solveh_banded

    reach = math.ceil(REACH * lines)
    nodes = np.arange(-reach - 12, reach + 13)
    samples = np.exp(-((nodes / lines) ** 2) / 2)
    # The coefficients of the cubic spline through the samples.
    banded = np.stack((np.full(len(nodes), 1 / 6), np.full(len(nodes), 2 / 3)))
    taps = solveh_banded(banded, samples)
    taps[np.abs(nodes) > reach] = 0
    most = math.ceil(reach / cells)
    source = np.arange(cells + 3)
    target = np.arange(-1, cells + 4)
    matrices = []
    for offset in range(-most, most + 1):
        away = offset * cells + source[None, :] - target[:, None]
        inside = np.abs(away) <= reach
        matrices.append(np.where(inside, taps[np.where(inside, away, 0) + reach + 12], 0))
    return [np.ascontiguousarray(matrix, np.float32) for matrix in matrices]


def _around(keys: Ints, stride: int, margin: int) -> Ints:
    """Return the keys of all tiles up to `margin` tiles away along one axis, ascending."""
    return np.unique(keys[:, None] + stride * np.arange(-margin, margin + 1))


def _fill_in_bands(
    out: Singles, function: Callable[[Ints], Singles], keys: Ints, n_threads: int
) -> None:
    """Write what `function` makes of `keys` to `out`, a chunk at a time: all at once needs room."""

    def one(chunk: tuple[int, int]) -> None:
        out[slice(*chunk)] = function(keys[slice(*chunk)])

    run(one, chunks(len(keys), CHUNK), n_threads)


def _convolve(
    values: Singles, keys: Ints, kernels: list[Singles], stride: int, axis: int, wanted: Ints
) -> Singles:
    """Convolve the tiles `values` (m, n0, n1, n2) along `axis`; return the tiles `wanted`."""
    shape = list(values.shape)
    shape[0], shape[axis + 1] = len(wanted), len(kernels[0])
    out = np.zeros(shape, np.float32)
    for offset, matrix in enumerate(kernels, -(len(kernels) // 2)):
        at = np.searchsorted(keys, wanted + offset * stride)
        at[at == len(keys)] = 0
        hit = keys[at] == wanted + offset * stride
        if not hit.any():
            continue
        tiles = values[at[hit]]
        if axis == 2:
            out[hit] += tiles @ matrix.T
        elif axis == 1:
            out[hit] += matrix @ tiles
        else:
            flat = tiles.reshape(len(tiles), tiles.shape[1], -1)
            out[hit] += (matrix @ flat).reshape(len(tiles), *shape[1:])
    return out


def _coefficients(sums: Singles, d: int, lines: int) -> Singles:
    """Return spline coefficients for the logarithm of `sums`, NaN where they would be too far off.

    Each is derived from 3 nodes along each axis (a quasi-interpolant); the gradient of the spline
    is then off by about sqrt(3) / 216 of the fourth difference over the step.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(sums)
        rough = np.zeros(values.shape, bool)
        for axis in range(4 - d, 4):
            bend = np.abs(np.diff(values, 4, axis=axis)) * (math.sqrt(3) / 216 * lines)
            pad = [(0, 0)] * 4
            pad[axis] = (2, 2)
            rough |= np.pad(~(bend <= ERROR / 3), pad, mode="edge")
        values[rough] = np.nan
        for axis in range(4 - d, 4):
            along = np.moveaxis(values, axis, 0)
            values = np.moveaxis((8 * along[1:-1] - along[:-2] - along[2:]) / 6, 0, axis)
    return np.ascontiguousarray(values, np.float32)
