"""Colours for regions so that neighbours differ: greedy colouring in smallest-last order.

D. W. Matula and L. L. Beck, "Smallest-last ordering and clustering and graph coloring algorithms",
Journal of the ACM 30(3), 1983: a planar graph has a region of at most 5 neighbours, so taking such
regions away one by one and giving them colours in the opposite order needs 6 colours at most.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel


@kernel()
def color_regions(pairs: Any, n: int, n_colors: int) -> Any:
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
    first, others = neighbour_lists(pairs, n)
    order = smallest_last(first, others, n)
    colors = np.full(n + 1, -1, np.int64)
    taken = np.zeros(n_colors, np.int64)
    for k in range(n - 1, -1, -1):
        region = order[k]
        for i in range(first[region], first[region + 1]):
            color = colors[others[i]]
            if color >= 0:
                taken[color] = region
        color = region % n_colors
        for _ in range(n_colors):
            if taken[color] != region:
                break
            color = (color + 1) % n_colors
        colors[region] = color
    colors[0] = 0
    return colors


@kernel()
def neighbour_lists(pairs: Any, n: int) -> Any:
    """Return where the neighbours of each region begin, (n + 2,), and the neighbours."""
    first = np.zeros(n + 2, np.int64)
    for e in range(len(pairs)):
        first[pairs[e, 0] + 1] += 1
        first[pairs[e, 1] + 1] += 1
    for i in range(1, n + 2):
        first[i] += first[i - 1]
    others = np.empty(2 * len(pairs), np.int64)
    fill = first.copy()
    for e in range(len(pairs)):
        a, b = pairs[e, 0], pairs[e, 1]
        others[fill[a]] = b
        fill[a] += 1
        others[fill[b]] = a
        fill[b] += 1
    return first, others


@kernel()
def smallest_last(first: Any, others: Any, n: int) -> Any:
    """Return the regions 1..n in the order in which they are taken away, (n,)."""
    degree = np.empty(n + 1, np.int64)
    head = np.full(n + 1, -1, np.int64)  # a list of regions for each degree
    after = np.full(n + 1, -1, np.int64)
    before = np.full(n + 1, -1, np.int64)
    for region in range(1, n + 1):
        degree[region] = first[region + 1] - first[region]
        push(head, after, before, degree[region], region)
    order = np.empty(n, np.int64)
    lowest = 0
    for k in range(n):
        while head[lowest] < 0:
            lowest += 1
        region = head[lowest]
        remove(head, after, before, lowest, region)
        degree[region] = -1
        order[k] = region
        for i in range(first[region], first[region + 1]):
            other = others[i]
            if degree[other] >= 0:
                remove(head, after, before, degree[other], other)
                degree[other] -= 1
                push(head, after, before, degree[other], other)
        lowest = max(lowest - 1, 0)
    return order


@kernel(inline="always")
def push(head: Any, after: Any, before: Any, degree: int, region: int) -> None:
    """Put a region in front of the list of its degree."""
    after[region] = head[degree]
    before[region] = -1
    if head[degree] >= 0:
        before[head[degree]] = region
    head[degree] = region


@kernel(inline="always")
def remove(head: Any, after: Any, before: Any, degree: int, region: int) -> None:
    """Take a region out of the list of its degree."""
    if before[region] >= 0:
        after[before[region]] = after[region]
    else:
        head[degree] = after[region]
    if after[region] >= 0:
        before[after[region]] = before[region]
