"""What is said of regions, added up window by window: integers, so that windows change nothing."""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import AnyArray, BoolArray, Float64Array, Int32Array, Int64Array
from segment.kernels.jit import kernel
from segment.kernels.regions.measuring import corner_kind


@kernel(bare=True)
def tally_values(
    values: AnyArray, labels: AnyArray, origin: AnyArray, sums: AnyArray, squares: AnyArray,
    low: AnyArray, high: AnyArray,
) -> None:  # fmt: skip
    """Add up the pixels of a window, their squares, and keep the extremes.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    labels : ndarray, shape (H, W), unsigned
        1..n; 0 is left out.
    origin : ndarray, shape (C,)
        Is subtracted from the values before they are added; of the dtype of `sums`.
    sums, squares : ndarray, shape (n, C), int64 or float64
    low, high : ndarray, shape (n, C)
        Of the dtype of `values`.
    """
    height, width, n_bands = values.shape
    for i in range(height):
        for j in range(width):
            if labels[i, j] == 0:
                continue
            region = labels[i, j] - 1
            for k in range(n_bands):
                value = values[i, j, k]
                d = sums.dtype.type(value) - origin[k]
                sums[region, k] += d
                squares[region, k] += d * d
                low[region, k] = min(low[region, k], value)
                high[region, k] = max(high[region, k], value)


@kernel()
def tally_shapes(
    labels: AnyArray, top: int, left: int, corners: Int32Array, box: Int32Array,
    centers: Int64Array,
) -> None:  # fmt: skip
    """Add up coordinates and border configurations of a window, and widen bounding boxes.

    Parameters
    ----------
    labels : ndarray, shape (H + 4, W + 4), unsigned
        1..n; 0 is left out. Two pixels on each side belong to other windows, or are 0 where there
        are none.
    top, left : int
        Place of the window in the scene.
    corners : ndarray, shape (n, 3), int32
        How many border pixels count 1, sqrt(2) and (1 + sqrt(2)) / 2 towards the perimeter, as in
        `measuring.region_shapes`.
    box : ndarray, shape (n, 4), int32
        First row, first column, one past the last row and column.
    centers : ndarray, shape (n, 2), int64
        Sums of rows and columns.
    """
    height, width = labels.shape[0] - 4, labels.shape[1] - 4
    border = np.zeros((height + 2, width + 2), np.uint8)
    for i in range(height + 2):
        for j in range(width + 2):
            label = labels[i + 1, j + 1]
            if label != 0 and (
                labels[i, j + 1] != label
                or labels[i + 2, j + 1] != label
                or labels[i + 1, j] != label
                or labels[i + 1, j + 2] != label
            ):
                border[i, j] = 1
    for i in range(height):
        for j in range(width):
            label = labels[i + 2, j + 2]
            if label == 0:
                continue
            region = label - 1
            box[region, 0] = min(box[region, 0], top + i)
            box[region, 1] = min(box[region, 1], left + j)
            box[region, 2] = max(box[region, 2], top + i + 1)
            box[region, 3] = max(box[region, 3], left + j + 1)
            centers[region, 0] += top + i
            centers[region, 1] += left + j
            if border[i + 1, j + 1] == 0:
                continue
            edges, diagonals = 0, 0
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    if (
                        border[i + 1 + di, j + 1 + dj] == 0
                        or labels[i + 2 + di, j + 2 + dj] != label
                    ):
                        continue
                    if di != 0 and dj != 0:
                        diagonals += 1
                    elif di != 0 or dj != 0:
                        edges += 1
            kind = corner_kind(edges, diagonals)
            if kind >= 0:
                corners[region, kind] += 1


@kernel(bare=True)
def shrink(
    values: AnyArray, seen: BoolArray, labels: AnyArray, top: int, left: int, step: int,
    sums: Float64Array, counts: Int64Array, middles: AnyArray,
) -> None:  # fmt: skip
    """Add up the pixels of a window by blocks of the scene.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    seen : ndarray of bool, shape (H, W)
        Whether a pixel counts.
    labels : ndarray, shape (H, W)
    top, left : int
        Place of the window in the scene.
    step : int
        Side of a block.
    sums : ndarray, shape (h, w, c), float64
        Of the first bands.
    counts : ndarray, shape (h, w), int64
        Pixels that count.
    middles : ndarray, shape (h, w)
        Receives the label of the pixel in the middle of each block.
    """
    for i in range(values.shape[0]):
        row = (top + i) // step
        for j in range(values.shape[1]):
            column = (left + j) // step
            if (top + i) % step == step // 2 and (left + j) % step == step // 2:
                middles[row, column] = labels[i, j]
            if seen[i, j]:
                counts[row, column] += 1
                for k in range(sums.shape[2]):
                    sums[row, column, k] += values[i, j, k]
