"""Slow, obvious mean shift over points: what the kernels are held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def profile(kernel: str, u: Floats) -> Floats:
    """Return the kernel's weight at `u` bandwidths from the centre, 1 at the centre."""
    if kernel == "flat":
        return (u <= 1).astype(float)
    if kernel == "epanechnikov":
        return np.maximum(1 - u**2, 0)
    return np.exp(-(u**2) / 2)


def sums(
    points: Floats, weights: Floats, kernel: str, bandwidth: float, center: Floats
) -> tuple[Floats, float]:
    """Return the sums of k * weight * point and of k * weight."""
    # Squares are compared, as every program does: a point on the circle is inside.
    square = ((points - center) ** 2).sum(axis=1)
    if kernel == "flat":
        k = (square <= bandwidth**2).astype(float)
    else:
        k = profile(kernel, np.sqrt(square) / bandwidth)
    return (k * weights) @ points, float(k @ weights)


def climb(
    points: Floats,
    weights: Floats,
    kernel: str,
    bandwidth: float,
    start: Floats,
    tol: float,
    max_iter: int,
) -> tuple[Floats, float, int]:
    """Climb from `start`; return the end, the weight of the last window and the number of steps."""
    center = np.array(start, float)
    for step in range(1, max_iter + 1):
        numerator, mass = sums(points, weights, kernel, bandwidth, center)
        if mass == 0:
            return center, 0.0, step
        mean = numerator / mass
        shift = float(np.linalg.norm(mean - center))
        center = mean
        if shift <= tol * bandwidth:
            break
    return center, mass, step


def merge(ends: Floats, mass: Floats, radius: float) -> Floats:
    """Return the ends that survive: by falling mass, each removes the others within `radius`."""
    order = sorted(range(len(ends)), key=lambda i: (mass[i], tuple(ends[i])), reverse=True)
    kept: list[Floats] = []
    for i in order:
        if mass[i] > 0 and all(np.linalg.norm(ends[i] - k) > radius for k in kept):
            kept.append(ends[i])
    return np.array(kept)


def nearest(points: Floats, centers: Floats) -> NDArray[np.intp]:
    """Return the index of the nearest centre of each point."""
    return np.argmin(((points[:, None] - centers[None]) ** 2).sum(axis=2), axis=1)


def fit(
    points: Floats, kernel: str, bandwidth: float, merge_radius: float, tol: float, max_iter: int
) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Return centres, labels and ends, every point being a seed."""
    weights = np.ones(len(points))
    climbed = [climb(points, weights, kernel, bandwidth, p, tol, max_iter) for p in points]
    ends = np.array([end for end, _, _ in climbed])
    centers = merge(ends, np.array([mass for _, mass, _ in climbed]), merge_radius)
    return centers, nearest(ends, centers), ends


def density(points: Floats, kernel: str, bandwidth: float, at: Floats) -> Floats:
    """Return the sum of k over all points, divided by their number, at each row of `at`."""
    u = np.sqrt(((at[:, None] - points[None]) ** 2).sum(axis=2)) / bandwidth
    return profile(kernel, u).mean(axis=1)
