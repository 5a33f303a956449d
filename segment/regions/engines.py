"""From planes to modes: the exact engine, and the fast one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from segment.kernels.arrays import Float32Array, Int32Array
from segment.kernels.regions import exact, fast, window, window16
from segment.params import KERNELS, MeanShiftParams
from segment.regions.checks import Pixels
from segment.regions.features import color_range, color_units, feature_planes, short_planes
from segment.threads import chunks, run

ROWS_OF_JOB = 8

# The fast engine. A cell holds the colours of a block within 0.4 range bandwidths. A trajectory
# takes the mode of a cell that it meets within 0.4 bandwidths, claims free ones within 0.25, and
# ends when it has gone as far as eight spatial bandwidths. Distances in space count half. On slopes
# less than 0.3 range bandwidths steep, borders between modes are drawn pixel by pixel.
#
# The trade-off, over 50 photographs at (7, 6.5), (16, 8) and (32, 12): share of pixels within three
# colour units of the exact engine's, median, and time of the whole, in proportion.
#   cell, join, claim   share            time
#   0.5,  0.4,  0.35    .942 .956 .951   0.92 0.85 0.87
#   0.4,  0.4,  0.35    .946 .956 .951   0.91 0.90 0.89
#   0.4,  0.4,  0.25    .951 .959 .955   1    1    1
#   0.35, 0.35, 0.25    .956 .964 .955   1.08 1.08 1.08
CELL_RADIUS = 0.4
JOIN_RADIUS = 0.4
CLAIM_RADIUS = 0.25
SMOOTH_RADIUS = 0.3
SPACE_SHARE = 0.5
MAX_TRAVEL = 8.0
BLOCK_OF_BANDWIDTH = 0.22
LARGEST_BLOCK = 32
TILE_OF_BANDWIDTH = 16


@dataclass(frozen=True, slots=True)
class Modes:
    """Where the pixels of an image climbed to.

    Attributes
    ----------
    owner : ndarray, shape (H, W), int32
        Row of `table` of each pixel; -1 where masked.
    table : ndarray, shape (n, 2 + C), float32
        Row, column and features of each mode.
    """

    owner: Int32Array
    table: Float32Array

    def planes(self) -> Float32Array:
        """Return the features of each pixel's mode, float32 (C, H, W); 0 where masked."""
        padded = np.pad(self.table[:, 2:].T, ((0, 0), (0, 1)))  # -1 is the last column
        out = np.empty((len(padded), *self.owner.shape), np.float32)
        for band, values in zip(out, padded, strict=True):
            np.take(values, self.owner, out=band, mode="wrap")
        return out


