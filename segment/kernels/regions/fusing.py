"""The graph of components: joined across pieces, fused, pruned; all sums are integers.

Neighbours are an edge list, with one entry a contact at first; each round of merging keeps one
entry a pair, by counting, in linear time. Nothing depends on the order of the edges, nor of what is
added.
"""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import BoolArray, Float32Array, IndexArray, Int64Array
from segment.kernels.jit import kernel
from segment.kernels.regions.labels import WORD, find, number_sets, unite
from segment.kernels.regions.ordering import Nearest, nearest_first

FUSE_ROUNDS = 5


def numbers(n: int, like: IndexArray) -> IndexArray:
    """Return 0..n - 1, of the type of another array."""
    out = np.empty_like(like, shape=n)
    out[:] = np.arange(n)
    return out


@kernel(bare=True)
def gather(
    areas: Int64Array, sums: Int64Array, edges: IndexArray, numbers: IndexArray,
    all_areas: Int64Array, all_sums: Int64Array, all_edges: IndexArray,
) -> None:  # fmt: skip
    """Add the components of a piece to those of the graph that they are part of.

    Parameters
    ----------
    areas, sums, edges : ndarray
        Of the piece; see `labels.sum_modes` and `labels.list_edges`.
    numbers : ndarray, shape (n,), int32 or int64
        Component of the graph of each component of the piece.
    all_areas, all_sums : ndarray
        Of the graph: zeros before the first piece.
    all_edges : ndarray, shape (m, 2)
        Receives the edges, with numbers of the graph.
    """
    for e in range(len(edges)):
        for side in range(2):
            all_edges[e, side] = numbers[edges[e, side]]
    for component in range(areas.size):
        number = numbers[component]
        all_areas[number] += areas[component]
        for k in range(sums.shape[1]):
            all_sums[number, k] += sums[component, k]


@kernel(inline="always")
def _distance2(means: Float32Array, a: int, b: int) -> np.float32:
    total = np.float32(0)
    for k in range(means.shape[1]):
        d = means[a, k] - means[b, k]
        total += d * d
    return total


@kernel(inline="always")
def _set_mean(
    sums: Int64Array, areas: Int64Array, region: int, quantum: float, words: int,
    means: Float32Array,
) -> None:  # fmt: skip
    """Put the mean colour of a region into its row of `means`, float32 (n, C)."""
    share = quantum / np.float64(areas[region])
    for k in range(means.shape[1]):
        if words == 1:
            total = np.float64(sums[region, 2 + k])
        else:
            high, low = sums[region, 2 + 2 * k], sums[region, 3 + 2 * k]
            total = np.float64(high) * WORD + np.float64(low)
        means[region, k] = total * share


