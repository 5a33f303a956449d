"""Bandwidths chosen from the data."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.params import KERNELS, choice, whole_number
from segment.points.checks import as_points, as_weights
from segment.points.lifetimes import longest_lived

Floats = NDArray[np.float64]

# Without n_samples, distances are taken from at most so many points to at most so many others.
MAX_QUERIES = 2_000
MAX_OTHERS = 8_000
# Points whose clusters are followed beyond 3 dimensions, where climbing is slow.
MAX_HIGH = 1_000
# Distances held at a time.
BLOCK = 4_000_000


def estimate_bandwidth(
    X: ArrayLike,
    *,
    quantile: float | None = None,
    n_samples: int | None = None,
    random_state: int | np.random.Generator = 0,
    kernel: str = "flat",
    sample_weight: ArrayLike | None = None,
) -> float:
    """Estimate a bandwidth for `MeanShift`: that of the number of clusters that lives longest.

    As a Gaussian grows from a 64th of the points' spread to all of it, the modes of the density
    merge. The number of clusters that persists over the most octaves is taken, and the middle of
    its bandwidths [1]_ [2]_. With `quantile` it is scikit-learn's estimate instead: the mean
    distance within which ``int(quantile * n_samples)`` points lie. That follows the size of the
    whole, and so merges clusters where there are more than about ``1 / quantile``.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Points.
    quantile : float, optional
        Share of the points within the bandwidth, from 0 to 1, as in scikit-learn (whose default is
        0.3). Smaller gives a smaller bandwidth, and more clusters.
    n_samples : int, optional
        Use a random sample of so many points. By default 2,000 (1,000 beyond 3 features); with
        `quantile`, distances are taken from 2,000 random points to 8,000 others.
    random_state : int or numpy.random.Generator, default=0
        Which points are drawn.
    kernel : {"flat", "epanechnikov", "gaussian"}, default="flat"
        The kernel it is for. The radius of "flat" is ``sqrt(n_features + 4)`` times that of
        "gaussian", and of "epanechnikov" ``sqrt(n_features + 6)`` times: the densities climbed
        then have the same variance.
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
    Clusters count that hold 0.5 percent of the weight and more than one point, at bandwidths at
    which such clusters hold most of it. Where there are none, the bandwidth is the normal reference
    rule for gradients of densities [3]_.

    With `quantile`, where that mean is 0 because the points reached coincide, each distinct point
    counts once and reaches one other at least.

    Cost: O(n_features * n_samples) to read the points, and half a second to two for the estimate.

    References
    ----------
    .. [1] Y. Leung, J.-S. Zhang and Z.-B. Xu, "Clustering by scale-space filtering", IEEE PAMI
       22(12), 2000.
    .. [2] K. Fukunaga, "Introduction to statistical pattern recognition", 1990.
    .. [3] J. E. Chacon and T. Duong, "Data-driven density derivative estimation, with applications
       to nonparametric clustering and bump hunting", Electronic Journal of Statistics 7, 2013.
    """
    points = as_points(X, owner="estimate_bandwidth")
    weights = as_weights(sample_weight, len(points))
    choice("kernel", kernel, KERNELS)
    share = None if quantile is None else _share(quantile)
    generator = _generator(random_state)
    points, weights = points[weights > 0], weights[weights > 0]
    d = points.shape[1]
    queries, others = (MAX_QUERIES if share is not None or d <= 3 else MAX_HIGH), MAX_OTHERS
    if n_samples is not None:
        queries = others = whole_number("n_samples", n_samples, minimum=1)
    points, unit = _moderate(points)
    if share is None:
        return _of_kernel(_by_lifetime(points, weights, queries, generator) * unit, kernel, d)
    if len(points) > queries:
        # One permutation: the points asked are among the others, so each still finds itself.
        drawn = generator.permutation(len(points))[:others]
    else:
        drawn = np.arange(len(points))
    radius = _mean_reach(points[drawn], weights[drawn], min(queries, len(drawn)), share)
    if not radius > 0:
        radius = _distinct_reach(points, queries, others, share, generator)
    return _of_kernel(radius * unit / math.sqrt(d + 4), kernel, d)


def _of_kernel(gaussian: float, kernel: str, d: int) -> float:
    """Return the radius of a kernel under which densities vary as under that Gaussian."""
    return (
        gaussian
        * {"gaussian": 1.0, "flat": math.sqrt(d + 4), "epanechnikov": math.sqrt(d + 6)}[kernel]
    )


def _moderate(points: Floats) -> tuple[Floats, float]:
    """Return points moved to 0 and divided by a power of two, so that squares do not overflow."""
    unit = math.ldexp(1.0, math.frexp(float(np.abs(points).max()) or 1.0)[1] - 1)
    small = points / unit
    small -= small.min(axis=0)
    return small, unit


def _by_lifetime(
    points: Floats, weights: Floats, most: int, generator: np.random.Generator
) -> float:
    """Return the Gaussian bandwidth of the longest-lived number of clusters in a sample."""
    from scipy.spatial.distance import pdist

    if len(points) > most:
        drawn = generator.permutation(len(points))[:most]
        points, weights = points[drawn], weights[drawn]
    # A point of weight 2 counts as two: in either form it is one place, of that weight.
    total = len(points)
    points, number = np.unique(points, axis=0, return_inverse=True)
    weights = np.bincount(number.ravel(), weights).astype(np.float64)
    n, d = points.shape
    # The median is not led astray by a few points far out, unlike the standard deviation.
    few = points[:: -(-2 * n // MAX_QUERIES)]
    spread = math.sqrt(float(np.median(pdist(few, "sqeuclidean"))) / (2 * d)) if n > 1 else 0.0
    if not spread > 0:
        spread = math.sqrt(float(points.var(axis=0).mean()))
    if not spread > 0:
        raise InputError(
            f"all {total} points are equal: no bandwidth follows from them; give bandwidth="
        )
    found = longest_lived(points, weights, spread)
    return found or spread * math.pow(4 / (weights.sum() * (d + 4)), 1 / (d + 6))


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
