"""From a large picture to a small one: averages by area."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel

F = np.float32


@kernel()
def shrink(
    values: Any, table: Any, mask: Any, ratio: Any, square: bool, first: int, last: int,
    out: Any, out_mask: Any,
) -> None:  # fmt: skip
    """Average a picture down by area, rows ``first:last`` of the smaller one.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        float32, or unsigned indices into `table`.
    table : ndarray, float32
        Value of each index; empty where `values` are values.
    mask : ndarray of bool, shape (H, W)
        What is averaged; empty where that is everything.
    ratio : tuple of float
        Height and width of the box that one pixel takes in.
    square : bool
        Whether the squares of the values are averaged, and the root taken.
    out, out_mask : ndarray, float32, shape (h, w, C), and bool, shape (h, w)
        Receive the means, and whether there was anything to average; `out_mask` is empty where
        `mask` is.
    """
    height, width, n_bands = values.shape
    masked = mask.size > 0
    sums = np.empty(n_bands, np.float32)
    for y in range(first, last):
        top, bottom = y * ratio[0], min((y + 1) * ratio[0], float(height))
        for x in range(out.shape[1]):
            left, right = x * ratio[1], min((x + 1) * ratio[1], float(width))
            sums[:] = 0
            total = F(0)
            for i in range(int(top), min(int(np.ceil(bottom)), height)):
                rows = F(min(bottom, i + 1.0) - max(top, float(i)))
                for j in range(int(left), min(int(np.ceil(right)), width)):
                    if masked and not mask[i, j]:
                        continue
                    weight = rows * F(min(right, j + 1.0) - max(left, float(j)))
                    total += weight
                    for c in range(n_bands):
                        value = table[int(values[i, j, c])] if table.size else F(values[i, j, c])
                        sums[c] += weight * (value * value if square else value)
            for c in range(n_bands):
                mean = sums[c] / total if total > 0 else F(0)
                out[y, x, c] = np.sqrt(mean) if square else mean
            if masked:
                out_mask[y, x] = total > 0


@kernel()
def shrink_twice(values: Any, table: Any, square: bool, first: int, last: int, out: Any) -> None:
    """Do what `shrink` does where nothing is masked, by 2 x 2 pixels."""
    height, width, n_bands = values.shape
    for y in range(first, last):
        for x in range(out.shape[1]):
            rows, columns = min(2, height - 2 * y), min(2, width - 2 * x)
            per_pixel = F(1) / F(rows * columns)
            for c in range(n_bands):
                total = F(0)
                for i in range(2 * y, 2 * y + rows):
                    for j in range(2 * x, 2 * x + columns):
                        value = table[int(values[i, j, c])] if table.size else F(values[i, j, c])
                        total += value * value if square else value
                mean = total * per_pixel
                out[y, x, c] = np.sqrt(mean) if square else mean
