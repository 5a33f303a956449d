"""Which regions touch, along how many cracks, and how strong the contrast across the cracks is.

A crack is the border between a pixel and its right or lower neighbour of another region.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel

# Weights of the three contrasts, and the surroundings below which a contrast does not stand out.
SHARP, WIDE, RELATIVE = 0.4, 0.4, 0.15
NO_CONTRAST = 0.08


@kernel(inline="always")
def _neighbour(labels: Any, y: int, x: int, down: int) -> int:
    """Return the label right of or below (y, x), or 0 outside the image."""
    if y + down >= labels.shape[0] or x + 1 - down >= labels.shape[1]:
        return 0
    return labels[y + down, x + 1 - down]


@kernel()
def touching(labels: Any, n: int) -> Any:
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


@kernel(inline="always")
def _difference(planes: Any, y0: int, x0: int, y1: int, x1: int) -> Any:
    """Euclidean distance of two pixels of `planes` (C, H, W)."""
    s = 0.0
    for c in range(planes.shape[0]):
        t = planes[c, y1, x1] - planes[c, y0, x0]
        s += t * t
    return np.sqrt(s)


@kernel()
def add_contrast(
    fine: Any, coarse: Any, surroundings: Any, unit: float, cracks: Any, edges: Any, out: Any
) -> None:
    """Add the contrast across each crack to ``out[edge]``.

    ``0.4 fine + 0.4 wide + 0.15 relative``: how sharp it is, how much of a step it is, and how it
    stands out from what is around.

    Parameters
    ----------
    fine, coarse : ndarray, shape (C, H, W), float32
        Colours, smoothed little and more.
    surroundings : ndarray, shape (H, W), float32
        Mean difference of neighbours in `coarse` around each pixel.
    unit : float
        Colour difference that counts as 1.
    cracks, edges
        As `touching` returns them.
    out : ndarray, shape (E,), float32
        `fine` is the difference of the two pixels, `wide` that of the next pixels but one on both
        sides in `coarse`, and `relative` is ``2 d / (2 surroundings + 0.08)`` with the difference d
        of the two pixels in `coarse`.
    """
    height, width = surroundings.shape
    for i in range(len(cracks)):
        pixel, down = cracks[i] >> 1, cracks[i] & 1
        y0, x0 = pixel // width, pixel % width
        y1, x1 = y0 + down, x0 + 1 - down
        sharp = _difference(fine, y0, x0, y1, x1) / unit
        relative = 2 * _difference(coarse, y0, x0, y1, x1) / unit
        relative /= 2 * surroundings[y0, x0] / unit + NO_CONTRAST
        y0, x0 = max(y0 - down, 0), max(x0 - 1 + down, 0)
        y1, x1 = min(y1 + down, height - 1), min(x1 + 1 - down, width - 1)
        wide = _difference(coarse, y0, x0, y1, x1) / unit
        out[edges[i]] += SHARP * sharp + WIDE * wide + RELATIVE * relative


@kernel()
def paint_cracks(cracks: Any, edges: Any, values: Any, out: Any) -> None:
    """Raise ``out`` (H, W) to the value of each crack at the pixel left of it or above it."""
    flat = out.reshape(-1)
    for i in range(len(cracks)):
        pixel = cracks[i] >> 1
        flat[pixel] = max(flat[pixel], values[edges[i]])
