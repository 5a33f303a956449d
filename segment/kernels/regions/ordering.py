"""The order in which neighbouring regions are fused, the nearest first, in linear time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segment.kernels.arrays import Float32Array, IndexArray, Int64Array
from segment.kernels.jit import kernel

STEPS = 1 << 16  # of distance, within the limit, in which neighbours are put in order


class Nearest(NamedTuple):
    """How the nearest regions are fused first.

    Attributes
    ----------
    far2 : float32
        Squared distance of means at which what has grown ends.
    few, many : int
        Pixels of the smaller region between which the squared limit grows in proportion to them, up
        to the whole limit.
    """

    far2: np.float32
    few: int
    many: int


def sorted_by(keys: IndexArray, n_keys: int, order: Int64Array) -> Int64Array:
    """Return `order`, (n,), sorted by ``keys[order]``, 0 to n_keys - 1; equals as they stand."""
    out = np.empty_like(order)
    _sort_by(keys, n_keys, order, np.zeros(n_keys + 1, np.int64), out)
    return out


@kernel(bare=True)
def _sort_by(
    keys: IndexArray, n_keys: int, order: Int64Array, start: Int64Array, out: Int64Array
) -> None:
    for k in range(order.size):
        start[keys[order[k]] + 1] += 1
    for key in range(n_keys):
        start[key + 1] += start[key]
    for k in range(order.size):
        key = keys[order[k]]
        out[start[key]] = order[k]
        start[key] += 1


def nearest_first(
    means: Float32Array, areas: Int64Array, edges: IndexArray, limit2: np.float32,
    nearest: Nearest,
) -> Int64Array:  # fmt: skip
    """Return the edges closer than their limit, nearest first, then by the regions they join."""
    pairs = means[edges]
    with np.errstate(over="ignore"):  # infinite is far
        distance2 = ((pairs[:, 0] - pairs[:, 1]) ** 2).sum(axis=1)
    smaller = np.clip(areas[edges].min(axis=1), nearest.few, nearest.many)
    share = smaller.astype(np.float32) / np.float32(nearest.many)
    order = np.flatnonzero(distance2 < limit2 * share)
    for side in (1, 0):
        order = sorted_by(np.ascontiguousarray(edges[:, side]), len(means), order)
    keys = np.zeros_like(edges, shape=len(edges))
    keys[order] = np.sqrt(distance2[order] / limit2) * (STEPS - 1)
    return sorted_by(keys, STEPS, order)
