"""Mean shift from start cells that share a memory of trajectories: the fast engine.

A tile of the image is cut into small blocks, the colours of each block into cells (leader
clustering), and one trajectory starts from the mean of each cell. Its windows hold the pixels
themselves, so a mode is as exact as a pixel's own; what is saved is trajectories, and steps. A
trajectory claims the free cells that it passes, and ends where it meets a cell whose mode is
known, which it takes. The largest cells go first: they lie in the flat parts, whose modes are sure.
Memory ends at the tile, so a result depends on nothing but the pixels within reach
(`segment.regions.climbing.reach`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel
from segment.kernels.regions.cells import MAX_CELLS, cluster_tile, largest_first, meet_cells
from segment.kernels.regions.exact import absolute
from segment.kernels.regions.window import LANES, count_bands, window_sums
from segment.kernels.regions.window16 import MISSING, window_sums16


@kernel()
def add_offset(owner: Any, top: int, left: int, side: int, offset: int) -> None:
    """Add `offset` to the owners, but for -1, of the tile at (`top`, `left`)."""
    for i in range(top, min(top + side, owner.shape[0])):
        for j in range(left, min(left + side, owner.shape[1])):
            if owner[i, j] >= 0:
                owner[i, j] += offset


@kernel(inline="always")
def _distance_to_mode(
    features: Any, band_tuple: Any, i: int, j: int, modes: Any, mode: int, per_s2: Any, per_r2: Any
) -> Any:
    """Squared distance of a pixel from a mode, both scales taken off."""
    color = np.float32(0)
    for band in range(count_bands(band_tuple, features)):
        d = features[band, i, j] - modes[mode, 2 + band]
        color += d * d
    dy, dx = np.float32(i) - modes[mode, 0], np.float32(j) - modes[mode, 1]
    return color * per_r2 + (dy * dy + dx * dx) * per_s2


@kernel(inline="always")
def _may_change(
    features: Any, band_tuple: Any, i: int, j: int, own: int, y: int, x: int, other: int,
    modes: Any, range2: Any, smooth2: Any,
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
    return apart <= range2


@kernel()
def smooth_borders(
    owner: Any, modes: Any, features: Any, band_tuple: Any, block: int, per_s2: Any, per_r2: Any,
    smooth2: Any, out: Any,
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
    band_tuple, block, per_s2, per_r2
        As in `shift_tile`.
    smooth2 : float32
        Squared limit of colour, in squared range bandwidths.
    """
    height, width = owner.shape
    range2 = np.float32(1) / per_r2
    smooth2 = smooth2 * range2
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
                        nearest = _distance_to_mode(
                            features, band_tuple, i, j, modes, own, per_s2, per_r2
                        )
                    distance = _distance_to_mode(
                        features, band_tuple, i, j, modes, other, per_s2, per_r2
                    )
                    if distance < nearest:
                        nearest = distance
                        out[i, j] = other


