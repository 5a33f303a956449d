"""Kernel density: the surface that mean shift climbs, at points and on grids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.params import KERNELS, choice, whole_number
from segment.points.checks import (
    Frame,
    as_bandwidth,
    as_points,
    as_weights,
    describe,
    log_ball_volume,
)
from segment.points.splines import build_surface
from segment.threads import chunks, resolve_n_threads, run

if TYPE_CHECKING:
    from segment.kernels.points.climb import Field

Floats = NDArray[np.float64]

# Error allowed in each kernel-weighted mean of a smooth kernel, in bandwidths: see `make_field`.
ERROR = 1e-4
# Above so many points, Gaussian sums in 1, 2 and 3 dimensions go through a lattice ...
LATTICE_FROM = (2_000, 4_000, 20_000)
# ... if it has at most so many nodes for each point.
LATTICE_NODES = 32
# Above so many, log f is sampled (see `segment.points.splines`).
SURFACE_FROM = 500
# Rows handled by one call of a kernel.
CHUNK = 2_048


@dataclass(frozen=True)
class Density:
    """A density on a regular grid.

    Attributes
    ----------
    values : ndarray of shape (len(axes[0]), ..., len(axes[-1])), float64
        Density at the nodes, per unit of volume; over all space it integrates to 1.
    axes : tuple of ndarray
        Coordinates of the nodes along each feature.
    bandwidth : float or ndarray of shape (n_features,)
        Bandwidth used.
    kernel : str
        Kernel used.
    """

    values: Floats
    axes: tuple[Floats, ...]
    bandwidth: float | Floats
    kernel: str


def density(
    X: ArrayLike,
    bandwidth: float | ArrayLike,
    *,
    kernel: str = "gaussian",
    grid: int | Sequence[ArrayLike] = 100,
    sample_weight: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> Density:
    """Estimate the density of points on a grid (Parzen windows).

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Points; at most 3 features.
    bandwidth : float or array-like of shape (n_features,)
        Radius of the kernel, or the standard deviation of the Gaussian, in units of the features.
    kernel : {"flat", "epanechnikov", "gaussian"}, default="gaussian"
        Shape of the window.
    grid : int or sequence of array-like, default=100
        Nodes along each axis, which then reach 3 bandwidths beyond the points (1 for kernels that
        end there); or the coordinates along each axis.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the points.
    n_jobs : int, optional
        Threads; None and -1 mean every core, -2 all but one. The result is the same on any number.

    Returns
    -------
    Density
        Values, axes, bandwidth and kernel; see `segment.points.plots` for surfaces and contours.

    Raises
    ------
    InputError
        If the points have more than 3 features, a parameter is out of its domain, or the density
        is beyond what a float holds.
    """
    points = as_points(X, owner="density")
    d = points.shape[1]
    if d > 3:
        raise InputError(
            f"X has {d} features; a grid serves at most 3: choose columns, or use "
            "MeanShift.score_samples for the density at points"
        )
    weights = as_weights(sample_weight, len(points))
    width = as_bandwidth(bandwidth, d)
    choice("kernel", kernel, KERNELS)
    axes = _axes(points, width, 3.0 if kernel == "gaussian" else 1.0, grid)
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
    with np.errstate(over="ignore", under="ignore"):
        values = np.exp(log_density_at(points, weights, width, kernel, nodes, threads_of(n_jobs)))
    if not np.isfinite(values).all():
        raise InputError(
            f"bandwidth={describe(width)}: densities exceed 1e308; rescale the features"
        )
    return Density(values.reshape([len(axis) for axis in axes]), axes, width, kernel)


def _axes(
    points: Floats, bandwidth: float | Floats, margin: float, grid: int | Sequence[ArrayLike]
) -> tuple[Floats, ...]:
    d = points.shape[1]
    if not np.isscalar(grid):
        grid = cast(Sequence[ArrayLike], grid)
        if len(grid) != d:
            raise InputError(f"grid holds {len(grid)} axes but X has {d} features; give one each")
        axes = tuple(np.array(axis, dtype=np.float64) for axis in grid)
        if any(axis.ndim != 1 or not axis.size or not np.isfinite(axis).all() for axis in axes):
            raise InputError("grid: every axis must be a 1-D array of finite coordinates")
        return axes
    count = whole_number("grid", grid, minimum=2)
    reach = margin * np.broadcast_to(bandwidth, d)
    low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
    return tuple(np.linspace(low[j], high[j], count) for j in range(d))


def log_density_at(
    points: Floats,
    weights: Floats,
    bandwidth: float | Floats,
    kernel: str,
    at: Floats,
    n_threads: int,
) -> Floats:
    """Return the logarithm of the density of weighted `points` at every row of `at`."""
    frame = Frame.over(points, bandwidth)
    field = make_field(frame.into(points), weights, kernel, frame.radius, n_threads=n_threads)
    sums = field_sums(field, frame.into(at), n_threads)
    with np.errstate(divide="ignore"):
        values: Floats = np.log(sums / weights.sum())
    return values + log_normaliser(kernel, bandwidth, points.shape[1])


def field_sums(field: Field, at: Floats, n_threads: int) -> Floats:
    """Return the kernel sums (k = 1 at distance 0) at every row of `at`, in threads."""
    from segment.kernels.points.climb import kernel_sums

    at = np.ascontiguousarray(at)
    parts = run(
        lambda chunk: kernel_sums(field, at[slice(*chunk)]), chunks(len(at), CHUNK), n_threads
    )
    return np.concatenate(parts)


def log_normaliser(kernel: str, bandwidth: float | Floats, d: int) -> float:
    """Return the logarithm of what makes the kernel, 1 at its centre, integrate to 1."""
    log_volume = float(np.log(np.broadcast_to(bandwidth, d)).sum())
    if kernel == "gaussian":
        return -log_volume - d / 2 * math.log(2 * math.pi)
    if kernel == "flat":
        return -log_volume - log_ball_volume(d)
    return math.log((d + 2) / 2) - log_volume - log_ball_volume(d)


def threads_of(n_jobs: object) -> int:
    """Return the number of threads for scikit-learn's `n_jobs`.

    None and -1 mean every core this process may run on, -2 all but one, and so on; at least one.

    Raises
    ------
    InputError
        If `n_jobs` is no whole number, or 0.
    """
    cores = resolve_n_threads(None)
    if n_jobs is None:
        return cores
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, Integral) or int(n_jobs) == 0:
        raise InputError(
            f"n_jobs={n_jobs!r} is no number of threads; use an integer of at least 1, -1 or None "
            "for every core, -2 for all but one"
        )
    return int(n_jobs) if int(n_jobs) > 0 else max(1, cores + 1 + int(n_jobs))


def make_field(
    points: Floats,
    weights: Floats,
    kernel: str,
    radius: float,
    error: float = ERROR,
    *,
    n_threads: int = 1,
) -> Field:
    """Return the structure over `points` in which kernel sums of this kind are cheapest.

    Flat and Epanechnikov: columns of points in up to 3 dimensions, a k-d tree beyond; both exact
    but for rounding, Epanechnikov sums from the tree within 2 * `error`. Gaussian: the
    tree, or, for many points in up to 3 dimensions, a lattice, and where they lie close together a
    spline through log f.

    The sums of smooth kernels are truncated and gathered: the mean around a point of the set is
    within 6 * `error` bandwidths of the exact one from the tree, within `error` plus the lattice's
    interpolation (2e-4 bandwidths) from the lattice, and within some 5e-3 bandwidths from the
    spline: 6e-4 unless f changes a hundredfold within a bandwidth.
    """
    from segment.kernels.points.climb import GRID, LATTICE, TREE, Field
    from segment.kernels.points.columns import build_grid
    from segment.kernels.points.gauss_grid import build_lattice
    from segment.kernels.points.spline import no_surface
    from segment.kernels.points.tree import EPANECHNIKOV, FLAT, GAUSSIAN, build_tree

    held = weights > 0
    points = np.ascontiguousarray(points[held])
    weights = np.ascontiguousarray(weights[held])
    d = points.shape[1]
    kind = {"flat": FLAT, "epanechnikov": EPANECHNIKOV, "gaussian": GAUSSIAN}[kernel]
    how = TREE
    if kind != GAUSSIAN and d <= 3:
        how = GRID
    elif kind == GAUSSIAN and d <= 3 and _lattice_pays(points, radius):
        how = LATTICE
    one = (np.zeros((1, 1)), np.ones(1))
    given = (points, weights)
    tree, _ = build_tree(*(given if how == TREE else one))
    cell = _column_side(points, radius) if how == GRID else 1.0
    grid, _ = build_grid(*(given if how == GRID else one), cell, moments=kind == EPANECHNIKOV)
    surface = None
    if kind == GAUSSIAN and d <= 3 and len(points) >= SURFACE_FROM:
        surface = build_surface(points, weights, radius, n_threads)
    lattice = build_lattice(*(given if how == LATTICE else one), radius, error)
    return Field(
        kind, float(radius), float(error), how, tree, grid, lattice, surface or no_surface(d)
    )


def _lattice_pays(points: Floats, radius: float) -> bool:
    from segment.kernels.points.gauss_grid import lattice_shape

    n, d = points.shape
    if n < LATTICE_FROM[d - 1]:
        return False
    return bool(math.prod(lattice_shape(points, radius)) <= LATTICE_NODES * n)


def _column_side(points: Floats, radius: float) -> float:
    """Return the side of the grid's columns: finer, the more points a window holds."""
    from scipy.spatial.distance import cdist

    n, d = points.shape
    some = points[:: max(1, n // 2048)]
    crowd = n * float((cdist(some[:: max(1, len(some) // 128)], some) <= radius).mean())
    if d == 2:
        return radius / max(1, round(math.sqrt(crowd / 1200)))
    return radius / max(1, round(math.pow(crowd / 1500, 1 / 3)))
