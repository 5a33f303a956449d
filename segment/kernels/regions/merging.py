"""Best-first merging of regions into a tree: sums as features, a heap with lazy deletion."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segment.kernels.arrays import Float32Array, Int32Array
from segment.kernels.jit import REASSOCIATE, ZERO, kernel
from segment.kernels.regions.heap import Heap, pop, push, put, sweep

F = np.float32

# The floors of `merge_height`: how much a cue counts where it sees no difference at all.
FLOOR, TEXTURE_FLOOR, PARTED_FLOOR = F(0.02), F(0.1), F(0.05)
# A region of this share of the image is no longer small.
SIZE_FLOOR = F(0.001)
SIZE_POWER = F(0.7)
# All edges of a region are computed anew when it is larger by this factor than the last time, the
# edges that a merge changes at once.
GROWTH = F(17 / 16)
HEAP_ROOM = 4  # entries of the heap per edge; stale ones are swept out when it is full


@kernel(fastmath=REASSOCIATE | {"arcp"}, bare=True)
def chi_square(
    a: Float32Array, b: Float32Array, per_a: np.float32, per_b: np.float32
) -> np.float32:
    """Half the chi-square distance of two histograms, each times a factor: 0..1 if sums are 1."""
    total = F(0)
    for i in range(a.size):
        p, q = a[i] * per_a, b[i] * per_b
        total += (p - q) * (p - q) / (p + q + F(1e-12))
    return F(0.5) * total


@kernel(bare=True)
def merge_height(
    color: np.float32,
    texture: np.float32,
    contrast: np.float32,
    difference: np.float32,
    strangeness: np.float32,
    parted: np.float32,
    size: np.float32,
    length: np.float32,
    scale: np.float32,
) -> np.float32:
    """How much two touching regions are worth keeping apart; the lowest pair merges first.

    ``(color + .02) (texture + .1)^.5 (contrast + .02)^.5 (difference + .02)^1.5
    (strangeness + .02)^3 (parted + .05) (size + .001)^.7 (length / scale)^-.5``

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
    parted : float32
        How likely people would part the two sides, 0..1.
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
    twice a floor, or 0.1 more or less on a power, changes the covering by less than 0.005; that of
    `parted` on forty of them, which a network trained for that on the others had not seen.
    """
    strange, differing = strangeness + FLOOR, difference + FLOOR
    roots = np.sqrt((texture + TEXTURE_FLOOR) * (contrast + FLOOR) * differing * scale / length)
    between = differing * strange * strange * strange * (parted + PARTED_FLOOR)
    return (color + FLOOR) * between * (size + SIZE_FLOOR) ** SIZE_POWER * roots


class Regions(NamedTuple):
    """What regions are like; row 0 is unused."""

    counts: Float32Array  # (n + 1, K) pixels of each word
    first_texture: int  # column of the first word of texture
    areas: Float32Array  # (n + 1,) pixels
    perimeters: Float32Array  # (n + 1,) cracks
    n_pixels: np.float32  # of the image


class Edges(NamedTuple):
    """Which regions touch. Side ``2 e + k`` is end k of edge e; those of a region are a chain."""

    pairs: Int32Array  # (E, 2)
    lengths: Float32Array  # (E,) cracks of the shared boundary
    boundaries: Float32Array  # (E, 4) contrast, difference, strangeness, parted, over the cracks
    latest: Int32Array  # (E,) version in the heap; -1 once it is gone
    first: Int32Array  # (n + 1,) first side of each region
    following: Int32Array  # (2 E,) the next side, -1 at the end
    slots: Int32Array  # a hash table, to find them by their pairs


class Forest(NamedTuple):
    """The trees that grow, and what their roots are."""

    children: Int32Array  # (n - 1, 2) nodes that each merge joins
    heights: Float32Array  # (n - 1,)
    node: Int32Array  # (n + 1,) node of each region now
    weighed: Float32Array  # (n + 1,) its area when the heights of all its edges were computed


@kernel(bare=True)
def _edge_height(regions: Regions, edges: Edges, a: int, b: int, edge: int) -> np.float32:
    counts, areas, perimeters = regions.counts, regions.areas, regions.perimeters
    first_texture, length = regions.first_texture, edges.lengths[edge]
    per_a, per_b = F(1) / areas[a], F(1) / areas[b]
    # Two palettes of colours, each of which sums to 1.
    color = F(0.5) * chi_square(counts[a, :first_texture], counts[b, :first_texture], per_a, per_b)
    texture = chi_square(counts[a, first_texture:], counts[b, first_texture:], per_a, per_b)
    size = areas[a] * areas[b] / ((areas[a] + areas[b]) * regions.n_pixels)
    scale = np.sqrt(min(perimeters[a], perimeters[b]) * np.sqrt(regions.n_pixels))
    boundary = edges.boundaries
    return merge_height(
        color,
        texture,
        boundary[edge, 0] / length,
        boundary[edge, 1] / length,
        boundary[edge, 2] / length,
        boundary[edge, 3] / length,
        size,
        length,
        scale,
    )


@kernel(inline="always")
def _place(a: int, b: int, n_slots: int) -> int:
    key = np.int64(min(a, b)) * 40503 + np.int64(max(a, b)) * 25717
    return int((key ^ (key >> 15)) & (n_slots - 1))


@kernel(bare=True)
def find_edge(slots: Int32Array, pairs: Int32Array, latest: Int32Array, a: int, b: int) -> int:
    """Return the living edge between regions `a` and `b`, or -1."""
    i = _place(a, b, len(slots))
    while slots[i] >= 0:
        edge = slots[i]
        c, d = pairs[edge, 0], pairs[edge, 1]
        if latest[edge] >= 0 and ((a == c and b == d) or (a == d and b == c)):
            return edge
        i = (i + 1) & (len(slots) - 1)
    return -1


@kernel(bare=True)
def put_edge(slots: Int32Array, pairs: Int32Array, edge: int) -> None:
    """Let `find_edge` find an edge by the regions that it joins now."""
    i = _place(pairs[edge, 0], pairs[edge, 1], len(slots))
    while slots[i] >= 0:
        i = (i + 1) & (len(slots) - 1)
    slots[i] = edge


@kernel(bare=True)
def put_edges(slots: Int32Array, pairs: Int32Array, latest: Int32Array) -> int:
    """Empty the table and put all living edges into it; return how many they are."""
    for i in range(len(slots)):
        slots[i] = -1
    count = 0
    for edge in range(len(pairs)):
        if latest[edge] >= 0:
            put_edge(slots, pairs, edge)
            count += 1
    return count


@kernel(inline="always")
def _chain_sides(regions: Regions, edges: Edges) -> None:
    """Chain the sides of each region, and add up its perimeter."""
    for edge in range(len(edges.pairs)):
        for k in range(2):
            region = edges.pairs[edge, k]
            regions.perimeters[region] += edges.lengths[edge]
            edges.following[2 * edge + k] = edges.first[region]
            edges.first[region] = 2 * edge + k


@kernel(inline="always")
def _take_in(regions: Regions, a: int, b: int, length: np.float32) -> None:
    """Let region `a` take in region `b`, which it touches along so many cracks."""
    regions.perimeters[a] += regions.perimeters[b] - 2 * length
    regions.areas[a] += regions.areas[b]
    for i in range(regions.counts.shape[1]):
        regions.counts[a, i] += regions.counts[b, i]


@kernel(inline="always")
def _join_twins(edges: Edges, twin: int, edge: int) -> None:
    """Add an edge to another one of the same two regions."""
    edges.lengths[twin] += edges.lengths[edge]
    for i in range(4):
        edges.boundaries[twin, i] += edges.boundaries[edge, i]
    edges.latest[edge] = -1


@kernel(inline="always")
def _take_sides(
    regions: Regions, edges: Edges, heap: Heap, a: int, b: int, weigh: bool, used: int, size: int
) -> tuple[int, int]:
    """Give the sides of region `b` to `a`; of two edges to one region the elder takes the sums.

    With `weigh` they get new heights. Returns the slots used and the size of the heap.
    """
    pairs, latest, slots = edges.pairs, edges.latest, edges.slots
    side = edges.first[b]
    while side >= 0:
        after, edge = edges.following[side], side >> 1
        if latest[edge] >= 0:
            other = pairs[edge, 1 - (side & 1)]
            twin = find_edge(slots, pairs, latest, a, other)
            if twin >= 0:
                _join_twins(edges, twin, edge)
                edge = twin
            else:
                pairs[edge, side & 1] = a
                edges.following[side] = edges.first[a]
                edges.first[a] = side
                if 2 * used >= len(slots):
                    used = put_edges(slots, pairs, latest)
                else:
                    put_edge(slots, pairs, edge)
                    used += 1
            if weigh:
                size = push(heap, size, _edge_height(regions, edges, a, other, edge), edge)
        side = after
    return used, size


@kernel(inline="always")
def _weigh_sides(regions: Regions, edges: Edges, heap: Heap, a: int, size: int) -> int:
    """Give all edges of a region new heights, and drop those gone from its chain."""
    side, last = edges.first[a], -1
    while side >= 0:
        after, edge = edges.following[side], side >> 1
        if edges.latest[edge] >= 0:
            other = edges.pairs[edge, 1 - (side & 1)]
            size = push(heap, size, _edge_height(regions, edges, a, other, edge), edge)
            last = side
        elif last >= 0:
            edges.following[last] = after
        else:
            edges.first[a] = after
        side = after
    return size


@kernel(bare=True)
def _merge_all(regions: Regions, edges: Edges, heap: Heap, forest: Forest) -> int:
    """Merge until nothing touches; return how many merges that took."""
    areas, pairs, latest = regions.areas, edges.pairs, edges.latest
    _chain_sides(regions, edges)
    for edge in range(len(pairs)):
        height = _edge_height(regions, edges, pairs[edge, 0], pairs[edge, 1], edge)
        put(heap, edge, height, edge, ZERO)
    size = sweep(heap, len(pairs))
    used = put_edges(edges.slots, pairs, latest)
    n, merges = len(areas) - 1, 0
    for region in range(n + 1):
        forest.node[region] = region - 1
        forest.weighed[region] = areas[region]
    while size > 0:
        edge, version, height = heap.items[0], heap.versions[0], heap.heights[0]
        size = pop(heap, size)
        if version != latest[edge]:
            continue
        a, b = pairs[edge, 0], pairs[edge, 1]
        if areas[a] < areas[b] or (areas[a] == areas[b] and a > b):
            a, b = b, a
        forest.children[merges, 0], forest.children[merges, 1] = forest.node[a], forest.node[b]
        forest.heights[merges] = height
        forest.node[a] = n + merges
        merges += 1
        latest[edge] = -1
        _take_in(regions, a, b, edges.lengths[edge])
        grown = areas[a] > GROWTH * forest.weighed[a]
        used, size = _take_sides(regions, edges, heap, a, b, not grown, used, size)
        if grown:
            forest.weighed[a] = areas[a]
            size = _weigh_sides(regions, edges, heap, a, size)
    return merges


def merge(
    counts: Float32Array,
    first_texture: int,
    areas: Float32Array,
    pairs: Int32Array,
    lengths: Float32Array,
    boundaries: Float32Array,
    n_pixels: np.float32,
) -> tuple[Int32Array, Float32Array]:
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
    boundaries : ndarray, shape (E, 4), float32
        Contrast, difference, strangeness and how likely parted, see `merge_height`, summed over the
        cracks.
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
    room = HEAP_ROOM * n_edges + 1
    n_slots = 1 << max(4 * n_edges - 1, 7).bit_length()
    regions = Regions(counts, first_texture, areas, np.zeros(n + 1, np.float32), n_pixels)
    edges = Edges(
        pairs,
        lengths,
        boundaries,
        latest=np.zeros(n_edges, np.int32),
        first=np.full(n + 1, -1, np.int32),
        following=np.empty(2 * n_edges, np.int32),
        slots=np.empty(n_slots, np.int32),
    )
    heap = Heap(
        heights=np.empty(room, np.float32),
        items=np.empty(room, np.int32),
        versions=np.empty(room, np.int32),
        current=edges.latest,
    )
    forest = Forest(
        children=np.empty((max(n - 1, 0), 2), np.int32),
        heights=np.empty(max(n - 1, 0), np.float32),
        node=np.empty(n + 1, np.int32),
        weighed=np.empty(n + 1, np.float32),
    )
    merges = _merge_all(regions, edges, heap, forest)
    return forest.children[:merges], forest.heights[:merges]
