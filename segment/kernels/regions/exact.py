"""Mean shift over the pixels of an image, every pixel on its own: the exact engine."""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import Float32Array
from segment.kernels.jit import kernel
from segment.kernels.regions.window import LANES, BandTuple, Radius, window_sums


@kernel(inline="always")
def climb(
    kind: int, planes: Float32Array, weights: Float32Array | None, band_tuple: BandTuple,
    radius: Radius, max_iter: int, tol2: np.float32, row: int, column: int, offset: Float32Array,
    center: Float32Array, sums: Float32Array,
) -> int:  # fmt: skip
    """Move `offset` and `center` to the mode that they climb to; return the number of steps.

    Parameters are those of `window_sums`, and: `offset`, float32 (2,), rows and columns from the
    pixel (`row`, `column`) of the padded planes; `tol2`, the squared length of a last step.
    A window without weight (all its pixels weigh 0) ends the climb where it is.
    """
    for step in range(1, max_iter + 1):
        window_sums(
            kind, planes, weights, band_tuple, radius, row, column, offset[0], offset[1], center,
            sums,
        )  # fmt: skip
        weight = sums[0, 0]
        if not weight > np.float32(0):
            return step
        scale = np.float32(1) / weight
        dy = sums[1, 0] * scale
        dx = sums[2, 0] * scale
        offset[0] += dy
        offset[1] += dx
        moved = dy * dy + dx * dx
        for band in range(center.size):
            d = sums[3 + band, 0] * scale
            center[band] += d
            moved += d * d
        if moved < tol2:
            return step
    return max_iter


@kernel(inline="always")
def absolute(pixel: int, offset: np.float32) -> np.float32:
    """Return ``pixel + offset`` to 1/256, which float32 holds exactly up to 65,536.

    Without the rounding the last bit would depend on how large `pixel` is, and so on the crop.
    """
    return np.float32(pixel) + np.rint(offset * np.float32(256)) * np.float32(1 / 256)


@kernel()
def climb_rows(
    kind: int, planes: Float32Array, weights: Float32Array | None, band_tuple: BandTuple,
    radius: Radius, max_iter: int, tol2: np.float32, corner: tuple[int, int], first_row: int,
    last_row: int, modes: Float32Array,
) -> int:  # fmt: skip
    """Climb from every pixel of the rows ``first_row:last_row``; return the number of windows.

    `modes`, float32 (H, W, 2 + C), receives rows, columns and colours; those of masked pixels are
    left as they are. Its first pixel is at the row and column `corner` of the padded planes.
    """
    n_bands = planes.shape[0]
    offset = np.empty(2, np.float32)
    center = np.empty(n_bands, np.float32)
    sums = np.empty((3 + n_bands, LANES), np.float32)
    windows = 0
    for i in range(first_row, last_row):
        for j in range(modes.shape[1]):
            row, column = i + corner[0], j + corner[1]
            if planes[0, row, column] == np.inf:
                continue
            offset[:] = 0
            for band in range(n_bands):
                center[band] = planes[band, row, column]
            windows += climb(
                kind, planes, weights, band_tuple, radius, max_iter, tol2,
                row, column, offset, center, sums,
            )  # fmt: skip
            modes[i, j, 0] = absolute(i, offset[0])
            modes[i, j, 1] = absolute(j, offset[1])
            for band in range(n_bands):
                modes[i, j, 2 + band] = center[band]
    return windows
