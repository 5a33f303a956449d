"""The scale at which points fall into clusters: the partition that lives longest as it grows.

Under a growing Gaussian the modes of a density only merge. How long, in octaves of the bandwidth, a
number of clusters persists tells how real it is; noise and the grain of the numbers pass quickly.

References
----------
.. [1] Y. Leung, J.-S. Zhang and Z.-B. Xu, "Clustering by scale-space filtering", IEEE PAMI 22(12),
   2000: the lifetime of a number of clusters.
.. [2] K. Fukunaga, "Introduction to statistical pattern recognition", 1990: the middle of the
   range of bandwidths over which the number of clusters stays.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from segment.points.basins import MERGE, Basins, Rules, merge_ends, nearest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Bandwidths tried: so many an octave, over so many octaves down from the spread of the points.
STEPS = 4
OCTAVES = 6
# A cluster counts if it holds this share of the weight, and more than one point; a bandwidth counts
# if such clusters hold most of it.
LEAST = 0.005
MOST = 0.8


def longest_lived(points: Floats, weights: Floats, spread: float) -> float | None:
    """Return the Gaussian bandwidth in the middle of the longest life of a number of clusters.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_features)
        A few thousand points at most.
    weights : ndarray of shape (n_samples,)
        Their weights, above 0.
    spread : float
        The standard deviation along an axis of all points together: where all are one cluster.

    Returns
    -------
    float or None
        None if at no bandwidth most points lie in clusters.
    """
    widths = spread * 2.0 ** (np.arange(-OCTAVES * STEPS, 1) / STEPS)
    counts = [_count(label, weights) for label in _partitions(points, weights, widths)]
    best, longest = None, 0
    begin = 0
    for end in range(1, len(counts) + 1):
        if end < len(counts) and counts[end] == counts[begin]:
            continue
        if counts[begin] > 0 and end - begin > longest:
            longest = end - begin
            best = math.sqrt(widths[begin] * widths[end - 1])
        begin = end
    return best


def _partitions(points: Floats, weights: Floats, widths: Floats) -> list[Ints]:
    """Return the cluster of each point at every width: modes climb on from one to the next."""
    starts, label = points, np.arange(len(points))
    found = []
    for width in widths.tolist():
        rules = Rules("gaussian", width, 1e-3, 300, 1)
        ends = Basins(points, weights, rules).climb(starts)
        modes = merge_ends(ends, MERGE["gaussian"] * width)
        label = nearest(ends.places, modes)[0][ends.row][label]
        starts = modes
        found.append(label)
    return found


def _count(label: Ints, weights: Floats) -> int:
    """Return the number of clusters that count, or 0 if they do not hold most of the weight."""
    mass = np.bincount(label, weights)
    size = np.bincount(label)
    whole = bool((weights == np.floor(weights)).all())  # a weight of 2 is two points
    real = (mass >= LEAST * weights.sum()) & ((mass if whole else size) > 1)
    return int(real.sum()) if mass[real].sum() >= MOST * weights.sum() else 0
