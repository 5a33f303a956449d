"""Best-first merging of regions into a tree: sums as features, a heap with lazy deletion."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import REASSOCIATE, kernel
from segment.kernels.regions.heap import pop, push, sweep

F = np.float32

# The floors of `merge_height`: how much a cue counts where it sees no difference at all.
FLOOR, TEXTURE_FLOOR = F(0.02), F(0.1)
# A region of this share of the image is no longer small.
SIZE_FLOOR = F(0.001)
SIZE_POWER = F(0.7)
# All edges of a region are computed anew when it is larger by this factor than the last time, the
# edges that a merge changes at once.
GROWTH = F(17 / 16)
HEAP_ROOM = 4  # entries of the heap per edge; stale ones are swept out when it is full


@kernel(fastmath=REASSOCIATE | {"arcp"})
def chi_square(a: Any, b: Any, per_a: Any, per_b: Any) -> Any:
    """Half the chi-square distance of two histograms, each times a factor: 0..1 if sums are 1."""
    total = F(0)
    for i in range(a.size):
        p, q = a[i] * per_a, b[i] * per_b
        total += (p - q) * (p - q) / (p + q + F(1e-12))
    return F(0.5) * total


@kernel()
def merge_height(
    color: Any,
    texture: Any,
    contrast: Any,
    difference: Any,
    strangeness: Any,
    size: Any,
    length: Any,
    scale: Any,
) -> Any:
    """How much two touching regions are worth keeping apart; the lowest pair merges first.

    ``(color + .02) (texture + .1)^.5 (contrast + .02) (difference + .02) (strangeness + .02)^3
    (size + .001)^.7 (length / scale)^-.5``

    Parameters
    ----------
    color, texture : float32
        Distances of the histograms of the regions, 0..1.
    contrast : float32
        Mean contrast along the shared boundary, about 0..1.
    difference : float32
        Mean distance of the histograms around both sides of the boundary, 0..1.
    strangeness : float32
        How seldom the colours on both sides are neighbours, 0..1.
    size : float32
        Half the harmonic mean of the areas, as a share of the image: small regions go first.
    length : float32
        Cracks of the shared boundary: regions that touch along a long line go first.
    scale : float32
        What a long line is: the geometric mean of the smaller perimeter and the side of the image.

    Notes
    -----
    A product, so that any one cue that sees no difference is enough to merge two regions. The
    constants were chosen on the 200 training images of BSDS500, where the optimum is flat: half or
    twice a floor, or 0.1 more or less on a power, changes the covering by less than 0.005.
    """
    inside = (color + FLOOR) * np.sqrt(texture + TEXTURE_FLOOR)
    strange = strangeness + FLOOR
    between = (contrast + FLOOR) * (difference + FLOOR) * strange * strange * strange
    return inside * between * (size + SIZE_FLOOR) ** SIZE_POWER / np.sqrt(length / scale)


@kernel()
def _edge_height(regions: Any, lengths: Any, boundaries: Any, a: int, b: int, edge: int) -> Any:
    counts, first_texture, areas, perimeters, n_pixels = regions
    area_a, area_b, length = areas[a], areas[b], lengths[edge]
    per_a, per_b = F(1) / area_a, F(1) / area_b
    # Two codebooks of colours, each of which sums to 1.
    color = F(0.5) * chi_square(counts[a, :first_texture], counts[b, :first_texture], per_a, per_b)
    texture = chi_square(counts[a, first_texture:], counts[b, first_texture:], per_a, per_b)
    size = area_a * area_b / ((area_a + area_b) * n_pixels)
    scale = np.sqrt(min(perimeters[a], perimeters[b]) * np.sqrt(n_pixels))
    contrast, difference, strangeness = boundaries[edge]
    return merge_height(
        color,
        texture,
        contrast / length,
        difference / length,
        strangeness / length,
        size,
        length,
        scale,
    )


@kernel(inline="always")
def _place(a: int, b: int, n_slots: int) -> Any:
    key = np.int64(min(a, b)) * 40503 + np.int64(max(a, b)) * 25717
    return (key ^ (key >> 15)) & (n_slots - 1)


@kernel()
def find_edge(slots: Any, pairs: Any, latest: Any, a: int, b: int) -> int:
    """Return the living edge between regions `a` and `b`, or -1."""
    i = _place(a, b, len(slots))
    while slots[i] >= 0:
        edge = slots[i]
        c, d = pairs[edge, 0], pairs[edge, 1]
        if latest[edge] >= 0 and ((a == c and b == d) or (a == d and b == c)):
            return edge
        i = (i + 1) & (len(slots) - 1)
    return -1


@kernel()
def put_edge(slots: Any, pairs: Any, edge: int) -> None:
    """Let `find_edge` find an edge by the regions that it joins now."""
    i = _place(pairs[edge, 0], pairs[edge, 1], len(slots))
    while slots[i] >= 0:
        i = (i + 1) & (len(slots) - 1)
    slots[i] = edge


@kernel()
def put_edges(slots: Any, pairs: Any, latest: Any) -> int:
    """Empty the table and put all living edges into it; return how many they are."""
    slots[:] = -1
    count = 0
    for edge in range(len(pairs)):
        if latest[edge] >= 0:
            put_edge(slots, pairs, edge)
            count += 1
    return count


@kernel()
def merge(
    counts: Any,
    first_texture: int,
    areas: Any,
    pairs: Any,
    lengths: Any,
    boundaries: Any,
    n_pixels: Any,
) -> Any:
    """Merge regions, lowest height first, until nothing touches; the arrays are used up.

    A merge changes the larger of two regions (of equal ones the first): what touched the smaller
    one gets a new height, and what touched the larger one does once that has grown by 1/16 since
    the last time. So a sea that swallows its islands is not weighed against all others each time,
    and E edges cost no more than E log(image) heights.

    Parameters
    ----------
    counts : ndarray, shape (n + 1, K), float32
        Pixels of each word in each region (row 0 is unused): two codebooks of colours, then from
        column `first_texture` one of textures.
    areas : ndarray, shape (n + 1,), float32
        Pixels of each region.
    pairs : ndarray, shape (E, 2), int32
        Regions that touch, 1..n.
    lengths : ndarray, shape (E,), float32
        Cracks of each shared boundary.
    boundaries : ndarray, shape (E, 3), float32
        Contrast, difference and strangeness, see `merge_height`, summed over the cracks.
    n_pixels : float32
        Pixels of the image.

    Returns
    -------
    children : ndarray, shape (M, 2), int32
        Nodes that merge k joins into node n + k; leaf i is region i + 1. M is n - 1 where all
        regions hang together.
    heights : ndarray, shape (M,), float32
        Height of each merge, in order; they may fall.
    """
    n, n_edges = len(areas) - 1, len(pairs)
    perimeters = np.zeros(n + 1, np.float32)
    # Side 2 e + k is end k of edge e; the sides of a region are chained from first[region] on.
    first = np.full(n + 1, -1, np.int32)
    following = np.empty(2 * n_edges, np.int32)
    for edge in range(n_edges):
        for k in range(2):
            region = pairs[edge, k]
            perimeters[region] += lengths[edge]
            following[2 * edge + k] = first[region]
            first[region] = 2 * edge + k
    regions = (counts, first_texture, areas, perimeters, n_pixels)

    room = HEAP_ROOM * n_edges + 1
    keys = np.empty(room, np.float32)
    items = np.empty(room, np.int32)
    versions = np.zeros(room, np.int32)
    latest = np.zeros(n_edges, np.int32)  # version of each edge; -1 once it is gone
    for edge in range(n_edges):
        keys[edge] = _edge_height(
            regions, lengths, boundaries, pairs[edge, 0], pairs[edge, 1], edge
        )
        items[edge] = edge
    size = sweep(keys, items, versions, n_edges, latest)
    n_slots = 8
    while n_slots < 4 * n_edges:
        n_slots *= 2
    slots = np.empty(n_slots, np.int32)
    used = put_edges(slots, pairs, latest)

    children = np.empty((max(n - 1, 0), 2), np.int32)
    heights = np.empty(max(n - 1, 0), np.float32)
    node = np.empty(n + 1, np.int32)
    for region in range(n + 1):
        node[region] = region - 1
    weighed = areas.copy()  # area of each region when the heights of all its edges were computed
    merges = 0
    while size > 0:
        edge, version, height = items[0], versions[0], keys[0]
        size = pop(keys, items, versions, size)
        if version != latest[edge]:
            continue
        a, b = pairs[edge, 0], pairs[edge, 1]
        if areas[a] < areas[b] or (areas[a] == areas[b] and a > b):
            a, b = b, a
        children[merges, 0], children[merges, 1], heights[merges] = node[a], node[b], height
        node[a] = n + merges
        merges += 1
        latest[edge] = -1
        perimeters[a] += perimeters[b] - 2 * lengths[edge]
        areas[a] += areas[b]
        for i in range(counts.shape[1]):
            counts[a, i] += counts[b, i]
        grown = areas[a] > GROWTH * weighed[a]

        # The sides of b go over to a; of two edges to one region the elder takes the sums.
        side = first[b]
        while side >= 0:
            after, e = following[side], side >> 1
            if latest[e] >= 0:
                other = pairs[e, 1 - (side & 1)]
                twin = find_edge(slots, pairs, latest, a, other)
                if twin >= 0:
                    lengths[twin] += lengths[e]
                    for i in range(3):
                        boundaries[twin, i] += boundaries[e, i]
                    latest[e] = -1
                    e = twin
                else:
                    pairs[e, side & 1] = a
                    following[side] = first[a]
                    first[a] = side
                    if 2 * used >= n_slots:
                        used = put_edges(slots, pairs, latest)
                    else:
                        put_edge(slots, pairs, e)
                        used += 1
                if not grown:
                    height = _edge_height(regions, lengths, boundaries, a, other, e)
                    size = push(keys, items, versions, size, height, e, latest)
            side = after
        if not grown:
            continue
        weighed[a] = areas[a]
        side, last = first[a], -1
        while side >= 0:
            after, e = following[side], side >> 1
            if latest[e] >= 0:
                other = pairs[e, 1 - (side & 1)]
                height = _edge_height(regions, lengths, boundaries, a, other, e)
                size = push(keys, items, versions, size, height, e, latest)
                last = side
            elif last >= 0:
                following[last] = after
            else:
                first[a] = after
            side = after
    return children[:merges], heights[:merges]


@kernel()
def cut_tree(parents: Any, n_leaves: int, n_merges: int, table: Any) -> int:
    """Number the regions after `n_merges` merges; return how many there are.

    `table` (n_leaves + 1,) takes the region of each leaf, from 1 in the order of their first leaf;
    table[0] stays 0.
    """
    n_nodes = n_leaves + n_merges
    number = np.zeros(n_nodes, np.int32)
    top = np.empty(n_nodes, np.int32)
    for node in range(n_nodes - 1, -1, -1):
        top[node] = node
        if 0 <= parents[node] < n_nodes:
            top[node] = top[parents[node]]
    count = 0
    for leaf in range(n_leaves):
        if number[top[leaf]] == 0:
            count += 1
            number[top[leaf]] = count
        table[leaf + 1] = number[top[leaf]]
    return count


@kernel()
def meeting_levels(pairs: Any, parents: Any, levels: Any, out: Any) -> None:
    """Put into `out` (E,) the level at which each pair of leaves (1..n) is in one region.

    Pairs must be below one root. Nodes are on chains, each from a node to the child with most nodes
    below it [1]_, so that few chains lie above any leaf, be the tree as lopsided as it will.

    References
    ----------
    .. [1] D. Sleator and R. Tarjan, "A Data Structure for Dynamic Trees", Journal of Computer and
       System Sciences 26(3), 1983.
    """
    m = len(parents)
    below = np.ones(m, np.int64)
    heavy = np.full(m, -1, np.int32)
    for node in range(m):  # children come before their parents
        above = parents[node]
        if above >= 0:
            below[above] += below[node]
            if heavy[above] < 0 or below[node] > below[heavy[above]]:
                heavy[above] = node
    top = np.empty(m, np.int32)
    for node in range(m - 1, -1, -1):
        above = parents[node]
        top[node] = top[above] if above >= 0 and heavy[above] == node else node
    for i in range(len(pairs)):
        a, b = pairs[i, 0] - 1, pairs[i, 1] - 1
        while top[a] != top[b]:
            # The chain that ends lower is left: its parent was made earlier.
            if parents[top[b]] < 0 or 0 <= parents[top[a]] < parents[top[b]]:
                a = parents[top[a]]
            else:
                b = parents[top[b]]
        out[i] = levels[max(a, b)]
