"""Parts of float32 planes in 16 bits, for windows in integers."""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import Float32Array, Int16Array
from segment.kernels.jit import kernel
from segment.kernels.regions.window16 import MISSING


@kernel()
def _stretch(row: Float32Array, low: Float32Array, high: Float32Array) -> None:
    """Lower `low` and raise `high` to the values of a row that are not infinite."""
    for j in range(row.size):
        value = row[j]
        low[j] = value if value < low[j] else low[j]
        value = value if value < np.inf else -value
        high[j] = value if value > high[j] else high[j]


@kernel()
def extents(
    planes: Float32Array, top: int, bottom: int, left: int, right: int, low: Float32Array,
    high: Float32Array,
) -> None:  # fmt: skip
    """Put the least and the largest value of each band of a part into `low` and `high` (C,).

    What is infinite is missing; where nothing is there, `low` is infinite, and `high` minus that.
    """
    width = right - left
    lows, highs = np.empty(width, np.float32), np.empty(width, np.float32)
    for band in range(planes.shape[0]):
        lows[:] = np.inf
        highs[:] = -np.inf
        for i in range(top, bottom):
            _stretch(planes[band, i, left:right], lows, highs)
        low[band], high[band] = lows.min(), highs.max()


@kernel()
def _shorten_row(row: Float32Array, offset: np.float32, scale: np.float32, out: Int16Array) -> None:
    """Put ``round((value - offset) * scale)`` into `out`, `MISSING` where a value is infinite."""
    for j in range(out.size):
        value = row[j] if row[j] < np.inf else offset
        short = np.int32(np.rint((value - offset) * scale))
        out[j] = short if row[j] < np.inf else np.int32(MISSING)


@kernel()
def shorten(
    planes: Float32Array, top: int, left: int, offsets: Float32Array, scale: np.float32,
    out: Int16Array,
) -> None:  # fmt: skip
    """Put ``round((value - offset) * scale)`` of a part of `planes` into `out`.

    Parameters
    ----------
    planes : ndarray, shape (C, H, W), float32
        Infinite where missing.
    top, left : int
        Where in `planes` the first row and column of `out` lie; either may be beyond the ends.
    offsets : ndarray, shape (C,), float32
    scale : float32
    out : ndarray, shape (C, h, w), int16
        Receives `MISSING` where `planes` is infinite or has ended.
    """
    n_bands, height, width = out.shape
    first, last = max(0, -left), min(width, planes.shape[2] - left)
    for band in range(n_bands):
        offset = offsets[band]
        for i in range(height):
            into = out[band, i]
            into[:] = MISSING
            if 0 <= top + i < planes.shape[1] and first < last:
                row = planes[band, top + i, left + first : left + last]
                _shorten_row(row, offset, scale, into[first:last])
