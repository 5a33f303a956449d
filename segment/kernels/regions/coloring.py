"""Colours for regions so that neighbours differ: greedy colouring in smallest-last order.

D. W. Matula and L. L. Beck, "Smallest-last ordering and clustering and graph coloring algorithms",
Journal of the ACM 30(3), 1983: a planar graph has a region of at most 5 neighbours, so taking such
regions away one by one and giving them colours in the opposite order needs 6 colours at most.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segment.kernels.arrays import Int32Array, Int64Array
from segment.kernels.jit import kernel


class Graph(NamedTuple):
    """Which of the regions 1..n touch, and room to order them."""

    pairs: Int32Array  # (E, 2)
    first: Int64Array  # (n + 2,) where the neighbours of each region begin
    others: Int64Array  # (2 E,) neighbours
    fill: Int64Array  # (n + 2,)
    degree: Int64Array  # (n + 1,) neighbours not yet taken away; -1 of what is
    head: Int64Array  # (n + 1,) first of a list of regions for each degree
    after: Int64Array  # (n + 1,)
    before: Int64Array  # (n + 1,)
    order: Int64Array  # (n,) regions as they are taken away
    taken: Int64Array  # (n_colors,) last region that may not have a colour


def color_regions(pairs: Int32Array, n: int, n_colors: int) -> Int64Array:
    """Give each region a colour that no neighbour has.

    Parameters
    ----------
    pairs : ndarray, shape (E, 2), int32
        Regions 1..n that touch.
    n : int
        Number of regions.
    n_colors : int
        Number of colours. Where all are taken by neighbours, as cannot be in the plane with 6 or
        more, the first is given.

    Returns
    -------
    colors : ndarray, shape (n + 1,), int64
        0..n_colors - 1; colors[0] is 0. The colour first tried goes round from region to region, so
        that all are used.
    """
    graph = Graph(
        pairs,
        first=np.zeros(n + 2, np.int64),
        others=np.empty(2 * len(pairs), np.int64),
        fill=np.empty(n + 2, np.int64),
        degree=np.empty(n + 1, np.int64),
        head=np.full(n + 1, -1, np.int64),
        after=np.full(n + 1, -1, np.int64),
        before=np.full(n + 1, -1, np.int64),
        order=np.empty(n, np.int64),
        taken=np.zeros(n_colors, np.int64),
    )
    colors = np.full(n + 1, -1, np.int64)
    _color(graph, colors)
    return colors


@kernel(bare=True)
def _color(graph: Graph, colors: Int64Array) -> None:
    _list_neighbours(graph)
    _order(graph)
    first, others, taken = graph.first, graph.others, graph.taken
    for k in range(len(graph.order) - 1, -1, -1):
        region = graph.order[k]
        for i in range(first[region], first[region + 1]):
            color = colors[others[i]]
            if color >= 0:
                taken[color] = region
        color = region % taken.size
        for _ in range(taken.size):
            if taken[color] != region:
                break
            color = (color + 1) % taken.size
        colors[region] = color
    colors[0] = 0


@kernel(inline="always")
def _list_neighbours(graph: Graph) -> None:
    pairs, first, fill = graph.pairs, graph.first, graph.fill
    for e in range(len(pairs)):
        for side in range(2):
            first[pairs[e, side] + 1] += 1
    for i in range(1, first.size):
        first[i] += first[i - 1]
    for i in range(first.size):
        fill[i] = first[i]
    for e in range(len(pairs)):
        for side in range(2):
            region = pairs[e, side]
            graph.others[fill[region]] = pairs[e, 1 - side]
            fill[region] += 1


@kernel(inline="always")
def _order(graph: Graph) -> None:
    """Take away one region after the other, of those left one with fewest neighbours left."""
    first, degree, head, order = graph.first, graph.degree, graph.head, graph.order
    for region in range(1, order.size + 1):
        degree[region] = first[region + 1] - first[region]
        _push(graph, region)
    lowest = 0
    for k in range(order.size):
        while head[lowest] < 0:
            lowest += 1
        region = head[lowest]
        _remove(graph, region)
        degree[region] = -1
        order[k] = region
        for i in range(first[region], first[region + 1]):
            other = graph.others[i]
            if degree[other] >= 0:
                _remove(graph, other)
                degree[other] -= 1
                _push(graph, other)
        lowest = max(lowest - 1, 0)


@kernel(inline="always")
def _push(graph: Graph, region: int) -> None:
    """Put a region in front of the list of its degree."""
    degree = graph.degree[region]
    graph.after[region] = graph.head[degree]
    graph.before[region] = -1
    if graph.head[degree] >= 0:
        graph.before[graph.head[degree]] = region
    graph.head[degree] = region


@kernel(inline="always")
def _remove(graph: Graph, region: int) -> None:
    """Take a region out of the list of its degree."""
    after, before = graph.after[region], graph.before[region]
    if before >= 0:
        graph.after[before] = after
    else:
        graph.head[graph.degree[region]] = after
    if after >= 0:
        graph.before[after] = before
