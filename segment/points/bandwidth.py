"""Bandwidths chosen from the data."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.params import KERNELS, choice, whole_number
from segment.points.checks import as_points, as_weights

Floats = NDArray[np.float64]

# Without n_samples, distances are taken from at most so many points to at most so many others.
MAX_QUERIES = 2_000
MAX_OTHERS = 8_000
# Distances held at a time.
BLOCK = 4_000_000


def estimate_bandwidth(
    X: ArrayLike,
    *,
    quantile: float = 0.3,
    n_samples: int | None = None,
    random_state: int | np.random.Generator = 0,
    kernel: str = "flat",
    sample_weight: ArrayLike | None = None,
) -> float:
    """Estimate a bandwidth for `MeanShift`: how far a given share of the points reaches.

    For each point, the distance within which ``int(quantile * n_samples)`` points lie, itself
    included; the mean of these distances, as in scikit-learn.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Points.
    quantile : float, default=0.3
        Share of the points within the bandwidth, from 0 to 1. Smaller gives a smaller bandwidth,
        and more clusters.
    n_samples : int, optional
        Use a random sample of so many points. By default all points count up to 2,000; above, the
        distances are taken from 2,000 random points to 8,000 others (about 1 percent off).
    random_state : int or numpy.random.Generator, default=0
        Which points are drawn.
    kernel : {"flat", "epanechnikov", "gaussian"}, default="flat"
        The kernel it is for. Under "gaussian" the radius is divided by ``sqrt(n_features + 4)``,
        and under "epanechnikov" multiplied by ``sqrt((n_features + 6) / (n_features + 4))``: the
        densities climbed then have the same variance as under "flat".
    sample_weight : array-like of shape (n_samples,), optional
        Weights: a point of weight 2 counts as two.

    Returns
    -------
    float
        The bandwidth, always above 0.

    Raises
    ------
    InputError
        If all points are equal, or a parameter is out of its domain.

    Notes
    -----
    Where that mean is 0, because the points reached coincide, each distinct point counts once and
    reaches one other at least.

    Cost: O(n_features * n_samples) to read the points, and at most 16 million distances.
    """
    points = as_points(X, owner="estimate_bandwidth")
    weights = as_weights(sample_weight, len(points))
    choice("kernel", kernel, KERNELS)
    share = _share(quantile)
    generator = _generator(random_state)
    points, weights = points[weights > 0], weights[weights > 0]
    queries, others = MAX_QUERIES, MAX_OTHERS
    if n_samples is not None:
        queries = others = whole_number("n_samples", n_samples, minimum=1)
    if len(points) > queries:
        # One permutation: the points asked are among the others, so each still finds itself.
        drawn = generator.permutation(len(points))[:others]
    else:
        drawn = np.arange(len(points))
    radius = _mean_reach(points[drawn], weights[drawn], min(queries, len(drawn)), share)
    if not radius > 0:
        radius = _distinct_reach(points, queries, others, share, generator)
    d = points.shape[1]
    if kernel == "gaussian":
        radius /= math.sqrt(d + 4)
    elif kernel == "epanechnikov":
        radius *= math.sqrt((d + 6) / (d + 4))
    return radius


def _share(quantile: object) -> float:
    if type(quantile) is not bool and isinstance(quantile, Real) and 0 <= float(quantile) <= 1:
        return float(quantile)
    raise InputError(f"quantile={quantile!r} is not a share; give a number from 0 to 1")


def _generator(random_state: object) -> np.random.Generator:
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, Integral) and int(random_state) >= 0:
        return np.random.default_rng(int(random_state))
    raise InputError(
        f"random_state={random_state!r} is no seed; give an integer >= 0 or a numpy Generator"
    )


def _mean_reach(points: Floats, weights: Floats, queries: int, quantile: float) -> float:
    """Return the mean, over the first `queries` points, of the distance that holds `quantile`."""
    from scipy.spatial.distance import cdist

    total = weights.sum()
    wanted = float(total * quantile)
    if (weights == np.floor(weights)).all():
        # As many as scikit-learn counts: at least one, the point itself.
        wanted = max(math.floor(wanted), 1)
    alike = bool((weights == weights[0]).all())
    reach = np.empty(queries)
    step = max(1, BLOCK // len(points))
    for start in range(0, queries, step):
        distances = cdist(points[start : min(start + step, queries)], points)
        if alike:
            rank = min(max(math.ceil(wanted / weights[0]), 1), len(points)) - 1
            reach[start : start + step] = np.partition(distances, rank, axis=1)[:, rank]
            continue
        order = np.argsort(distances, axis=1, kind="stable")
        held = np.cumsum(weights[order], axis=1)
        first = np.minimum((held < wanted * (1 - 1e-12)).sum(axis=1), len(points) - 1)
        rows = np.arange(len(order))
        reach[start : start + step] = distances[rows, order[rows, first]]
    asked = weights[:queries]
    return float(asked @ reach / asked.sum())


def _distinct_reach(
    points: Floats, queries: int, others: int, quantile: float, generator: np.random.Generator
) -> float:
    """Return the reach among distinct points: each counts once and reaches one other at least."""
    distinct = np.unique(points, axis=0)
    if len(distinct) == 1:
        raise InputError(
            f"all {len(points)} points are equal: no bandwidth follows from them; give bandwidth="
        )
    if len(distinct) > queries:
        distinct = distinct[generator.permutation(len(distinct))[:others]]
    quantile = max(quantile, 2.0 / len(distinct))
    return _mean_reach(distinct, np.ones(len(distinct)), min(queries, len(distinct)), quantile)
