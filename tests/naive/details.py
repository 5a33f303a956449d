"""Twins of `segment.kernels.regions.details`: the same, region by region."""

from __future__ import annotations

from typing import Any

import numpy as np


def centered(shape: tuple[int, int]) -> Any:
    """Rows and columns from the middle of a picture."""
    return np.mgrid[: shape[0], : shape[1]] - 0.5 * np.array(shape)[:, None, None]


def moments(labels: Any, values: Any, n: int) -> Any:
    """Return sums over each region of 1, y, x, yy, yx, xx, and of v, vy, vx, vv for each band."""
    y, x = centered(labels.shape)
    rows = [np.ones_like(y), y, x, y * y, y * x, x * x]
    for v in np.moveaxis(values.astype(float), -1, 0):
        rows += [v, v * y, v * x, v * v]
    return np.array([[row[labels == label].sum() for row in rows] for label in range(n + 1)])


def marks(labels: Any, values: Any, planes: Any, limits: Any) -> Any:
    """0 where a pixel is as its region; 1 faintly and 3 clearly unlike it, 1 more if brighter."""
    y, x = centered(labels.shape)
    p = planes[labels].astype(float)
    difference = values - (p[..., 0] + p[..., 1] * y[..., None] + p[..., 2] * x[..., None])
    distance, limit = np.linalg.norm(difference, axis=2), limits[labels]
    kind = np.where(distance > limit, 3, 1) + (difference.sum(axis=2) > 0)
    return np.where((labels > 0) & (distance > limit / 2), kind, 0)


def part(labels: Any, marks: Any, border: Any, min_size: int, n: int) -> Any:
    """Return the labels, with those of the parts that stand out, and the highest one."""
    from skimage.measure import label

    out = labels.copy()
    parts = []
    for region in range(1, n + 1):
        for bright in (0, 1):
            chosen = (labels == region) & (marks > 0) & ((marks - 1) % 2 == bright)
            found = label(chosen, connectivity=1)
            parts += [found == k for k in range(1, found.max() + 1)]
    for inside in sorted(parts, key=lambda inside: np.flatnonzero(inside)[0]):
        size = inside.sum()
        clear, away = (marks[inside] > 2).sum(), (~border[inside]).sum()
        if size >= min_size and 4 * clear >= size and 2 * away >= size:
            n += 1
            out[inside] = n
    return out, n