@kernel()
def shift_tile(
    kind: int, planes: Any, planes16: Any, weights: Any, band_tuple: Any, radius: Any, discs: Any,
    max_iter: int, tol2: Any, max_travel: Any, pad: int, block: int, split2: Any,
    per_s2: Any, per_r2: Any, join2: Any, claim2: Any, smooth2: Any, top: int, left: int,
    owner: Any,
) -> Any:  # fmt: skip
    """Find the modes of one tile.

    Parameters
    ----------
    kind, weights, band_tuple, radius, max_iter
        As in `window_sums`; colours and ranges are in units of the planes.
    planes, planes16 : ndarray, shape (C, PH, PW), float32 and int16
        Padded features. If `planes16` is not empty, it is used, with `discs`; `planes` is then
        empty.
    discs : Discs
        From `make_discs`.
    tol2 : tuple of two float32
        Squared length of a last step; factor that turns squared colour into its unit.
    max_travel : float32
        A trajectory ends when it has gone as far as this from its start in rows or columns.
    pad : int
        Padding of the planes.
    block, split2
        Side of a block and squared radius of its cells in colour.
    per_s2, per_r2, join2, claim2 : float32
        Cells are compared by ``colour² * per_r2 + distance² * per_s2``, against these limits.
    smooth2 : float32
        As in `smooth_borders`, in squared range bandwidths.
    top, left : int
        First pixel of the tile in the image.
    owner : ndarray, shape (h, w), int32
        The tile: receives the row of the table of each pixel, -1 where masked.

    Returns
    -------
    table : ndarray, shape (n, 2 + C), float32
        Row, column and features of each mode.
    """
    short = planes16.size > 0
    n_bands = count_bands(band_tuple, planes16)
    height, width = owner.shape
    features = np.empty((n_bands, height, width), np.float32)
    for band in range(n_bands):
        for i in range(height):
            for j in range(width):
                if short:
                    missing = planes16[0, top + i + pad, left + j + pad] == MISSING
                    value = np.float32(planes16[band, top + i + pad, left + j + pad])
                    features[band, i, j] = np.float32(np.inf) if missing else value
                else:
                    features[band, i, j] = planes[band, top + i + pad, left + j + pad]
    n_columns = (width + block - 1) // block
    n_rows = (height + block - 1) // block
    cells = np.empty((3 + n_bands, height * width + MAX_CELLS), np.float32)
    first = np.empty(n_rows * n_columns + 1, np.int32)
    cell_of = np.empty((height, width), np.int32)
    n = cluster_tile(features, band_tuple, block, split2, cell_of, cells, first)

    owned = np.full(n + MAX_CELLS, -1, np.int32)  # trajectory that owns each cell
    link = np.empty(n, np.int32)  # trajectory whose mode a trajectory takes
    roots = np.empty((n, 2 + n_bands), np.float32)
    center = np.empty(n_bands, np.float32)
    anchor = np.empty(n_bands, np.int16)
    sums = np.empty((3 + n_bands, LANES), np.float32)
    per_block = np.float32(1) / np.float32(block)
    n_roots = 0
    for cell in largest_first(cells[0, :n], block * block):
        if owned[cell] >= 0:
            continue
        here = n_roots
        n_roots += 1
        link[here] = here
        owned[cell] = here
        row = int(cells[1, cell] + np.float32(0.5))
        column = int(cells[2, cell] + np.float32(0.5))
        start_y, start_x = cells[1, cell] - np.float32(row), cells[2, cell] - np.float32(column)
        dy, dx = start_y, start_x
        for band in range(n_bands):
            center[band] = cells[3 + band, cell]
        for _ in range(max_iter):
            if short:
                for band in range(n_bands):
                    anchor[band] = np.int16(np.rint(center[band]))
                found = window_sums16(
                    planes16, band_tuple, discs, top + row + pad, left + column + pad, dy, dx,
                    anchor,
                )  # fmt: skip
                for k in range(len(found)):
                    sums[k, 0] = found[k]
            else:
                window_sums(
                    kind, planes, weights, band_tuple, radius, top + row + pad, left + column + pad,
                    dy, dx, center, sums,
                )  # fmt: skip
            if not sums[0, 0] > np.float32(0):
                break
            scale = np.float32(1) / sums[0, 0]
            step_y, step_x = sums[1, 0] * scale, sums[2, 0] * scale
            dy += step_y
            dx += step_x
            moved = np.float32(0)
            for band in range(n_bands):
                mean = sums[3 + band, 0] * scale
                mean += np.float32(anchor[band]) if short else center[band]
                moved += (mean - center[band]) * (mean - center[band])
                center[band] = mean
            moved = moved * tol2[1] + step_y * step_y + step_x * step_x
            if moved < tol2[0]:
                break
            if max(abs(dy - start_y), abs(dx - start_x)) >= max_travel:
                break
            y, x = np.float32(row) + dy, np.float32(column) + dx
            i = int(np.floor((y + np.float32(0.5)) * per_block))
            j = int(np.floor((x + np.float32(0.5)) * per_block))
            if 0 <= i < n_rows and 0 <= j < n_columns:
                b = i * n_columns + j
                met = meet_cells(
                    cells, band_tuple, owned, first[b], first[b + 1], y, x, center, per_s2, per_r2,
                    join2, claim2, here,
                )  # fmt: skip
                if met >= 0:
                    link[here] = link[owned[met]]
                    break
        roots[here, 0] = absolute(row, dy)
        roots[here, 1] = absolute(column, dx)
        for band in range(n_bands):
            roots[here, 2 + band] = center[band]

    # Only trajectories that reached a mode of their own stay in the table.
    number = np.empty(n_roots, np.int32)
    kept = 0
    for k in range(n_roots):
        if link[k] == k:
            number[k] = kept
            for column in range(roots.shape[1]):
                roots[kept, column] = roots[k, column]
            kept += 1
        else:
            number[k] = number[link[k]]
    owners = cell_of
    for i in range(height):
        for j in range(width):
            if owners[i, j] >= 0:
                owners[i, j] = number[owned[owners[i, j]]]
    table = roots[:kept].copy()
    smooth_borders(owners, table, features, band_tuple, block, per_s2, per_r2, smooth2, owner)
    for k in range(kept):
        table[k, 0] += np.float32(top)
        table[k, 1] += np.float32(left)
    return table
