"""From modes to the components of a piece of an image, in linear time.

Every pixel has an owner, a row of a table of modes; -1 marks masked pixels. Components are found
run by run with union-find and numbered in raster order. What is added up over their pixels are
integers, so neither threads nor pieces can change a bit of it.
"""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import Float32Array, IndexArray, Int32Array, Int64Array
from segment.kernels.jit import kernel

SEEN = 4096  # contacts remembered, a power of two
# Features are added as integers, of one word or two: of this, so that sums over 2**37 pixels fit
# into int64.
WORD = 2.0**26
PER_PIXEL = 256  # positions are added in parts of a pixel; see `exact.absolute`


@kernel(inline="always")
def find(parent: IndexArray, item: int) -> int:
    """Return the root of `item`, halving the path to it."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@kernel(inline="always")
def unite(parent: IndexArray, a: int, b: int) -> bool:
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
def _close(modes: Float32Array, a: int, b: int, limit2: np.float32) -> bool:
    """Whether the colours of two modes (columns 2 and on) are closer than the limit."""
    total = np.float32(0)
    for k in range(2, modes.shape[1]):
        d = modes[a, k] - modes[b, k]
        total += d * d
    return bool(total < limit2)


@kernel(bare=True)
def join_rows(
    owner: Int32Array, modes: Float32Array, limit2: np.float32, connectivity: int, i: int,
    runs: Int32Array, parent: Int32Array,
) -> None:  # fmt: skip
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


@kernel(bare=True)
def find_runs(
    owner: Int32Array, modes: Float32Array, limit2: np.float32, connectivity: int,
    runs: Int32Array, parent: Int32Array,
) -> int:  # fmt: skip
    """Number the runs of a piece, 0 and on, and unite those that touch; return how many there are.

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
    """
    end = 0
    for i in range(owner.shape[0]):
        before = -1
        for j in range(owner.shape[1]):
            here = owner[i, j]
            if here < 0:
                runs[i, j] = -1
            else:
                if before < 0 or (here != before and not _close(modes, here, before, limit2)):
                    parent[end] = end
                    end += 1
                runs[i, j] = end - 1
            before = here
        if i > 0:
            join_rows(owner, modes, limit2, connectivity, i, runs, parent)
    return end


@kernel(bare=True)
def number_sets(parent: IndexArray, first: int, end: int, n: int) -> int:
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


@kernel(bare=True)
def relabel(labels: IndexArray, table: IndexArray, offset: int) -> None:
    """Replace labels by ``table[label] + offset``, -1 by ``offset - 1``."""
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            label = labels[i, j]
            labels[i, j] = (table[label] if label >= 0 else -1) + offset


@kernel(bare=True)
def number_in_order(labels: Int32Array, number: Int32Array, areas: Int64Array) -> int:
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
    for label in range(number.size):
        number[label] = 0
        areas[label] = 0
    n = 0
    for i in range(labels.shape[0]):
        j = 0
        while j < labels.shape[1]:
            label, start = labels[i, j], j
            if label != 0 and number[label] == 0:
                n += 1
                number[label] = n
            new = number[label]
            while j < labels.shape[1] and labels[i, j] == label:
                labels[i, j] = new
                j += 1
            areas[new] += j - start
    return n


@kernel(bare=True)
def count_pixels(labels: Int32Array, areas: Int64Array) -> None:
    """Put the pixels of each label 0..n into `areas` (n + 1,), int64."""
    for label in range(areas.size):
        areas[label] = 0
    for i in range(labels.shape[0]):
        j = 0
        while j < labels.shape[1]:
            label, start = labels[i, j], j
            while j < labels.shape[1] and labels[i, j] == label:
                j += 1
            areas[label] += j - start


@kernel(bare=True)
def sum_modes(
    labels: Int32Array, owner: Int32Array, modes: Float32Array, per_quantum: float, words: int,
    place: tuple[int, int, int, int], width: int, areas: Int64Array, sums: Int64Array,
    firsts: Int64Array,
) -> None:  # fmt: skip
    """Add up pixels and modes of the components 0..n-1 of a piece, and find their first pixels.

    Parameters
    ----------
    labels, owner, modes
        Component of each pixel, and as in `find_runs`.
    per_quantum : float64
        Quanta of a unit of the features, a power of two.
    words : int
        1 or 2: integers that the quanta of a feature take.
    place : tuple of four int
        Row and column in the image of the first pixel, and those that `modes` counts from.
    width : int
        Of the image.
    areas : ndarray, shape (n,), int64
        Pixels; zeros before.
    sums : ndarray, shape (n, 2 + words * C), int64
        Rows and columns in parts of a pixel (`PER_PIXEL`), then the quanta of each feature, or
        their high and their low word; zeros before.
    firsts : ndarray, shape (n,), int64
        Receives the first pixel of each component, counted row by row through the image.
    """
    for i in range(labels.shape[0]):
        j = 0
        while j < labels.shape[1]:
            label, mode, start = labels[i, j], owner[i, j], j
            while j < labels.shape[1] and labels[i, j] == label and owner[i, j] == mode:
                j += 1
            if label < 0:
                continue
            n = np.int64(j - start)
            if areas[label] == 0:
                firsts[label] = np.int64(place[0] + i) * width + place[1] + start
            areas[label] += n
            for k in range(2):
                part = np.int64(np.rint(modes[mode, k] * np.float32(PER_PIXEL)))
                sums[label, k] += n * (part + np.int64(place[2 + k]) * PER_PIXEL)
            for k in range(2, modes.shape[1]):
                value = np.rint(modes[mode, k] * per_quantum)
                if words == 1:
                    sums[label, k] += n * np.int64(value)
                    continue
                high = np.floor(value / WORD)
                sums[label, 2 * k - 2] += n * np.int64(high)
                sums[label, 2 * k - 1] += n * np.int64(value - high * WORD)


@kernel(bare=True)
def list_edges(labels: Int32Array, connectivity: int, seen: Int64Array, edges: Int32Array) -> int:
    """Write the contacts of the components of a piece; return how many were written.

    Contacts that came up shortly before are left out; some others come up again.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        Component of each pixel, -1 where masked.
    connectivity : int
        As in `find_runs`.
    seen : ndarray, shape (SEEN,), int64
        Room.
    edges : ndarray, shape (2 * connectivity * H * W, 2), int32
        Receives the numbers of both components, the lower one first.
    """
    height, width = labels.shape
    for k in range(SEEN):
        seen[k] = -1
    n = 0
    for i in range(height):
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
                edges[n, 0] = min(a, b)
                edges[n, 1] = max(a, b)
                n += 1
    return n


@kernel(bare=True)
def join_lines(
    above: IndexArray, above_colors: Float32Array, below: IndexArray, below_colors: Float32Array,
    limit2: np.float32, connectivity: int, parent: IndexArray, contacts: IndexArray,
) -> int:  # fmt: skip
    """Unite components of two pieces where linked pixels touch across the border between them.

    Parameters
    ----------
    above, below : ndarray, shape (n,), int32 or int64
        Component of each pixel on both sides of the border, -1 where there is none.
    above_colors, below_colors : ndarray, shape (n, C), float32
        Colours of their modes.
    limit2, connectivity
        As in `find_runs`.
    parent : ndarray, int32 or int64
        Union-find forest of the components.
    contacts : ndarray, shape (3 * n, 2)
        Receives components that touch without being linked there.

    Returns
    -------
    n : int
        Contacts written.
    """
    size, n = above.size, 0
    for step in range(-1 if connectivity == 2 else 0, 2 if connectivity == 2 else 1):
        for j in range(max(0, -step), min(size, size - step)):
            a, b = above[j], below[j + step]
            if a < 0 or b < 0:
                continue
            distance2 = np.float32(0)
            for k in range(above_colors.shape[1]):
                d = above_colors[j, k] - below_colors[j + step, k]
                distance2 += d * d
            if distance2 < limit2:
                unite(parent, a, b)
            elif n == 0 or contacts[n - 1, 0] != a or contacts[n - 1, 1] != b:
                contacts[n, 0] = a
                contacts[n, 1] = b
                n += 1
    return n