class Window(NamedTuple):
    """The pixels that climb: first row, one past the last, first column, one past the last."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def of(self, pixels: Pixels) -> Pixels:
        """Return the part of an image that it holds."""
        part = slice(self.top, self.bottom), slice(self.left, self.right)
        mask = None if pixels.mask is None else pixels.mask[part]
        return replace(pixels, values=pixels.values[part], mask=mask)


def find_modes(
    pixels: Pixels,
    params: MeanShiftParams,
    weights: Float32Array | None,
    n_threads: int,
    part: Window | None = None,
) -> Modes:
    """Climb to their modes from every pixel, or those of a window, with the engine of `params`."""
    height, width = pixels.values.shape[:2]
    part = Window(0, height, 0, width) if part is None else part
    return ENGINES[params.engine](pixels.compared(), params, weights, n_threads, part)


def reach(params: MeanShiftParams) -> tuple[int, int]:
    """Return how far, in pixels, a window's modes depend on others, and the grid of the engine.

    Returns
    -------
    margin : int
        How far around a window pixels are needed for `climb_window`.
    grid : int
        The rows and columns in the whole image on which windows begin and end are multiples of
        this, but for the ends of the image.
    """
    kind = KERNELS.index(params.kernel)
    window_reach = window.window_reach(kind, params.spatial_bandwidth) + 1
    if params.engine == "exact":
        return params.max_iter * window_reach, 1
    travel = int(np.ceil(MAX_TRAVEL * params.spatial_bandwidth))
    return travel + 2 * window_reach, _tiling(params)[1]


def _tiling(params: MeanShiftParams) -> tuple[int, int]:
    """Return the sides of the blocks and of the tiles of the fast engine, in pixels."""
    bandwidth = params.spatial_bandwidth
    smallest = min(4, int(np.ceil(bandwidth / 2)))
    block = int(np.clip(round(BLOCK_OF_BANDWIDTH * bandwidth), smallest, LARGEST_BLOCK))
    tile = round(TILE_OF_BANDWIDTH * bandwidth / block) * block
    return block, int(np.clip(tile, 16 * block, 96 * block))


def _padding(pixels: Pixels, params: MeanShiftParams) -> tuple[int, int]:
    """Return a distance that no two pixels are apart, and the padding that the windows need."""
    extent = sum(pixels.values.shape[:2])
    kind = KERNELS.index(params.kernel)
    return extent, window.window_reach(kind, params.spatial_bandwidth, extent) + 1


def _pad_weights(
    weights: Float32Array | None, pad: int, shape: tuple[int, ...]
) -> Float32Array | None:
    """Return the weights in the layout of one plane of the features."""
    if weights is None:
        return None
    padded = np.zeros(shape, np.float32)
    padded[pad : pad + weights.shape[0], pad : pad + weights.shape[1]] = weights
    return padded


def _find_exact(
    pixels: Pixels,
    params: MeanShiftParams,
    weights: Float32Array | None,
    n_threads: int,
    part: Window,
) -> Modes:
    """Climb from every pixel on its own."""
    kind = KERNELS.index(params.kernel)
    extent, pad = _padding(pixels, params)
    planes = feature_planes(
        pixels, params.color_space, pad=pad, pad_right=window.LANES, n_threads=n_threads
    )
    n_bands, (height, width) = len(planes), part.shape
    padded_weights = _pad_weights(weights, pad, planes.shape[1:])
    table = np.zeros((height, width, 2 + n_bands), np.float32)

    def climb(rows: tuple[int, int]) -> None:
        exact.climb_rows(
            kind,
            planes,
            padded_weights,
            window.band_tuple_of(n_bands),
            window.window_shape(kind, params.spatial_bandwidth, params.radius, extent),
            params.max_iter,
            np.float32(params.tol**2),
            (pad + part.top, pad + part.left),
            *rows,
            table,
        )

    run(climb, chunks(height, ROWS_OF_JOB), n_threads)
    owner = np.arange(height * width, dtype=np.int32).reshape(height, width)
    mask = part.of(pixels).mask
    if mask is not None:
        owner[~mask] = -1
    return Modes(owner, table.reshape(height * width, 2 + n_bands))


def _short_scale(pixels: Pixels, params: MeanShiftParams, weights: Float32Array | None) -> float:
    """Return the scale of 16-bit planes, or 0 where float32 planes are needed, or quicker."""
    if (
        params.kernel != "flat"
        or weights is not None
        or params.color_space == "none"
        or params.spatial_bandwidth * 2 <= window.LANES
        or params.spatial_bandwidth >= window16.MAX_BANDWIDTH
    ):
        return 0.0
    spans = color_range(params.color_space, pixels.values.shape[2])[1]
    return window16.window_scale16(params.spatial_bandwidth, params.radius, max(spans), spans[0])


class _Field(NamedTuple):
    """The planes that the fast engine climbs on, in one of two forms, and their units."""

    wide: fast.Field | None
    short: fast.ShortField | None
    pad: int
    unit: float  # of the planes, in one unit of the features

    def tile(self, top: int, left: int, height: int, width: int) -> Float32Array:
        """Return the features of a tile, infinite where masked."""
        pad = self.pad
        inside = np.s_[:, pad + top : pad + top + height, pad + left : pad + left + width]
        if self.wide is not None:
            return self.wide.planes[inside].copy()
        assert self.short is not None
        features = self.short.planes[inside].astype(np.float32)
        features[:, features[0] == window16.MISSING] = np.inf
        return features


def _fast_field(
    pixels: Pixels, params: MeanShiftParams, weights: Float32Array | None, n_threads: int
) -> _Field:
    kind = KERNELS.index(params.kernel)
    extent, pad = _padding(pixels, params)
    space, threads = params.color_space, n_threads
    scale = _short_scale(pixels, params, weights)
    if scale:
        n_bands, bandwidth = pixels.values.shape[2], min(params.spatial_bandwidth, extent)
        discs = window16.make_discs(bandwidth, params.radius, scale, n_bands)
        short = short_planes(
            pixels, space, scale, pad=pad, pad_right=window16.LANES16, n_threads=threads
        )
        return _Field(None, fast.ShortField(short, discs), pad, scale)
    planes = feature_planes(pixels, space, pad=pad, pad_right=window.LANES, n_threads=threads)
    padded_weights = _pad_weights(weights, pad, planes.shape[1:])
    radius = window.window_shape(kind, params.spatial_bandwidth, params.radius, extent)
    return _Field(fast.Field(kind, planes, padded_weights, radius), None, pad, 1.0)


def _find_fast(
    pixels: Pixels,
    params: MeanShiftParams,
    weights: Float32Array | None,
    n_threads: int,
    part: Window,
) -> Modes:
    """Climb from the cells of small blocks, with a shared memory of trajectories in each tile."""
    n_bands, (height, width) = pixels.values.shape[2], part.shape
    field = _fast_field(pixels, params, weights, n_threads)
    range_bandwidth = params.radius * field.unit
    stops = fast.Stops(
        params.max_iter,
        np.float32(params.tol**2),
        np.float32(field.unit**-2),
        np.float32(MAX_TRAVEL * params.spatial_bandwidth),
    )
    limits = fast.Limits(
        np.float32((SPACE_SHARE / params.spatial_bandwidth) ** 2),
        np.float32(range_bandwidth**-2),
        np.float32(JOIN_RADIUS**2),
        np.float32(CLAIM_RADIUS**2),
        np.float32(SMOOTH_RADIUS**2),
    )
    split2 = np.float32((CELL_RADIUS * range_bandwidth) ** 2)
    owner = np.empty((height, width), np.int32)
    block, side = _tiling(params)

    def shift(corner: tuple[int, int]) -> Float32Array:
        top, left = part.top + corner[0], part.left + corner[1]
        place = owner[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
        own = np.empty(place.shape, np.int32)  # contiguous, or the kernel would compile twice
        features = field.tile(top, left, *place.shape)
        trails = fast.make_trails(features.shape, block)
        n_modes = fast.shift_tile(
            features,
            field.wide,
            field.short,
            window.band_tuple_of(n_bands),
            (field.pad + top, field.pad + left),
            stops,
            limits,
            block,
            split2,
            trails,
            own,
        )
        table = trails.ends[:n_modes].copy()
        table[:, :2] += np.array([top, left], np.float32)
        place[:] = own
        return table

    corners = [(top, left) for top in range(0, height, side) for left in range(0, width, side)]
    tables = run(shift, corners, n_threads)
    first = np.cumsum([0, *map(len, tables)])

    def number(k: int) -> None:
        fast.add_offset(owner, *corners[k], side, int(first[k]))

    run(number, range(len(corners)), n_threads)
    table = np.concatenate(tables)
    table[:, :2] -= np.array([part.top, part.left], np.float32)
    if field.short is not None:
        table[:, 2:] = color_units(table[:, 2:], params.color_space, field.unit)
    return Modes(owner, table)


Engine = Callable[[Pixels, MeanShiftParams, Float32Array | None, int, Window], Modes]
ENGINES: dict[str, Engine] = {"fast": _find_fast, "exact": _find_exact}
