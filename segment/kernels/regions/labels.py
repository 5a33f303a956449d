"""From modes to regions in linear time: connected components, adjacency, fusion and pruning.

Every pixel has an owner, a row of a table of modes; -1 marks masked pixels. Components are found
run by run with union-find, in fixed bands of rows that threads share; numbers follow raster order,
so they depend on neither bands nor threads. Neighbouring regions are an edge list, with one entry a
contact at first; each round of merging keeps one entry a pair, by counting, in linear time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel

FUSE_ROUNDS = 5
SEEN = 4096  # contacts remembered, a power of two


@kernel(inline="always")
def find(parent: Any, item: Any) -> Any:
    """Return the root of `item`, halving the path to it."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@kernel(inline="always")
def unite(parent: Any, a: Any, b: Any) -> bool:
    """Unite the sets of `a` and `b` under the lower root; return whether they were apart."""
    a = find(parent, a)
    b = find(parent, b)
    if a == b:
        return False
    if a < b:
        parent[b] = a
    else:
        parent[a] = b
    return True


@kernel(inline="always")
def _close(modes: Any, a: Any, b: Any, limit2: Any) -> Any:
    """Whether the colours of two modes (columns 2 and on) are closer than the limit."""
    total = np.float32(0)
    for k in range(2, modes.shape[1]):
        d = modes[a, k] - modes[b, k]
        total += d * d
    return total < limit2


@kernel()
def join_rows(
    owner: Any, modes: Any, limit2: Any, connectivity: int, i: int, runs: Any, parent: Any
) -> None:
    """Unite the runs of row `i` with those of the row above where linked pixels touch."""
    width = owner.shape[1]
    for step in range(-1 if connectivity == 2 else 0, 2 if connectivity == 2 else 1):
        last_above, last_here = -1, -1
        for j in range(max(0, -step), min(width, width - step)):
            here, above = owner[i, j], owner[i - 1, j + step]
            if here < 0 or above < 0:
                continue
            run_here, run_above = runs[i, j], runs[i - 1, j + step]
            if run_here == last_here and run_above == last_above:
                continue
            if here == above or _close(modes, here, above, limit2):
                unite(parent, run_here, run_above)
                last_here, last_above = run_here, run_above


@kernel()
def find_runs(
    owner: Any, modes: Any, limit2: Any, connectivity: int, first: int, last: int, runs: Any,
    parent: Any,
) -> int:  # fmt: skip
    """Number the runs of the rows ``first:last`` from ``first * W`` on and unite those that touch.

    Parameters
    ----------
    owner : ndarray, shape (H, W), int32
        Row of `modes` that each pixel belongs to, -1 where masked.
    modes : ndarray, shape (n, 2 + C), float32
        Row, column and colour of each mode.
    limit2 : float32
        Neighbours are linked when the squared distance of their colours is below this.
    connectivity : int
        1 or 2.
    runs : ndarray, shape (H, W), int32
        Receives the run of each pixel, -1 where masked.
    parent : ndarray, shape (H * W,), int32
        Receives the union-find forest of the runs.

    Returns
    -------
    end : int
        One past the last run used.
    """
    width = owner.shape[1]
    end = first * width
    for i in range(first, last):
        before = -1
        for j in range(width):
            here = owner[i, j]
            if here < 0:
                runs[i, j] = -1
            else:
                if before < 0 or (here != before and not _close(modes, here, before, limit2)):
                    parent[end] = end
                    end += 1
                runs[i, j] = end - 1
            before = here
        if i > first:
            join_rows(owner, modes, limit2, connectivity, i, runs, parent)
    return end


@kernel()
def number_sets(parent: Any, first: int, end: int, n: int) -> int:
    """Replace the parents ``first:end`` by the numbers of their sets; return the next number free.

    Sets are numbered from `n` on in the order of their roots, which precede their members.
    """
    for item in range(first, end):
        root = parent[item]
        if root == item:
            parent[item] = n
            n += 1
        else:
            parent[item] = parent[root]
    return n


