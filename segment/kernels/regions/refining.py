"""From a small picture to a large one: borders that are found again.

A label map of the small picture is brought up step by step, at most twice as wide and high each
time. Only the children of border pixels, those of which one of eight neighbours belongs to another
region, may change sides; what they are compared with is the mean of each region nearby.
"""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import BoolArray, Float32Array, Int32Array, Int64Array
from segment.kernels.jit import kernel

F = np.float32

SIDES = 4  # regions that a border pixel is compared with, at most: its own comes first
FARTHEST2 = F(
    0.3**2
)  # a child is moved by this share of the distance of two means at most, squared


@kernel(bare=True)
def list_border(
    labels: Int32Array, first: int, last: int, out: Int64Array, border: BoolArray
) -> int:
    """List the pixels of rows ``first:last`` of which one of eight neighbours is of another region.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        From 1 on; 0 belongs to no region and borders on none.
    out : ndarray, shape (rows * W,), int64
        Receives flat indices.
    border : ndarray of bool, shape (H, W)
        Receives whether a pixel is listed.

    Returns
    -------
    n : int
        Pixels listed.
    """
    height, width = labels.shape
    for y in range(first, last):
        for x in range(width):
            border[y, x] = False
    for y in range(max(first - 1, 0), min(last, height - 1)):
        for x in range(width - 1):
            a, b = labels[y, x], labels[y, x + 1]
            c, d = labels[y + 1, x], labels[y + 1, x + 1]
            if a == b and c == d and a == c:
                continue
            most = max(max(a, b), max(c, d))
            one = (a == 0 or a == most) and (b == 0 or b == most)
            if one and (c == 0 or c == most) and (d == 0 or d == most):
                continue
            # Of four pixels that meet, each but those of no region has another's beside it.
            if y >= first:
                border[y, x] |= a != 0
                border[y, x + 1] |= b != 0
            if y + 1 < last:
                border[y + 1, x] |= c != 0
                border[y + 1, x + 1] |= d != 0
    if height == 1 or width == 1:
        _mark_line(labels, first, last, border)
    n = 0
    for y in range(first, last):
        for x in range(width):
            if border[y, x]:
                out[n] = y * width + x
                n += 1
    return n


@kernel(bare=True)
def _mark_line(labels: Int32Array, first: int, last: int, border: BoolArray) -> None:
    """Mark the borders of a picture that is one pixel wide or high."""
    flat, marks = labels.reshape(-1), border.reshape(-1)
    for k in range(
        first if labels.shape[1] == 1 else 0, last if labels.shape[1] == 1 else flat.size
    ):
        for other in (k - 1, k + 1):
            if 0 <= other < flat.size:
                marks[k] |= flat[k] != 0 and flat[other] != 0 and flat[other] != flat[k]


@kernel(inline="always")
def _add_near(
    labels: Int32Array, planes: Float32Array, border: BoolArray, wanted: bool,
    rows: tuple[int, int], columns: tuple[int, int], sides: Int32Array, n: int,
    sums: Float32Array, counts: Int64Array,
) -> None:  # fmt: skip
    """Add up the pixels of the first n `sides` in a box: those at borders, or all others."""
    kind, n_bands = 1 if wanted else 0, planes.shape[2]
    for s in range(n):
        counts[kind, s] = 0
        for c in range(n_bands):
            sums[kind, s, c] = 0
    s = 0
    for i in range(rows[0], rows[1]):
        for j in range(columns[0], columns[1]):
            if border[i, j] != wanted:
                continue
            label = labels[i, j]
            if sides[s] != label:  # mostly it is that of the pixel before
                s = 0
                while s < n - 1 and sides[s] != label:
                    s += 1
            if sides[s] == label:
                counts[kind, s] += 1
                if n_bands == 3:
                    for c in range(3):
                        sums[kind, s, c] += planes[i, j, c]
                else:
                    for c in range(n_bands):
                        sums[kind, s, c] += planes[i, j, c]


