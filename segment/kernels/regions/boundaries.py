"""How different an image is on the two sides of a crack, measured in four ways.

A crack is ``2 * pixel + down``, see `segment.kernels.regions.adjacency.touching`. What lies beyond
the image is taken to be as its last row or column.
"""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import Float32Array, Int32Array, Int64Array, UInt8Array
from segment.kernels.jit import kernel
from segment.kernels.regions.merging import chi_square

THIN = 5  # pixels either side of a crack among which its gradient should be the largest
FLAT = 0.05  # a gradient, in colour units a pixel, that means nothing
UNSEEN = np.float32(0.35)  # how likely people part what no network has looked at


@kernel(inline="always")
def _across(crack: int, beyond: int, height: int, width: int) -> tuple[int, int, int, int]:
    """Return row and column of the pixels that many beyond those that meet, on both sides."""
    down, pixel = crack & 1, crack >> 1
    y, x = pixel // width, pixel % width
    right = 1 - down
    return (
        max(y - beyond * down, 0),
        max(x - beyond * right, 0),
        min(y + (1 + beyond) * down, height - 1),
        min(x + (1 + beyond) * right, width - 1),
    )


@kernel(bare=True)
def add_contrast(
    colors: Float32Array, slopes: Float32Array, unit: float, cracks: Int64Array, edges: Int32Array,
    out: Float32Array,
) -> None:  # fmt: skip
    """Add the contrast across each crack to ``out[edge]``: a thinned gradient.

    It is ``d * (s / t)**2``: a crack beside a boundary sees a step of colour as well, but less of
    one than the boundary itself, and should not pass for a second boundary.

    Parameters
    ----------
    colors : ndarray, shape (C, H, W), float32
        Colours, d is the Euclidean distance of the two pixels.
    slopes : ndarray, shape (H, W), float32
        Gradient of `colors`; s is the larger one of the two pixels, t the largest one on the line
        across the crack, 5 pixels further either way.
    unit : float
        Colour difference that counts as 1.
    cracks, edges
        As `segment.kernels.regions.adjacency.touching` returns them.
    out : ndarray, shape (E,), float32
        Sums of each pair of regions.

    References
    ----------
    .. [1] J. Canny, "A Computational Approach to Edge Detection", IEEE PAMI 8(6), 1986.
    """
    height, width = slopes.shape
    for i in range(len(cracks)):
        y0, x0, y1, x1 = _across(cracks[i], 0, height, width)
        s = 0.0
        for c in range(colors.shape[0]):
            t = colors[c, y1, x1] - colors[c, y0, x0]
            s += t * t
        here = max(slopes[y0, x0], slopes[y1, x1])
        most = here
        for beyond in range(1, THIN + 1):
            y0, x0, y1, x1 = _across(cracks[i], beyond, height, width)
            most = max(most, slopes[y0, x0], slopes[y1, x1])
        share = (here + FLAT) / (most + FLAT)
        out[edges[i]] += np.sqrt(s) / unit * share * share


@kernel(bare=True)
def add_differences(
    shares: Float32Array, shift: int, beyond: int, shape: tuple[int, int], cracks: Int64Array,
    edges: Int32Array, out: Float32Array,
) -> None:  # fmt: skip
    """Add the chi-square distance of the words around both sides of each crack to ``out[edge]``.

    Parameters
    ----------
    shares : ndarray, shape (h, w, K), float32
        Share of each word around each block of ``2**shift`` pixels each way.
    shift, beyond : int
        How far beyond the two pixels the words are looked up, in pixels.
    shape : tuple of int
        Height and width of the image.
    cracks, edges, out
        As for `add_contrast`.
    """
    height, width = shape
    one = np.float32(1)
    for i in range(len(cracks)):
        y0, x0, y1, x1 = _across(cracks[i], beyond, height, width)
        first = shares[y0 >> shift, x0 >> shift]
        second = shares[y1 >> shift, x1 >> shift]
        out[edges[i]] += chi_square(first, second, one, one)


@kernel(bare=True)
def add_strangeness(
    words: UInt8Array, strangeness: Float32Array, beyond: int, cracks: Int64Array,
    edges: Int32Array, out: Float32Array,
) -> None:  # fmt: skip
    """Add ``strangeness[word, word]`` (K, K) of the two sides of each crack to ``out[edge]``.

    Words (H, W) are looked up so many pixels beyond the two that meet. The rest is as for
    `add_contrast`.
    """
    height, width = words.shape
    for i in range(len(cracks)):
        y0, x0, y1, x1 = _across(cracks[i], beyond, height, width)
        out[edges[i]] += strangeness[words[y0, x0], words[y1, x1]]


@kernel(bare=True)
def add_parted(
    parted: Float32Array, cracks: Int64Array, edges: Int32Array, out: Float32Array
) -> None:
    """Add how likely people part the two sides of each crack to ``out[edge]``.

    That is the mean of the two pixels that meet; `parted` (2, H, W) is of those that lie beside
    each other, and of those above each other. The rest is as for `add_contrast`.
    """
    _, height, width = parted.shape
    for i in range(len(cracks)):
        y0, x0, y1, x1 = _across(cracks[i], 0, height, width)
        plane = parted[cracks[i] & 1]
        out[edges[i]] += np.float32(0.5) * (plane[y0, x0] + plane[y1, x1])