@kernel()
def number_roots(parent: Any, starts: Any, ends: Any) -> int:
    """Number, 0 and on, the components of the runs ``starts[k]:ends[k]``; return how many.

    The ranges rise; `parent` receives the number of each run.
    """
    n = 0
    for k in range(starts.size):
        n = number_sets(parent, starts[k], ends[k], n)
    return n


@kernel()
def relabel(labels: Any, table: Any, first: int, last: int, offset: int) -> None:
    """Replace labels of rows ``first:last`` by ``table[label] + offset``, -1 by ``offset - 1``."""
    for i in range(first, last):
        for j in range(labels.shape[1]):
            label = labels[i, j]
            labels[i, j] = (table[label] if label >= 0 else -1) + offset


@kernel()
def number_in_order(labels: Any, number: Any, areas: Any) -> int:
    """Renumber regions by their first pixels; return how many there are.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        From 1 on, 0 where masked; changed in place.
    number : ndarray, shape (n + 1,), int32
        Receives the new label of each old one, 0 of what there is no pixel of.
    areas : ndarray, shape (n + 1,), int64
        Receives the pixels of each new label.
    """
    number[:] = 0
    areas[:] = 0
    n = 0
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            label = labels[i, j]
            if label != 0 and number[label] == 0:
                n += 1
                number[label] = n
            labels[i, j] = number[label]
            areas[number[label]] += 1
    return n


@kernel()
def count_pixels(labels: Any, areas: Any) -> None:
    """Put the pixels of each label 0..n into `areas` (n + 1,), int64."""
    areas[:] = 0
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            areas[labels[i, j]] += 1


@kernel()
def sum_modes(labels: Any, owner: Any, modes: Any, sums: Any, areas: Any) -> None:
    """Add up modes, float64 (n, 2 + C), and pixels, int64 (n,), of the components 0..n-1."""
    height, width = labels.shape
    for i in range(height):
        j = 0
        while j < width:
            label, mode, start = labels[i, j], owner[i, j], j
            while j < width and labels[i, j] == label and owner[i, j] == mode:
                j += 1
            if label >= 0:
                areas[label] += j - start
                for k in range(modes.shape[1]):
                    sums[label, k] += modes[mode, k] * np.float64(j - start)


@kernel()
def list_edges(labels: Any, connectivity: int, first: int, last: int, edges: Any) -> int:
    """Write the contacts of the components of rows ``first:last`` among themselves and downwards.

    Contacts that came up shortly before are left out; some others come up again.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        Component of each pixel, -1 where masked.
    connectivity, first, last : int
        As in `find_runs`.
    edges : ndarray, shape (2 * connectivity * rows * W, 2), int32
        Receives the numbers of both components.

    Returns
    -------
    n : int
        Contacts written.
    """
    height, width = labels.shape
    seen = np.full(SEEN, -1, np.int64)
    n = 0
    for i in range(first, last):
        for step in range(4 if connectivity == 2 else 2):
            di = 0 if step == 0 else 1
            dj = 1 if step == 0 else (0, 0, -1, 1)[step]
            if i + di >= height:
                continue
            for j in range(max(0, -dj), min(width, width - dj)):
                a, b = labels[i, j], labels[i + di, j + dj]
                if a == b or a < 0 or b < 0:
                    continue
                pair = (np.int64(min(a, b)) << 32) + np.int64(max(a, b))
                place = (pair ^ (pair >> 21)) & (SEEN - 1)
                if seen[place] == pair:
                    continue
                seen[place] = pair
                edges[n, 0] = a
                edges[n, 1] = b
                n += 1
    return n


@kernel(inline="always")
def _distance2(means: Any, a: Any, b: Any) -> Any:
    total = np.float32(0)
    for k in range(means.shape[1]):
        d = means[a, k] - means[b, k]
        total += d * d
    return total


@kernel()
def _mean_colors(sums: Any, areas: Any) -> Any:
    """Return the mean colour of each region, float32 (n, C)."""
    means = np.empty((areas.size, sums.shape[1] - 2), np.float32)
    for region in range(areas.size):
        for k in range(means.shape[1]):
            means[region, k] = sums[region, k + 2] / areas[region]
    return means


