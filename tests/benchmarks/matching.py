"""The largest matching of two sets of pixels: as many pairs as can be, each within a distance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def match(found: NDArray[np.bool_], wanted: NDArray[np.bool_], radius: float) -> NDArray[np.intp]:
    """Match the pixels of two maps of the same shape one to one, as many as can be.

    Returns
    -------
    pair : ndarray, shape (n,)
        For each pixel of `found`, in raster order, the number of its pixel of `wanted`, or -1.
    """
    reach = math.floor(radius)
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    order = np.argsort(dy**2 + dx**2, kind="stable")  # what is near is tried first
    order = order[(dy**2 + dx**2)[order] <= radius**2]
    steps = np.stack([dy, dx], axis=1)[order]
    number = np.full(np.array(wanted.shape) + 2 * reach, -1)
    places = np.argwhere(wanted)
    number[tuple((places + reach).T)] = np.arange(len(places))
    near = number[tuple((np.argwhere(found)[:, None] + steps + reach).transpose(2, 0, 1))]
    starts = np.concatenate([[0], np.cumsum((near >= 0).sum(axis=1))])
    pair: NDArray[np.intp] = maximum_matching(starts, near[near >= 0], len(places))
    return pair


@njit(cache=True)  # type: ignore[untyped-decorator]
def maximum_matching(starts: Any, neighbours: Any, n_others: int) -> Any:
    """Return a partner for each node, or -1, in a largest matching of a bipartite graph [1]_.

    Parameters
    ----------
    starts : ndarray, shape (n + 1,), int64
    neighbours : ndarray, int64
        Node k may be matched with ``neighbours[starts[k]:starts[k + 1]]``, each 0..n_others - 1.
    n_others : int

    References
    ----------
    .. [1] J. Hopcroft and R. Karp, "An n^(5/2) Algorithm for Maximum Matchings in Bipartite
       Graphs", SIAM Journal on Computing 2(4), 1973.
    """
    n = len(starts) - 1
    pair, partner = np.full(n, -1), np.full(n_others, -1)
    for node in range(n):
        for k in range(starts[node], starts[node + 1]):
            if partner[neighbours[k]] < 0:
                pair[node], partner[neighbours[k]] = neighbours[k], node
                break
    depth, room = np.empty(n, np.int64), np.empty((2, n), np.int64)
    while _find_depths(starts, neighbours, pair, partner, depth, room[0]):
        following = starts[:-1].copy()
        for node in range(n):
            if pair[node] < 0:
                _augment(node, starts, neighbours, depth, following, room, pair, partner)
    return pair


@njit(cache=True)  # type: ignore[untyped-decorator]
def _find_depths(
    starts: Any, neighbours: Any, pair: Any, partner: Any, depth: Any, queue: Any
) -> bool:
    """Number nodes by how far they are from one without partner; whether more can be matched."""
    last, more = 0, False
    for node in range(len(pair)):
        depth[node] = 0 if pair[node] < 0 else -1
        if pair[node] < 0:
            queue[last] = node
            last += 1
    first = 0
    while first < last:
        node = queue[first]
        first += 1
        for k in range(starts[node], starts[node + 1]):
            other = partner[neighbours[k]]
            if other < 0:
                more = True
            elif depth[other] < 0:
                depth[other] = depth[node] + 1
                queue[last] = other
                last += 1
    return more


@njit(cache=True)  # type: ignore[untyped-decorator]
def _augment(
    node: int, starts: Any, neighbours: Any, depth: Any, following: Any, room: Any, pair: Any,
    partner: Any,
) -> None:  # fmt: skip
    """Give a node a partner, if others can take other ones, each a step deeper than the last."""
    path, chosen = room
    path[0], end = node, 0
    while end >= 0:
        node = path[end]
        if following[node] == starts[node + 1]:
            end -= 1
            continue
        chosen[end] = neighbours[following[node]]
        following[node] += 1
        other = partner[chosen[end]]
        if other < 0:
            for k in range(end + 1):
                pair[path[k]], partner[chosen[k]] = chosen[k], path[k]
            return
        if depth[other] == depth[node] + 1:
            end += 1
            path[end] = other