def mean_colors(sums: Int64Array, areas: Int64Array, quantum: float, words: int) -> Float32Array:
    """Return the mean colour of each region, float32 (n, C)."""
    means = np.empty((areas.size, (sums.shape[1] - 2) // words), np.float32)
    _put_means(sums, areas, quantum, words, means)
    return means


@kernel(bare=True)
def _put_means(
    sums: Int64Array, areas: Int64Array, quantum: float, words: int, means: Float32Array
) -> None:
    for region in range(areas.size):
        _set_mean(sums, areas, region, quantum, words, means)


@kernel(bare=True)
def _unite_near(
    means: Float32Array, limit2: np.float32, changed: BoolArray, region: IndexArray,
    edges: IndexArray, n_edges: int, parent: IndexArray,
) -> tuple[int, bool]:  # fmt: skip
    """Unite changed regions with neighbours of nearly their colour.

    Edges get the regions that they join. Returns how many are left, and whether any were united.
    """
    kept, united = 0, False
    for e in range(n_edges):
        a, b = region[edges[e, 0]], region[edges[e, 1]]
        if a == b:
            continue
        edges[kept, 0] = a
        edges[kept, 1] = b
        kept += 1
        if (changed[a] or changed[b]) and _distance2(means, a, b) < limit2:
            united |= unite(parent, a, b)
    return kept, united


@kernel(bare=True)
def _move_to_roots(
    parent: IndexArray, region: IndexArray, sums: Int64Array, areas: Int64Array, quantum: float,
    words: int, changed: BoolArray, means: Float32Array,
) -> None:  # fmt: skip
    """Give the roots of sets what their members have, and tell which have changed."""
    for a in range(areas.size):
        changed[a] = False
    for a in range(areas.size):
        root = find(parent, region[a])
        if region[a] == a and root != a:
            changed[root] = True
            areas[root] += areas[a]
            areas[a] = 0
            for k in range(sums.shape[1]):
                sums[root, k] += sums[a, k]
                sums[a, k] = 0
        region[a] = root
    for a in range(areas.size):
        if changed[a]:  # a root: its means are taken anew
            _set_mean(sums, areas, a, quantum, words, means)


def _fuse(
    sums: Int64Array, areas: Int64Array, edges: IndexArray, n_edges: int, quantum: float,
    words: int, limit2: np.float32,
) -> tuple[IndexArray, int]:  # fmt: skip
    """Unite neighbours whose mean colours are closer than the limit, in rounds.

    Only pairs of which one has changed are looked at again. Returns the sets and how many edges are
    left. Sums and areas go to the root of each set, its lowest number, and the others become 0.
    """
    parent, region = (numbers(areas.size, edges) for _ in range(2))
    means = mean_colors(sums, areas, quantum, words)
    changed = np.ones(areas.size, np.bool_)
    for _ in range(FUSE_ROUNDS):
        n_edges, united = _unite_near(means, limit2, changed, region, edges, n_edges, parent)
        if not united:
            break
        _move_to_roots(parent, region, sums, areas, quantum, words, changed, means)
    return parent, n_edges


@kernel(bare=True)
def _unite_in_order(
    sums: Int64Array, areas: Int64Array, edges: IndexArray, order: Int64Array, quantum: float,
    words: int, limit2: np.float32, means: Float32Array, parent: IndexArray,
) -> bool:  # fmt: skip
    """Unite neighbours whose mean colours, as they are when their turn comes, are close.

    Sums, areas and means go to the root of each set, its lowest number; the others become 0.
    """
    united = False
    for k in range(order.size):
        a, b = find(parent, edges[order[k], 0]), find(parent, edges[order[k], 1])
        if a == b or not _distance2(means, a, b) < limit2:
            continue
        united |= unite(parent, a, b)
        root, other = min(a, b), max(a, b)
        areas[root] += areas[other]
        areas[other] = 0
        for column in range(sums.shape[1]):
            sums[root, column] += sums[other, column]
            sums[other, column] = 0
        _set_mean(sums, areas, root, quantum, words, means)
    return united


def _fuse_nearest(
    sums: Int64Array, areas: Int64Array, edges: IndexArray, n_edges: int, quantum: float,
    words: int, limit2: np.float32, nearest: Nearest,
) -> tuple[IndexArray, Int64Array, Int64Array, IndexArray, int]:  # fmt: skip
    """Unite neighbours whose mean colours are closer than their limit, nearest first, in rounds.

    They are united unless by their turn their means have come to be as far apart as
    `nearest.far2`. Returns the number, sums and areas of regions, the sets of them, and how many
    edges are left.
    """
    number = numbers(areas.size, edges)
    parent = number.copy()
    for _ in range(FUSE_ROUNDS):
        sums, areas, n_edges = _contract(parent, sums, areas, edges, n_edges)
        number = parent[number]
        parent = numbers(areas.size, edges)
        means = mean_colors(sums, areas, quantum, words)
        order = nearest_first(means, areas, edges[:n_edges], limit2, nearest)
        if not _unite_in_order(
            sums, areas, edges, order, quantum, words, nearest.far2, means, parent
        ):
            break
    return number, sums, areas, parent, n_edges


@kernel(bare=True)
def _nearest_of_small(
    means: Float32Array, areas: Int64Array, edges: IndexArray, n_edges: int, min_size: int,
    best: IndexArray, distance: Float32Array, parent: IndexArray,
) -> bool:  # fmt: skip
    """Unite each small region with its neighbour of nearest colour; return whether any were.

    `best` and `distance` are room, one of each a region.
    """
    n = areas.size
    for a in range(n):
        best[a], distance[a] = n, np.float32(np.inf)
    for e in range(n_edges):
        d = _distance2(means, edges[e, 0], edges[e, 1])
        for side in range(2):
            a, b = edges[e, side], edges[e, 1 - side]
            if areas[a] >= min_size or d > distance[a]:
                continue
            if d < distance[a] or b < best[a]:
                best[a] = b
                distance[a] = d
    united = False
    for a in range(n):
        if best[a] < n:
            united |= unite(parent, a, best[a])
    return united


def distinct(number: IndexArray, n: int, edges: IndexArray, n_edges: int) -> int:
    """Renumber the ends of edges and keep one of each pair that differs; return the edges left."""
    start, fill = np.zeros(n + 1, np.int64), np.empty(n, np.int64)
    other, seen = np.empty(n_edges, edges.dtype), np.empty(n, edges.dtype)
    return _keep_distinct(number, n, edges, n_edges, start, fill, other, seen)


@kernel(bare=True)
def _keep_distinct(
    number: IndexArray, n: int, edges: IndexArray, n_edges: int, start: Int64Array,
    fill: Int64Array, other: IndexArray, seen: IndexArray,
) -> int:  # fmt: skip
    kept = 0
    for e in range(n_edges):
        a, b = number[edges[e, 0]], number[edges[e, 1]]
        if a != b:
            edges[kept, 0] = min(a, b)
            edges[kept, 1] = max(a, b)
            start[min(a, b) + 1] += 1
            kept += 1
    for a in range(n):
        start[a + 1] += start[a]
    for a in range(n):
        fill[a], seen[a] = start[a], -1
    for e in range(kept):
        a = edges[e, 0]
        other[fill[a]] = edges[e, 1]
        fill[a] += 1
    kept = 0
    for a in range(n):
        for e in range(start[a], start[a + 1]):
            if seen[other[e]] != a:
                seen[other[e]] = a
                edges[kept, 0] = a
                edges[kept, 1] = other[e]
                kept += 1
    return kept


@kernel(bare=True)
def _add_up(
    sums: Int64Array, areas: Int64Array, number: IndexArray, merged: Int64Array,
    merged_areas: Int64Array,
) -> None:  # fmt: skip
    """Add the sums and areas of components to those of their regions."""
    for component in range(areas.size):
        merged_areas[number[component]] += areas[component]
        for k in range(sums.shape[1]):
            merged[number[component], k] += sums[component, k]


def _contract(
    parent: IndexArray, sums: Int64Array, areas: Int64Array, edges: IndexArray, n_edges: int
) -> tuple[Int64Array, Int64Array, int]:
    """Make regions of sets: `parent` becomes their numbers, edges join them.

    Returns sums and areas of the regions, and how many edges are left.
    """
    n = number_sets(parent, 0, parent.size, 0)
    merged, merged_areas = np.zeros((n, sums.shape[1]), np.int64), np.zeros(n, np.int64)
    _add_up(sums, areas, parent, merged, merged_areas)
    return merged, merged_areas, distinct(parent, n, edges, n_edges)


def _prune(
    parent: IndexArray, sums: Int64Array, areas: Int64Array, edges: IndexArray, n_edges: int,
    quantum: float, words: int, min_size: int,
) -> tuple[IndexArray, Int64Array, Int64Array, int]:  # fmt: skip
    """Let each small region of the sets join its neighbour of nearest colour, in rounds.

    Returns the number, sums and areas of regions, and how many edges are left.
    """
    number = numbers(areas.size, edges)
    while True:
        sums, areas, n_edges = _contract(parent, sums, areas, edges, n_edges)
        number = parent[number]
        parent = numbers(areas.size, edges)
        means = mean_colors(sums, areas, quantum, words)
        best, distance = np.empty(areas.size, edges.dtype), np.empty(areas.size, np.float32)
        if not _nearest_of_small(means, areas, edges, n_edges, min_size, best, distance, parent):
            return number, sums, areas, n_edges


def merge_regions(
    sums: Int64Array, areas: Int64Array, edges: IndexArray, n_edges: int, quantum: float,
    words: int, limit2: np.float32, min_size: int, nearest: Nearest | None = None,
) -> tuple[IndexArray, Int64Array, Int64Array]:  # fmt: skip
    """Fuse regions of nearly one colour, and prune small ones.

    First neighbours whose mean colours are closer than the limit are united, with everything that
    they touch in turn, and the means taken anew, in `FUSE_ROUNDS` rounds at most. Then each region
    below `min_size` joins its neighbour of nearest colour (ties go to the lower number), all at
    once, in rounds until none has a neighbour. Regions are renumbered after each round, so rounds
    get shorter.

    With `nearest` small regions are pruned first of all, so that they are no bridges, and the
    nearest neighbours are united first in each round.

    Parameters
    ----------
    sums, areas : ndarray, shape (n, 2 + words * C) and (n,), int64
        See `labels.sum_modes`; overwritten.
    edges : ndarray, shape (m, 2), int32 or int64
        Components that touch, the first `n_edges` in use; overwritten.
    quantum, words : float64 and int
        Unit of the features in `sums`, and how many integers each takes.
    limit2 : float32
        Squared limit.
    min_size : int
        Pixels.
    nearest : Nearest, optional
        See above.

    Returns
    -------
    number : ndarray, shape (n,), of the type of the edges
        Region of each component, 0 and on, in the order of their first components.
    sums, areas : ndarray
        Of the regions.
    """
    if nearest is None:
        parent, n_edges = _fuse(sums, areas, edges, n_edges, quantum, words, limit2)
        return _prune(parent, sums, areas, edges, n_edges, quantum, words, min_size)[:3]
    single = numbers(areas.size, edges)
    first, sums, areas, n_edges = _prune(
        single, sums, areas, edges, n_edges, quantum, words, min_size
    )
    then, sums, areas, parent, n_edges = _fuse_nearest(
        sums, areas, edges, n_edges, quantum, words, limit2, nearest
    )
    last, sums, areas, _ = _prune(parent, sums, areas, edges, n_edges, quantum, words, min_size)
    return last[then[first]], sums, areas