@kernel()
def _fuse(sums: Any, areas: Any, edges: Any, n_edges: int, limit2: Any) -> Any:
    """Unite neighbours whose mean colours are closer than the limit, in rounds.

    Only pairs of which one has changed are looked at again. Returns the sets and how many edges are
    left. Sums and areas go to the root of each set, its lowest number, and the others become 0.
    """
    n = areas.size
    parent, region = np.arange(n).astype(np.int32), np.arange(n).astype(np.int32)
    means = _mean_colors(sums, areas)
    changed = np.ones(n, np.bool_)
    for _ in range(FUSE_ROUNDS):
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
        n_edges = kept
        if not united:
            break
        changed[:] = False
        for a in range(n):
            root = find(parent, region[a])
            if region[a] == a and root != a:
                changed[root] = True
                areas[root] += areas[a]
                areas[a] = 0
                for k in range(sums.shape[1]):
                    sums[root, k] += sums[a, k]
                    sums[a, k] = 0
            region[a] = root
        for a in range(n):
            if changed[a]:  # a root: its means are taken anew
                for k in range(means.shape[1]):
                    means[a, k] = sums[a, k + 2] / areas[a]
    return parent, n_edges


@kernel()
def _nearest_of_small(
    means: Any, areas: Any, edges: Any, n_edges: int, min_size: int, parent: Any
) -> bool:
    """Unite each small region with its neighbour of nearest colour; return whether any were."""
    n = areas.size
    best = np.full(n, n, np.int32)
    distance = np.full(n, np.inf, np.float32)
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


@kernel()
def _distinct(number: Any, n: int, edges: Any, n_edges: int) -> int:
    """Renumber the ends of edges and keep one of each pair that differs; return the edges left."""
    start = np.zeros(n + 1, np.int64)
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
    other = np.empty(kept, np.int32)
    fill = start[:n].copy()
    for e in range(kept):
        a = edges[e, 0]
        other[fill[a]] = edges[e, 1]
        fill[a] += 1
    seen = np.full(n, -1, np.int32)
    kept = 0
    for a in range(n):
        for e in range(start[a], start[a + 1]):
            if seen[other[e]] != a:
                seen[other[e]] = a
                edges[kept, 0] = a
                edges[kept, 1] = other[e]
                kept += 1
    return kept


@kernel()
def merge_regions(
    sums: Any, areas: Any, edges: Any, n_edges: int, limit2: Any, min_size: int
) -> Any:
    """Fuse regions of nearly one colour, then prune small ones.

    First neighbours whose mean colours are closer than the limit are united, with everything that
    they touch in turn, and the means taken anew, in `FUSE_ROUNDS` rounds at most. Then each region
    below `min_size` joins its neighbour of nearest colour (ties go to the lower number), all at
    once, in rounds until none has a neighbour. Regions are renumbered after each round, so rounds
    get shorter.

    Parameters
    ----------
    sums, areas : ndarray, shape (n, 2 + C), float64, and (n,), int64
        From `sum_modes`.
    edges : ndarray, shape (m, 2), int32
        From `list_edges`, the first `n_edges` in use; overwritten.
    limit2 : float32
        Squared limit.
    min_size : int
        Pixels.

    Returns
    -------
    number : ndarray, shape (n,), int32
        Region of each component, 0 and on, in the order of their first components.
    sums, areas : ndarray
        Of the regions.
    """
    number = np.arange(areas.size).astype(np.int32)
    parent, n_edges = _fuse(sums, areas, edges, n_edges, limit2)
    while True:
        n = number_sets(parent, 0, parent.size, 0)
        merged = np.zeros((n, sums.shape[1]), np.float64)
        merged_areas = np.zeros(n, np.int64)
        for region in range(areas.size):
            merged_areas[parent[region]] += areas[region]
            for k in range(sums.shape[1]):
                merged[parent[region], k] += sums[region, k]
        sums, areas = merged, merged_areas
        n_edges = _distinct(parent, n, edges, n_edges)
        for component in range(number.size):
            number[component] = parent[number[component]]
        parent = np.arange(n).astype(np.int32)
        means = _mean_colors(sums, areas)
        if not _nearest_of_small(means, areas, edges, n_edges, min_size, parent):
            return number, sums, areas
