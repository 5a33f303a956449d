"""From a large picture to a small one: averages by area."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segment.kernels.arrays import BoolArray, Float32Array, Int64Array, UInt8Array
from segment.kernels.jit import kernel

F = np.float32


class Values(NamedTuple):
    """A picture of shape (H, W, C): `plain`, or what `table` has at `indices`.

    Both kinds are one type, so that kernels are compiled once. What is not used is empty.
    """

    indices: UInt8Array
    table: Float32Array
    plain: Float32Array


@kernel(bare=True)
def shrink(
    values: Values, mask: BoolArray, ratio: tuple[float, float], square: bool, first: int,
    last: int, sums: Float32Array, out: Float32Array, out_mask: BoolArray,
) -> None:  # fmt: skip
    """Average a picture down by area, rows ``first:last`` of the smaller one.

    Parameters
    ----------
    values : Values, of shape (H, W, C)
    mask : ndarray of bool, shape (H, W)
        What is averaged; empty where that is everything.
    ratio : tuple of float
        Height and width of the box that one pixel takes in.
    square : bool
        Whether the squares of the values are averaged, and the root taken.
    sums : ndarray, shape (C,), float32
        Room.
    out, out_mask : ndarray, float32, shape (h, w, C), and bool, shape (h, w)
        Receive the means, and whether there was anything to average; `out_mask` is empty where
        `mask` is.
    """
    indices, table, plain = values
    height = max(indices.shape[0], plain.shape[0])
    width, n_bands = max(indices.shape[1], plain.shape[1]), out.shape[2]
    masked = mask.size > 0
    for y in range(first, last):
        top, bottom = y * ratio[0], min((y + 1) * ratio[0], float(height))
        for x in range(out.shape[1]):
            left, right = x * ratio[1], min((x + 1) * ratio[1], float(width))
            for c in range(n_bands):
                sums[c] = 0
            total = F(0)
            for i in range(int(top), min(int(np.ceil(bottom)), height)):
                rows = F(min(bottom, i + 1.0) - max(top, float(i)))
                for j in range(int(left), min(int(np.ceil(right)), width)):
                    if masked and not mask[i, j]:
                        continue
                    weight = rows * F(min(right, j + 1.0) - max(left, float(j)))
                    total += weight
                    for c in range(n_bands):
                        value = table[indices[i, j, c]] if table.size else plain[i, j, c]
                        sums[c] += weight * (value * value if square else value)
            for c in range(n_bands):
                mean = sums[c] / total if total > 0 else F(0)
                out[y, x, c] = np.sqrt(mean) if square else mean
            if masked:
                out_mask[y, x] = total > 0


@kernel(bare=True)
def shrink_twice(values: Values, square: bool, first: int, last: int, out: Float32Array) -> None:
    """Do what `shrink` does where nothing is masked, by 2 x 2 pixels."""
    indices, table, plain = values
    height = max(indices.shape[0], plain.shape[0])
    width, n_bands = max(indices.shape[1], plain.shape[1]), out.shape[2]
    for y in range(first, last):
        for x in range(out.shape[1]):
            rows, columns = min(2, height - 2 * y), min(2, width - 2 * x)
            per_pixel = F(1) / F(rows * columns)
            for c in range(n_bands):
                total = F(0)
                for i in range(2 * y, 2 * y + rows):
                    for j in range(2 * x, 2 * x + columns):
                        value = table[indices[i, j, c]] if table.size else plain[i, j, c]
                        total += value * value if square else value
                mean = total * per_pixel
                out[y, x, c] = np.sqrt(mean) if square else mean


@kernel(inline="always")
def _add_around(values: Values, mask: BoolArray, i: int, j: int, sums: Float32Array) -> int:
    """Put the sums of the values of 3 x 3 pixels into `sums` (C,); return how many they are."""
    indices, table, plain = values
    height = max(indices.shape[0], plain.shape[0])
    width, n_bands = max(indices.shape[1], plain.shape[1]), sums.size
    for c in range(n_bands):
        sums[c] = 0
    count = 0
    for p in range(max(i - 1, 0), min(i + 2, height)):
        for q in range(max(j - 1, 0), min(j + 2, width)):
            if mask.size and not mask[p, q]:
                continue
            count += 1
            for c in range(n_bands):
                sums[c] += table[indices[p, q, c]] if table.size else plain[p, q, c]
    return count


@kernel(inline="always")
def _average_four(values: Values, i: int, j: int, averages: Float32Array) -> None:
    """Put the means of 3 x 3 pixels at (i, j), right of it and below into `averages` (4, C)."""
    indices, table, plain = values
    ninth = F(1 / 9)
    for c in range(averages.shape[1]):
        for place in range(4):
            averages[place, c] = 0
        for row in range(4):
            p = i - 1 + row
            if table.size:
                v0, v1 = table[indices[p, j - 1, c]], table[indices[p, j, c]]
                v2, v3 = table[indices[p, j + 1, c]], table[indices[p, j + 2, c]]
            else:
                v0, v1 = plain[p, j - 1, c], plain[p, j, c]
                v2, v3 = plain[p, j + 1, c], plain[p, j + 2, c]
            left, right = ninth * (v0 + v1 + v2), ninth * (v1 + v2 + v3)
            if row < 3:
                averages[0, c] += left
                averages[1, c] += right
            if row > 0:
                averages[2, c] += left
                averages[3, c] += right


@kernel(bare=True)
def child_means(
    values: Values, mask: BoolArray, rows: Int64Array, columns: Int64Array,
    pixels: Int64Array, first: int, last: int, out: Float32Array,
) -> None:  # fmt: skip
    """Average 3 x 3 pixels around each child of some pixels of a smaller picture.

    Parameters
    ----------
    values, mask
        The larger picture, as for `shrink`.
    rows, columns : ndarray, shape (h + 1,) and (w + 1,), int64
        As for `refining.expand`.
    pixels : ndarray, int64
        Flat indices in the smaller picture; ``pixels[first:last]`` are done.
    out : ndarray, shape (last - first, 4, C), float32
        Receives the means: child (i, j) has place ``2 (i % 2) + j % 2``. Those of children that are
        masked, or not there, are left as they are.
    """
    height = max(values.indices.shape[0], values.plain.shape[0])
    width = max(values.indices.shape[1], values.plain.shape[1])
    masked = mask.size > 0
    n_columns = len(columns) - 1
    for k in range(first, last):
        y, x = pixels[k] // n_columns, pixels[k] % n_columns
        averages = out[k - first]
        # The usual case: two rows and two columns of children, with pixels all around.
        i, j = rows[y], columns[x]
        all_four = not masked and i % 2 == 0 and j % 2 == 0 and i > 0 and j > 0
        all_four &= rows[y + 1] == i + 2 and columns[x + 1] == j + 2
        if all_four and i + 2 < height and j + 2 < width:
            _average_four(values, i, j, averages)
            continue
        for i in range(rows[y], rows[y + 1]):
            for j in range(columns[x], columns[x + 1]):
                if masked and not mask[i, j]:
                    continue
                mean = averages[2 * (i & 1) + (j & 1)]
                per_pixel = F(1) / F(_add_around(values, mask, i, j, mean))
                for c in range(out.shape[2]):
                    mean[c] *= per_pixel
