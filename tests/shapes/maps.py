"""Label maps that are awkward to trace."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.measure import label


def spiral(size: int) -> NDArray[Any]:
    """Two regions, each wound around the other."""
    out = np.ones((size, size), np.int32)
    y, x, dy, dx = 0, 0, 0, 1
    out[0, 0] = 2
    while True:
        turns = 0
        while not (
            0 <= y + dy < size
            and 0 <= x + dx < size
            and (
                not (0 <= y + 2 * dy < size and 0 <= x + 2 * dx < size)
                or out[y + 2 * dy, x + 2 * dx] == 1
            )
            and out[y + dy, x + dx] == 1
        ):
            dy, dx = dx, -dy
            turns += 1
            if turns == 4:
                return out
        y, x = y + dy, x + dx
        out[y, x] = 2


def nested(size: int) -> NDArray[Any]:
    """Square rings, one within the other."""
    y, x = np.indices((size, size))
    return np.minimum.reduce([y, x, size - 1 - y, size - 1 - x]).astype(np.int32) + 1


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], connectivity: int = 1) -> Any:
    """Blobs of all sizes, about like the regions of photographs."""
    values = gaussian_filter(rng.normal(size=shape), rng.uniform(0.5, 4))
    steps = np.digitize(values, np.quantile(values, [0.2, 0.4, 0.6, 0.8]))
    return label(steps, connectivity=connectivity, background=-1).astype(np.int32)


def awkward() -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    y, x = np.indices((40, 50))
    masked = smooth_noise(rng, (80, 70))
    masked[masked % 5 == 0] = 0
    return {
        "one pixel": np.ones((1, 1), np.int32),
        "one row": np.array([[1, 1, 2, 1, 0, 3]]),
        "one column": np.array([[1, 1, 2, 1, 0, 3]]).T.copy(),
        "nothing": np.zeros((3, 4), np.int32),
        "checkerboard": ((y + x) % 2 + 1).astype(np.int32)[:16, :15],
        "each pixel its own": np.arange(1, 601, dtype=np.int32).reshape(20, 30),
        "noise": rng.integers(0, 4, (40, 50)).astype(np.int32),
        "binary noise": rng.integers(1, 3, (60, 50)).astype(np.int32),
        "spiral": spiral(41),
        "nested": nested(40),
        "diagonal": np.eye(9, dtype=np.int32) + 1,
        "ring over corners": np.array(
            [[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]], np.int32
        ),
        "blobs": smooth_noise(rng, (90, 80)),
        "blobs over corners": smooth_noise(rng, (90, 80), 2),
        "masked": masked,
        "gaps in the numbers": np.array([[3, 3, 70_000], [3, 900, 900]]),
    }