@kernel(bare=True)
def near_means(
    labels: Int32Array, planes: Float32Array, border: BoolArray, pixels: Int64Array, reach: int,
    first: int, last: int, sums: Float32Array, counts: Int64Array, sides: Int32Array,
    means: Float32Array,
) -> None:  # fmt: skip
    """Find the regions around border pixels, and their means nearby.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
    planes : ndarray, shape (H, W, C), float32
        Values.
    border, pixels
        As `list_border` gives them; ``pixels[first:last]`` are done.
    reach : int
        Means are over this many rows and columns either way, and without border pixels where there
        are others.
    sums, counts : ndarray, shape (2, SIDES, C), float32, and (2, SIDES), int64
        Room.
    sides : ndarray, shape (m, SIDES), int32
        Receives a pixel's own region and others of its 3 x 3 neighbourhood, then zeros.
    means : ndarray, shape (m, SIDES, C), float32
        Receives their means.
    """
    height, width = labels.shape
    n_bands = planes.shape[2]
    for k in range(first, last):
        y, x = pixels[k] // width, pixels[k] % width
        n = 1
        for s in range(SIDES):
            sides[k, s] = 0
        sides[k, 0] = labels[y, x]
        for i in range(max(y - 1, 0), min(y + 2, height)):
            for j in range(max(x - 1, 0), min(x + 2, width)):
                label = labels[i, j]
                known = label == 0 or n == SIDES
                for s in range(n):
                    known |= sides[k, s] == label
                if not known:
                    sides[k, n] = label
                    n += 1
        rows, columns = (
            (max(y - reach, 0), min(y + reach + 1, height)),
            (max(x - reach, 0), min(x + reach + 1, width)),
        )
        _add_near(labels, planes, border, False, rows, columns, sides[k], n, sums, counts)
        lacking = False
        for s in range(n):
            lacking |= counts[0, s] == 0
        if lacking:
            _add_near(labels, planes, border, True, rows, columns, sides[k], n, sums, counts)
        for s in range(n):
            kind = 0 if counts[0, s] > 0 else 1
            per_pixel = F(1) / F(counts[kind, s])
            for c in range(n_bands):
                means[k, s, c] = sums[kind, s, c] * per_pixel


@kernel(bare=True)
def expand(
    labels: Int32Array, rows: Int64Array, columns: Int64Array, mask: BoolArray, first: int,
    last: int, out: Int32Array,
) -> None:  # fmt: skip
    """Give the children of each pixel of rows ``first:last`` its label, or 0 where masked.

    Parameters
    ----------
    labels : ndarray, shape (h, w), int32
    rows, columns : ndarray, shape (h + 1,) and (w + 1,), int64
        The first of the larger picture's rows and columns that belong to each of the smaller one's.
    mask : ndarray of bool, shape (H, W)
        Empty where nothing is masked.
    out : ndarray, shape (H, W), int32
        Receives labels.
    """
    for y in range(first, last):
        for i in range(rows[y], rows[y + 1]):
            for x in range(labels.shape[1]):
                label = labels[y, x]
                for j in range(columns[x], columns[x + 1]):
                    out[i, j] = label if mask.size == 0 or mask[i, j] else 0


@kernel(inline="always")
def distance2(a: Float32Array, b: Float32Array) -> np.float32:
    total = F(0)
    if a.size == 3:
        for c in range(3):
            total += (a[c] - b[c]) * (a[c] - b[c])
    else:
        for c in range(a.size):
            total += (a[c] - b[c]) * (a[c] - b[c])
    return total


@kernel(inline="always")
def _away(
    mean: Float32Array, around: Float32Array, y: int, x: int, y2: int, x2: int, band: int
) -> np.float32:
    """How far a child's mean is from what is around it, in one band."""
    near = F(0.75) * around[y, x, band] + F(0.25) * around[y, x2, band]
    far = F(0.75) * around[y2, x, band] + F(0.25) * around[y2, x2, band]
    return mean[band] - (F(0.75) * near + F(0.25) * far)


