"""Which regions touch, and along which cracks.

A crack is the border between a pixel and its right or lower neighbour of another region.
"""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import Float32Array, Int32Array, Int64Array
from segment.kernels.jit import ZERO, kernel


@kernel(inline="always")
def _neighbour(labels: Int32Array, y: int, x: int, down: int) -> int:
    """Return the label right of or below (y, x), or 0 outside the image."""
    if y + down >= labels.shape[0] or x + 1 - down >= labels.shape[1]:
        return 0
    return labels[y + down, x + 1 - down]


@kernel(inline="always")
def _is_inside(labels: Int32Array, y: int, x: int) -> bool:
    """Whether the pixels right of and below (y, x) are of the same region: nearly always."""
    a = labels[y, x]
    if y + 1 >= labels.shape[0] or x + 1 >= labels.shape[1]:
        return False
    return labels[y, x + 1] == a and labels[y + 1, x] == a


def touching(labels: Int32Array, n: int) -> tuple[Int32Array, Int64Array, Int32Array]:
    """List the pairs of regions that share a crack, and the cracks of each.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        1..n; 0 belongs to no region.
    n : int
        Number of regions.

    Returns
    -------
    pairs : ndarray, shape (E, 2), int32
        The lower and the higher label of each pair.
    cracks : ndarray, shape (M,), int64
        Twice the flat index of the pixel, plus 1 where its lower neighbour is meant.
    edges : ndarray, shape (M,), int32
        Pair of each crack.
    """
    start = np.zeros(n + 2, np.int64)
    _count(labels, start[1:])
    np.cumsum(start, out=start)
    cracks = np.empty(start[-1], np.int64)
    other, edges = np.empty((2, start[-1]), np.int32)
    _sort(labels, start.copy(), cracks, other)
    count = _number(start, other, np.full(n + 1, -1, np.int32), edges)
    pairs = np.empty((count, 2), np.int32)
    _list(start, other, edges, pairs)
    return pairs, cracks, edges


@kernel(bare=True)
def _count(labels: Int32Array, out: Int64Array) -> None:
    """Count the cracks of each region that is the lower one of a pair."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            a = labels[y, x]
            if _is_inside(labels, y, x):
                continue
            for down in range(2):
                b = _neighbour(labels, y, x, down)
                if a != b and a != 0 and b != 0:
                    out[min(a, b)] += 1


@kernel(bare=True)
def _sort(labels: Int32Array, at: Int64Array, cracks: Int64Array, other: Int32Array) -> None:
    """Write cracks, and the higher regions at them, by the lower ones; `at` tells where."""
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            a = labels[y, x]
            if _is_inside(labels, y, x):
                continue
            for down in range(2):
                b = _neighbour(labels, y, x, down)
                if a != b and a != 0 and b != 0:
                    i = at[min(a, b)]
                    cracks[i] = 2 * (y * width + x) + down
                    other[i] = max(a, b)
                    at[min(a, b)] = i + 1


@kernel(bare=True)
def _number(start: Int64Array, other: Int32Array, seen: Int32Array, edges: Int32Array) -> int:
    """Number the pairs, and write that of each crack; return how many there are.

    `seen` is room for a number a region, all -1.
    """
    count = ZERO
    for a in range(1, len(seen)):
        first = count
        for i in range(start[a], start[a + 1]):
            if seen[other[i]] < first:
                seen[other[i]] = count
                count += 1
            edges[i] = seen[other[i]]
    return count


@kernel(bare=True)
def _list(start: Int64Array, other: Int32Array, edges: Int32Array, pairs: Int32Array) -> None:
    for a in range(1, len(start) - 1):
        for i in range(start[a], start[a + 1]):
            pairs[edges[i], 0] = a
            pairs[edges[i], 1] = other[i]


@kernel(bare=True)
def paint_cracks(
    cracks: Int64Array, edges: Int32Array, values: Float32Array, out: Float32Array
) -> None:
    """Raise ``out`` (H, W) to the value of each crack at the pixel left of it or above it."""
    flat = out.reshape(-1)
    for i in range(len(cracks)):
        pixel = cracks[i] >> 1
        flat[pixel] = max(flat[pixel], values[edges[i]])


@kernel(bare=True)
def move_cracks(
    cracks: Int64Array, width: int, ratio: tuple[float, float], shape: tuple[int, int]
) -> None:
    """Replace the cracks of a picture by those at the same places of a smaller one.

    Parameters
    ----------
    cracks : ndarray, shape (M,), int64
        From `touching`, overwritten. A crack of the small picture is the pixel left of it or above
        it, whether or not regions meet there.
    width : int
        Of the large picture.
    ratio, shape : tuple
        How many rows and columns of the large picture there are to one of the small one, and the
        height and width of this.
    """
    for i in range(len(cracks)):
        down, pixel = cracks[i] & 1, cracks[i] >> 1
        # A crack to the right lies at the right end of its pixel, one below at the lower end; it
        # is taken for the one between the pixels whose centres are half a pixel away.
        y = (pixel // width + (1.0 if down else 0.5)) / ratio[0] - (0.5 if down else 0.0)
        x = (pixel % width + (0.5 if down else 1.0)) / ratio[1] - (0.0 if down else 0.5)
        row = min(max(int(np.floor(y)), 0), max(shape[0] - 1 - down, 0))
        column = min(max(int(np.floor(x)), 0), max(shape[1] - 2 + down, 0))
        cracks[i] = 2 * (row * shape[1] + column) + down
