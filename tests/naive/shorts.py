"""Parts of planes in 16 bits, value by value."""

from __future__ import annotations

from typing import Any

import numpy as np


def extents(part: Any) -> tuple[Any, Any]:
    """Least and largest finite value of each band."""
    finite = [band[np.isfinite(band)] for band in part]
    return (
        [band.min() if band.size else np.inf for band in finite],
        [band.max() if band.size else -np.inf for band in finite],
    )


def shorten(planes: Any, top: int, left: int, offsets: Any, scale: Any, shape: Any) -> Any:
    """Rounded values; the lowest number where there is none."""
    out = np.full(shape, -(2**15), np.int64)
    for band, i, j in np.ndindex(*shape):
        y, x = top + i, left + j
        inside = 0 <= y < planes.shape[1] and 0 <= x < planes.shape[2]
        if inside and np.isfinite(planes[band, y, x]):
            out[band, i, j] = round(float((planes[band, y, x] - offsets[band]) * scale))
    return out