@kernel(inline="always")
def _share(length2: np.float32, farthest2: np.float32) -> np.float32:
    """Return the share of a move of this length, squared, that is no longer than the limit."""
    return np.sqrt(farthest2 / length2) if length2 > farthest2 else F(1)


@kernel(inline="always")
def _sharpen(
    mean: Float32Array, around: Float32Array, y: int, x: int, y2: int, x2: int,
    sharpness: np.float32, farthest2: np.float32,
) -> None:  # fmt: skip
    """Move a child's mean away from what is around it, in place, by the limit at most."""
    if mean.size == 3:  # what is usual is worth its own lines
        first = sharpness * _away(mean, around, y, x, y2, x2, 0)
        second = sharpness * _away(mean, around, y, x, y2, x2, 1)
        third = sharpness * _away(mean, around, y, x, y2, x2, 2)
        share = _share(first * first + second * second + third * third, farthest2)
        mean[0] += share * first
        mean[1] += share * second
        mean[2] += share * third
        return
    length2 = F(0)
    for band in range(mean.size):
        move = sharpness * _away(mean, around, y, x, y2, x2, band)
        length2 += move * move
    share = _share(length2, farthest2)
    for band in range(mean.size):
        mean[band] += share * (sharpness * _away(mean, around, y, x, y2, x2, band))


@kernel(bare=True)
def weigh(
    children: Float32Array, mask: BoolArray, around: Float32Array, rows: Int64Array,
    columns: Int64Array, pixels: Int64Array, sides: Int32Array, means: Float32Array,
    sharpness: np.float32, first: int, last: int, out: Float32Array,
) -> None:  # fmt: skip
    """Put squared distances from the children of border pixels to the means into `out`.

    Children are moved away from what is `around` them, so many times as far as they are from it:
    between two regions they are at equal distances where the slope of colours is steepest, there
    the second derivative is zero [1]_.

    Parameters
    ----------
    children : ndarray, shape (last - first, 4, C), float32
        From `averaging.child_means`; used up.
    mask : ndarray of bool
        As for `expand`.
    around : ndarray, shape (h, w, C), float32
        The smaller picture, blurred.
    rows, columns, pixels, sides, means
        As for `expand` and `near_means`.
    sharpness : float32
        How far children are moved.
    out : ndarray, shape (m, 4, SIDES), float32
        Child (i, j) has place ``2 (i % 2) + j % 2``.

    References
    ----------
    .. [1] D. Marr and E. Hildreth, "Theory of Edge Detection", Proc. R. Soc. B 207, 1980.
    """
    n_rows, n_columns = len(rows) - 1, len(columns) - 1
    for k in range(first, last):
        y, x = pixels[k] // n_columns, pixels[k] % n_columns
        farthest2 = F(0)
        for s in range(1, SIDES):
            if sides[k, s] != 0:
                farthest2 = max(farthest2, FARTHEST2 * distance2(means[k, 0], means[k, s]))
        for i in range(rows[y], rows[y + 1]):
            for j in range(columns[x], columns[x + 1]):
                if mask.size > 0 and not mask[i, j]:
                    continue
                place = 2 * (i & 1) + (j & 1)
                mean = children[k - first, place]
                # Centres of children lie a quarter of a pixel off that of their parent.
                down = 1 if 2 * i + 1 > rows[y] + rows[y + 1] else -1
                right = 1 if 2 * j + 1 > columns[x] + columns[x + 1] else -1
                y2, x2 = min(max(y + down, 0), n_rows - 1), min(max(x + right, 0), n_columns - 1)
                _sharpen(mean, around, y, x, y2, x2, sharpness, farthest2)
                for s in range(SIDES):
                    if sides[k, s] != 0:
                        out[k, place, s] = distance2(mean, means[k, s])
