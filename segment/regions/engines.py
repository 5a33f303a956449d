"""From planes to modes: the exact engine, and the fast one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segment.errors import InputError
from segment.kernels.arrays import Float32Array, Int32Array
from segment.kernels.regions import exact, fast, window
from segment.params import KERNELS, MeanShiftParams
from segment.regions.checks import Pixels
from segment.regions.features import feature_planes
from segment.regions.fields import (
    MAX_TRAVEL,
    Field,
    Shortened,
    field_for,
    pad_weights,
    padding,
    reach,
    tiling,
)
from segment.threads import chunks, run

ROWS_OF_JOB = 8
MOST_PIXELS = 2**31 - 1  # owners are 32-bit numbers

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
        return pixels.part((slice(self.top, self.bottom), slice(self.left, self.right)))


def find_modes(
    pixels: Pixels,
    params: MeanShiftParams,
    weights: Float32Array | None,
    n_threads: int,
    part: Window | None = None,
) -> Modes:
    """Climb to their modes from every pixel, or those of a window, with the engine of `params`.

    Where all climb, what lies beyond the box of the mask is as good as not there.

    Raises
    ------
    InputError
        If there are more pixels than 32 bits can number.
    """
    height, width = pixels.values.shape[:2]
    if part is None and not pixels.is_tight:
        box = pixels.box
        own = None if weights is None else np.ascontiguousarray(weights[box])
        found = find_modes(pixels.part(box), params, own, n_threads)
        return _placed(found, box, (height, width))
    part = Window(0, height, 0, width) if part is None else part
    n = part.shape[0] * part.shape[1]
    if n > MOST_PIXELS:
        raise InputError(
            f"the image has {n:,} pixels and at most {MOST_PIXELS:,} can climb at once; "
            "segment.scene takes larger ones, in tiles"
        )
    return ENGINES[params.engine](pixels.compared(), params, weights, n_threads, part)


def _placed(modes: Modes, box: tuple[slice, slice], shape: tuple[int, int]) -> Modes:
    """Return the modes of a box of an image as those of the image."""
    owner = np.full(shape, -1, np.int32)
    owner[box] = modes.owner
    modes.table[:, :2] += np.array([box[0].start, box[1].start], np.float32)
    return Modes(owner, modes.table)


def _find_exact(
    pixels: Pixels,
    params: MeanShiftParams,
    weights: Float32Array | None,
    n_threads: int,
    part: Window,
) -> Modes:
    """Climb from every pixel on its own."""
    kind = KERNELS.index(params.kernel)
    extent, pad = padding(pixels, params)
    planes = feature_planes(
        pixels, params.color_space, pad=pad, pad_right=window.LANES, n_threads=n_threads
    )
    n_bands, (height, width) = len(planes), part.shape
    padded_weights = pad_weights(weights, pad, planes.shape[1:])
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


def squares(top: int, bottom: int, left: int, right: int, side: int) -> list[tuple[int, int]]:
    """Return row and column of the squares that a part is cut into."""
    return [(y, x) for y in range(top, bottom, side) for x in range(left, right, side)]


def _stops_and_limits(params: MeanShiftParams, unit: float) -> tuple[fast.Stops, fast.Limits]:
    """Return the constants of trajectories, for planes with so many units in one of features."""
    stops = fast.Stops(
        params.max_iter,
        np.float32(params.tol**2),
        np.float32(unit**-2),
        np.float32(MAX_TRAVEL * params.spatial_bandwidth),
    )
    limits = fast.Limits(
        np.float32((SPACE_SHARE / params.spatial_bandwidth) ** 2),
        np.float32((params.radius * unit) ** -2),
        np.float32(JOIN_RADIUS**2),
        np.float32(CLAIM_RADIUS**2),
        np.float32(SMOOTH_RADIUS**2),
    )
    return stops, limits


def _find_fast(
    pixels: Pixels,
    params: MeanShiftParams,
    weights: Float32Array | None,
    n_threads: int,
    part: Window,
) -> Modes:
    """Climb from the cells of small blocks, with a shared memory of trajectories in each tile."""
    height, width = part.shape
    field = field_for(pixels, params, weights, n_threads)
    owner = np.empty((height, width), np.int32)
    block, side = tiling(params)

    def shift(near: Field, top: int, left: int) -> Float32Array:
        into = owner[top : top + side, left : left + side]
        own = np.empty(into.shape, np.int32)  # contiguous, or the kernel would compile twice
        tile = near.tile(part.top + top, part.left + left, *into.shape)
        stops, limits = _stops_and_limits(params, tile.unit)
        trails = fast.make_trails(tile.features.shape, block)
        n_modes = fast.shift_tile(
            tile.features,
            tile.wide,
            tile.short,
            tile.band_tuple,
            tile.corner,
            stops,
            limits,
            block,
            np.float32((CELL_RADIUS * params.radius * tile.unit) ** 2),
            trails,
            own,
        )
        table = trails.ends[:n_modes].copy()
        table[:, :2] += np.array([part.top + top, part.left + left], np.float32)
        table[:, 2:] = tile.absolute(table[:, 2:])
        into[:] = own
        return table

    def shift_group(group: tuple[int, int]) -> list[Float32Array]:
        top, left = group
        place = part.top + top, part.left + left, min(grid, height - top), min(grid, width - left)
        near = field.around(*place) if isinstance(field, Shortened) else field
        return [shift(near, *corner) for corner in tiles_of(group)]

    def tiles_of(group: tuple[int, int]) -> list[tuple[int, int]]:
        top, left = group
        return squares(top, min(top + grid, height), left, min(left + grid, width), side)

    grid = reach(params)[1]
    groups = squares(0, height, 0, width, grid)
    tables = [table for tables in run(shift_group, groups, n_threads) for table in tables]
    corners = [corner for group in groups for corner in tiles_of(group)]
    first = np.cumsum([0, *map(len, tables)])

    def number(k: int) -> None:
        fast.add_offset(owner, *corners[k], side, int(first[k]))

    run(number, range(len(corners)), n_threads)
    table = np.concatenate(tables)
    table[:, :2] -= np.array([part.top, part.left], np.float32)
    return Modes(owner, table)


Engine = Callable[[Pixels, MeanShiftParams, Float32Array | None, int, Window], Modes]
ENGINES: dict[str, Engine] = {"fast": _find_fast, "exact": _find_exact}
