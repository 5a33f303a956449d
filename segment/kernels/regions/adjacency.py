"""Which regions touch, and along which cracks.

A crack is the border between a pixel and its right or lower neighbour of another region.
"""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import Float32Array, Int32Array, Int64Array
from segment.kernels.jit import kernel


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


@kernel()
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
    height, width = labels.shape
    start = np.zeros(n + 2, np.int64)
    for y in range(height):
        for x in range(width):
            a = labels[y, x]
            if _is_inside(labels, y, x):
                continue
            for down in range(2):
                b = _neighbour(labels, y, x, down)
                if a != b and a != 0 and b != 0:
                    start[min(a, b) + 1] += 1
    for i in range(1, n + 2):
        start[i] += start[i - 1]
    cracks = np.empty(start[n + 1], np.int64)
    other = np.empty(start[n + 1], np.int32)
    fill = start.copy()
    for y in range(height):
        for x in range(width):
            a = labels[y, x]
            if _is_inside(labels, y, x):
                continue
            for down in range(2):
                b = _neighbour(labels, y, x, down)
                if a != b and a != 0 and b != 0:
                    i = fill[min(a, b)]
                    cracks[i] = 2 * (y * width + x) + down
                    other[i] = max(a, b)
                    fill[min(a, b)] = i + 1
    edges = np.empty(len(cracks), np.int32)
    seen = np.full(n + 1, -1, np.int32)
    count = 0
    for a in range(1, n + 1):
        first = count
        for i in range(start[a], start[a + 1]):
            if seen[other[i]] < first:
                seen[other[i]] = count
                count += 1
            edges[i] = seen[other[i]]
    pairs = np.empty((count, 2), np.int32)
    for a in range(1, n + 1):
        for i in range(start[a], start[a + 1]):
            pairs[edges[i], 0] = a
            pairs[edges[i], 1] = other[i]
    return pairs, cracks, edges


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
