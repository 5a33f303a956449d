"""Mean shift from start cells that share a memory of trajectories: the fast engine.

A tile of the image is cut into small blocks, the colours of each block into cells (leader
clustering), and one trajectory starts from the mean of each cell. Its windows hold the pixels
themselves, so a mode is as exact as a pixel's own; what is saved is trajectories, and steps. A
trajectory claims the free cells that it passes, and ends where it meets a cell whose mode is
known, which it takes. The largest cells go first: they lie in the flat parts, whose modes are sure.
Memory ends at the tile, so a result depends on nothing but the pixels within reach
(`segment.regions.fields.reach`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segment.kernels.arrays import Float32Array, Int16Array, Int32Array
from segment.kernels.jit import kernel
from segment.kernels.regions.cells import MAX_CELLS, cluster_tile, largest_first, meet_cells
from segment.kernels.regions.exact import absolute
from segment.kernels.regions.window import LANES, BandTuple, Radius, count_bands, window_sums
from segment.kernels.regions.window16 import Discs, window_sums16


class Field(NamedTuple):
    """What windows look at, as in `window_sums`."""

    kind: int
    planes: Float32Array  # (C, PH, PW) padded features
    weights: Float32Array | None  # (PH, PW)
    radius: Radius


class ShortField(NamedTuple):
    """What flat windows look at, as in `window_sums16`."""

    planes: Int16Array  # (C, PH, PW) padded features
    discs: Discs


class Stops(NamedTuple):
    """Where a trajectory ends, at the latest."""

    max_iter: int
    tol2: np.float32  # squared length of a last step
    per_unit2: np.float32  # turns squared colour of the planes into that of a step
    max_travel: np.float32  # rows or columns from the start


class Limits(NamedTuple):
    """What is alike: ``colour² * per_r2 + distance² * per_s2`` is below one of the last three."""

    per_s2: np.float32
    per_r2: np.float32
    join2: np.float32  # a cell whose mode a trajectory takes
    claim2: np.float32  # a cell that it claims
    smooth2: np.float32  # neighbours on a slope, by colour alone


class Trails(NamedTuple):
    """Room for the cells of a tile of h * w pixels, and for trajectories from them."""

    cells: Float32Array  # (3 + C, h * w + MAX_CELLS) as from `cluster_tile`
    cell_of: Int32Array  # (h, w) cell of each pixel
    first: Int32Array  # (n_blocks + 1,) first cell of each block
    order: Int32Array  # (h * w,) cells, the largest first
    start: Int32Array  # (block * block + 1,)
    owned: Int32Array  # (h * w + MAX_CELLS,) trajectory that owns each cell, -1 where free
    link: Int32Array  # (h * w,) trajectory whose mode a trajectory takes
    ends: Float32Array  # (h * w, 2 + C) row, column and features where a trajectory ended
    leaders: Float32Array  # (C, MAX_CELLS)
    center: Float32Array  # (C,)
    anchor: Int16Array  # (C,) the centre, rounded
    sums: Float32Array  # (3 + C, LANES)


def make_trails(shape: tuple[int, int, int], block: int) -> Trails:
    """Return room for a tile of shape (C, h, w) in blocks."""
    n_bands, height, width = shape
    n, n_blocks = height * width, -(-height // block) * -(-width // block)
    return Trails(
        cells=np.empty((3 + n_bands, n + MAX_CELLS), np.float32),
        cell_of=np.empty((height, width), np.int32),
        first=np.empty(n_blocks + 1, np.int32),
        order=np.empty(n, np.int32),
        start=np.empty(block * block + 1, np.int32),
        owned=np.empty(n + MAX_CELLS, np.int32),
        link=np.empty(n, np.int32),
        ends=np.empty((n, 2 + n_bands), np.float32),
        leaders=np.empty((n_bands, MAX_CELLS), np.float32),
        center=np.empty(n_bands, np.float32),
        anchor=np.empty(n_bands, np.int16),
        sums=np.empty((3 + n_bands, LANES), np.float32),
    )


@kernel(bare=True)
def add_offset(owner: Int32Array, top: int, left: int, side: int, offset: int) -> None:
    """Add `offset` to the owners, but for -1, of the tile at (`top`, `left`)."""
    for i in range(top, min(top + side, owner.shape[0])):
        for j in range(left, min(left + side, owner.shape[1])):
            if owner[i, j] >= 0:
                owner[i, j] += offset


@kernel(inline="always")
def _distance_to_mode(
    features: Float32Array, band_tuple: BandTuple, i: int, j: int, modes: Float32Array, mode: int,
    limits: Limits,
) -> np.float32:  # fmt: skip
    """Squared distance of a pixel from a mode, both scales taken off."""
    color = np.float32(0)
    for band in range(count_bands(band_tuple, features)):
        d = features[band, i, j] - modes[mode, 2 + band]
        color += d * d
    dy, dx = np.float32(i) - modes[mode, 0], np.float32(j) - modes[mode, 1]
    return color * limits.per_r2 + (dy * dy + dx * dx) * limits.per_s2


@kernel(inline="always")
def _may_change(
    features: Float32Array, band_tuple: BandTuple, i: int, j: int, own: int, y: int, x: int,
    other: int, modes: Float32Array, range2: np.float32, smooth2: np.float32,
) -> bool:  # fmt: skip
    """Whether pixel (i, j) of mode `own` may get mode `other` of pixel (y, x)."""
    steep = np.float32(0)
    for band in range(count_bands(band_tuple, features)):
        d = features[band, i, j] - features[band, y, x]
        steep += d * d
    if steep > smooth2:
        return False
    apart = np.float32(0)
    for band in range(count_bands(band_tuple, features)):
        d = modes[own, 2 + band] - modes[other, 2 + band]
        apart += d * d
    return bool(apart <= range2)


@kernel(bare=True)
def smooth_borders(
    owner: Int32Array, modes: Float32Array, features: Float32Array, band_tuple: BandTuple,
    block: int, limits: Limits, out: Int32Array,
) -> None:  # fmt: skip
    """Give pixels near the sides of their block the nearest mode of the blocks beside it.

    On a slope of colour a border between two modes would follow the sides of blocks. There, a pixel
    takes the nearest of its own mode and those of the first pixels beyond the four sides of its
    block, in its row and column, which are nearly of its own colour (`smooth2`) and whose modes are
    within a range bandwidth of its own.

    Parameters
    ----------
    owner, out : ndarray, shape (h, w), int32
        Row of `modes` of each pixel, -1 where masked, before and after.
    modes : ndarray, shape (n, 2 + C), float32
        Row and column in the tile, features.
    features : ndarray, shape (C, h, w), float32
        The tile.
    band_tuple, block, limits
        As in `shift_tile`.
    """
    height, width = owner.shape
    range2 = np.float32(1) / limits.per_r2
    smooth2 = limits.smooth2 * range2
    for i in range(height):
        top = i // block * block
        above = top - 1 if top > 0 else i
        below = top + block if top + block < height else i
        for left in range(0, width, block):
            right = min(left + block, width)
            for j in range(left, right):
                before = left - 1 if left > 0 else j
                after = right if right < width else j
                own = owner[i, j]
                out[i, j] = own
                if own < 0:
                    continue
                nearest = np.float32(-1)
                for side in range(4):
                    if side < 2:
                        y, x = above if side == 0 else below, j
                    else:
                        y, x = i, before if side == 2 else after
                    other = owner[y, x]
                    if (
                        other == own
                        or other < 0
                        or not _may_change(
                            features, band_tuple, i, j, own, y, x, other, modes, range2, smooth2
                        )
                    ):
                        continue
                    if nearest < 0:
                        nearest = _distance_to_mode(features, band_tuple, i, j, modes, own, limits)
                    distance = _distance_to_mode(features, band_tuple, i, j, modes, other, limits)
                    if distance < nearest:
                        nearest = distance
                        out[i, j] = other


@kernel(inline="always")
def _step(
    field: Field | None, short: ShortField | None, band_tuple: BandTuple, row: int, column: int,
    dy: np.float32, dx: np.float32, per_unit2: np.float32, trails: Trails,
) -> tuple[np.float32, np.float32, np.float32]:  # fmt: skip
    """Move the centre's colour to the window's mean; return the step in rows and columns.

    The third number is its squared length, -1 if the window is empty.
    """
    center, anchor, sums = trails.center, trails.anchor, trails.sums
    if field is not None:
        window_sums(
            field.kind, field.planes, field.weights, band_tuple, field.radius, row, column, dy, dx,
            center, sums,
        )  # fmt: skip
    elif short is not None:
        for band in range(count_bands(band_tuple, center)):
            anchor[band] = np.int16(np.rint(center[band]))
        found = window_sums16(short.planes, band_tuple, short.discs, row, column, dy, dx, anchor)
        for k in range(len(found)):
            sums[k, 0] = found[k]
    if not sums[0, 0] > np.float32(0):
        return np.float32(0), np.float32(0), np.float32(-1)
    scale = np.float32(1) / sums[0, 0]
    step_y, step_x = sums[1, 0] * scale, sums[2, 0] * scale
    moved = np.float32(0)
    for band in range(count_bands(band_tuple, center)):
        mean = sums[3 + band, 0] * scale
        mean += center[band] if short is None else np.float32(anchor[band])
        moved += (mean - center[band]) * (mean - center[band])
        center[band] = mean
    return step_y, step_x, moved * per_unit2 + step_y * step_y + step_x * step_x


@kernel(inline="always")
def _follow(
    field: Field | None, short: ShortField | None, band_tuple: BandTuple, corner: tuple[int, int],
    stops: Stops, limits: Limits, grid: tuple[int, int, np.float32], trails: Trails, cell: int,
    here: int,
) -> None:  # fmt: skip
    """Let trajectory `here` climb from a cell to a mode, or until it meets what another has found.

    `grid` has the rows and columns of blocks, and the blocks of a pixel.
    """
    cells, owned, center = trails.cells, trails.owned, trails.center
    n_rows, n_columns, per_block = grid
    trails.link[here] = here
    owned[cell] = here
    row = int(cells[1, cell] + np.float32(0.5))
    column = int(cells[2, cell] + np.float32(0.5))
    start_y, start_x = cells[1, cell] - np.float32(row), cells[2, cell] - np.float32(column)
    dy, dx = start_y, start_x
    for band in range(count_bands(band_tuple, center)):
        center[band] = cells[3 + band, cell]
    for _ in range(stops.max_iter):
        step_y, step_x, moved2 = _step(
            field, short, band_tuple, row + corner[0], column + corner[1], dy, dx, stops.per_unit2,
            trails,
        )  # fmt: skip
        dy += step_y
        dx += step_x
        if moved2 < stops.tol2 or max(abs(dy - start_y), abs(dx - start_x)) >= stops.max_travel:
            break
        y, x = np.float32(row) + dy, np.float32(column) + dx
        i = int(np.floor((y + np.float32(0.5)) * per_block))
        j = int(np.floor((x + np.float32(0.5)) * per_block))
        if 0 <= i < n_rows and 0 <= j < n_columns:
            b = i * n_columns + j
            met = meet_cells(
                cells, band_tuple, owned, trails.first[b], trails.first[b + 1], y, x, center,
                limits.per_s2, limits.per_r2, limits.join2, limits.claim2, here,
            )  # fmt: skip
            if met >= 0:
                trails.link[here] = trails.link[owned[met]]
                break
    trails.ends[here, 0] = absolute(row, dy)
    trails.ends[here, 1] = absolute(column, dx)
    for band in range(count_bands(band_tuple, center)):
        trails.ends[here, 2 + band] = center[band]


@kernel(inline="always")
def _number_modes(trails: Trails, n: int, number: Int32Array) -> int:
    """Keep the ends of trajectories that reached a mode of their own; return how many they are.

    `trails.cell_of` receives the rows of the modes in `trails.ends` in place of the cells.
    """
    link, ends, owners = trails.link, trails.ends, trails.cell_of
    kept = 0
    for k in range(n):
        if link[k] == k:
            number[k] = kept
            for column in range(ends.shape[1]):
                ends[kept, column] = ends[k, column]
            kept += 1
        else:
            number[k] = number[link[k]]
    for i in range(owners.shape[0]):
        for j in range(owners.shape[1]):
            if owners[i, j] >= 0:
                owners[i, j] = number[trails.owned[owners[i, j]]]
    return kept


@kernel(bare=True)
def shift_tile(
    features: Float32Array, field: Field | None, short: ShortField | None, band_tuple: BandTuple,
    corner: tuple[int, int], stops: Stops, limits: Limits, block: int, split2: np.float32,
    trails: Trails, owner: Int32Array,
) -> int:  # fmt: skip
    """Find the modes of one tile; return how many they are.

    Parameters
    ----------
    features : ndarray, shape (C, h, w), float32
        The tile; infinite where masked.
    field, short : Field and ShortField
        What to climb on; one of them is None.
    band_tuple : tuple
        `band_tuple_of(C)`.
    corner : tuple of two int
        Row and column of the tile in the padded planes.
    stops, limits : Stops and Limits
        In units of the planes.
    block, split2
        Side of a block and squared radius of its cells in colour.
    trails : Trails
        Room, from `make_trails`. ``trails.ends`` receives row, column (from the corner) and
        features of each mode.
    owner : ndarray, shape (h, w), int32
        Receives the row of ``trails.ends`` of each pixel, -1 where masked.
    """
    height, width = owner.shape
    owned, order = trails.owned, trails.order
    n = cluster_tile(
        features, band_tuple, block, split2, trails.cell_of, trails.leaders, trails.cells,
        trails.first,
    )  # fmt: skip
    for cell in range(n + MAX_CELLS):
        owned[cell] = -1
    largest_first(trails.cells, n, trails.start, order)
    n_rows, n_columns = (height + block - 1) // block, (width + block - 1) // block
    grid = n_rows, n_columns, np.float32(1) / np.float32(block)
    here = 0
    for k in range(n):
        if owned[order[k]] < 0:
            _follow(
                field, short, band_tuple, corner, stops, limits, grid, trails, order[k], here
            )  # fmt: skip
            here += 1
    n_modes = _number_modes(trails, here, order)
    smooth_borders(trails.cell_of, trails.ends, features, band_tuple, block, limits, owner)
    return n_modes
