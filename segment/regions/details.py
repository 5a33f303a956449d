"""Leaves for small things: what stands out from a leaf that was sought at the reference size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segment.kernels.arrays import Float32Array
from segment.kernels.regions import details as kernels
from segment.regions import pyramid
from segment.threads import chunks, run

# Details are sought at no more pixels than this: smaller ones nobody would find.
MOST_PIXELS = 4_000_000
# A detail differs from its region by this share of the picture's spread, or of the spread of the
# region, whichever is more.
SHARE_OF_PICTURE, SHARE_OF_REGION = 0.07, 2.0
STRIP_ROWS = 64


def sought_at(levels: Sequence[pyramid.Level]) -> int:
    """Return the number of the level at which details are sought."""
    small = (k for k, level in enumerate(levels) if np.prod(level.shape) <= MOST_PIXELS)
    return min(next(small, len(levels)), len(levels) - 2)


def part_details(
    labels: NDArray[np.int32],
    n: int,
    level: pyramid.Level,
    border: NDArray[np.bool_],
    deviation: float,
    min_size: int,
    n_threads: int,
) -> tuple[Float32Array, Float32Array]:
    """Give what stands out from its leaf a label of its own, n + 1..m.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        Leaves, 1..n; changed in place.
    n : int
        Number of leaves.
    level : Level
        The picture at this size.
    border : ndarray of bool
        Where pixels were near borders at half the size.
    deviation : float
        `pyramid.spread` of the picture.
    min_size : int
        Least size of a detail, in pixels.
    n_threads : int
        Threads to use.

    Returns
    -------
    places, tones : ndarray, shape (m - n, 2) and (m - n, C), float32
        Row and column, and values, of each new label: means of its pixels.
    """
    n_bands = level.n_bands
    planes, deviations = _planes(_moments(labels, level, 0, n), n_bands)
    least = max(SHARE_OF_PICTURE * deviation, 1e-9)
    limits = np.maximum(SHARE_OF_REGION * deviations, least).astype(np.float32)
    marks = np.empty(labels.shape, np.uint8)
    run(
        lambda rows: kernels.mark(labels, level.values, planes, limits, *rows, marks),
        chunks(len(labels), STRIP_ROWS),
        n_threads,
    )
    rows, columns = (
        pyramid.parents(large, small)
        for large, small in zip(labels.shape, border.shape, strict=True)
    )
    m = kernels.part(labels, marks, border[rows][:, columns], max(min_size, 1), n)
    sums = _moments(labels, level, n + 1, m)
    means = sums / sums[:, :1]
    places = means[:, 1:3] + 0.5 * np.array(labels.shape)
    first = kernels.MOMENTS
    tones = means[:, first :: kernels.MOMENTS_OF_BAND]
    return places.astype(np.float32), tones.astype(np.float32)


def _moments(
    labels: NDArray[np.int32], level: pyramid.Level, least: int, n: int
) -> NDArray[np.float64]:
    """Return the moments of the labels ``least..n``."""
    size = kernels.MOMENTS + kernels.MOMENTS_OF_BAND * level.n_bands
    sums = np.zeros((n + 1 - least, size))
    kernels.add_moments(labels, level.values, least, sums)
    return sums


def _planes(sums: NDArray[np.float64], n_bands: int) -> tuple[Float32Array, NDArray[np.float64]]:
    """Return the plane that fits each region best, (n + 1, C, 3), and the deviation from it."""
    one, y, x, yy, yx, xx = (sums[:, k] for k in range(kernels.MOMENTS))
    normal = np.stack([one, y, x, y, yy, yx, x, yx, xx], axis=1).reshape(-1, 3, 3)
    # Lines and points have no slope across them.
    normal += np.eye(3) * (1e-9 * (one + yy + xx + 1))[:, None, None]
    bands = sums[:, kernels.MOMENTS :].reshape(-1, n_bands, kernels.MOMENTS_OF_BAND)
    planes = np.linalg.solve(normal[:, None], bands[..., :3, None])[..., 0]
    left = (bands[..., 3] - (planes * bands[..., :3]).sum(axis=-1)).sum(axis=-1)
    deviations = np.sqrt(np.maximum(left / np.maximum(one, 1), 0))
    return planes.astype(np.float32), deviations
