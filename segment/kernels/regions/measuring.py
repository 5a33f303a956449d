"""What is said of regions once they are found: colours, areas, boxes, perimeters."""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import (
    AnyArray,
    Float64Array,
    IndexArray,
    Int32Array,
    Int64Array,
    UInt8Array,
)
from segment.kernels.jit import kernel


@kernel(bare=True)
def paint(labels: IndexArray, colors: UInt8Array, out: UInt8Array) -> None:
    """Put row ``labels[i]`` of `colors`, uint8 (n + 1, B), into row i of `out`, uint8 (N, B)."""
    for i in range(labels.size):
        label = labels[i]
        for k in range(colors.shape[1]):
            out[i, k] = colors[label, k]


@kernel(bare=True)
def region_moments(
    values: AnyArray, labels: Int32Array, count: Int64Array, origin: Float64Array,
    sums: Float64Array, squares: Float64Array,
) -> None:  # fmt: skip
    """Add up pixels, differences from the region's first pixel, and their squares.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        Pixels of any real dtype.
    labels : ndarray, shape (H, W), int32
        1..n; 0 is left out.
    count : ndarray, shape (n,), int64
        Zero where a region has not been met.
    origin, sums, squares : ndarray, shape (n, C), float64
        First pixel of each region (written), sums and sums of squares of differences from it.
    """
    height, width, n_bands = values.shape
    for i in range(height):
        for j in range(width):
            region = labels[i, j] - 1
            if region < 0:
                continue
            if count[region] == 0:
                for k in range(n_bands):
                    origin[region, k] = values[i, j, k]
            count[region] += 1
            for k in range(n_bands):
                d = np.float64(values[i, j, k]) - origin[region, k]
                sums[region, k] += d
                squares[region, k] += d * d


@kernel(bare=True)
def corner_kind(edges: int, diagonals: int) -> int:
    """Return what a border pixel with so many border pixels beside it counts towards a perimeter.

    0: 1 pixel, 1: sqrt(2), 2: (1 + sqrt(2)) / 2, -1: nothing (Benkrid & Crookes 2000). The codes
    are those of `skimage.measure.perimeter`: 5 7 15 17 25 27, 21 33, and 13 23.
    """
    code = 1 + 2 * edges + 10 * diagonals
    if code == 5 or code == 7 or code == 15 or code == 17 or code == 25 or code == 27:
        return 0
    if code == 21 or code == 33:
        return 1
    return 2 if code == 13 or code == 23 else -1


@kernel(bare=True)
def region_shapes(
    labels: Int32Array, corners: Int64Array, box: Int64Array, centers: Float64Array,
    border: UInt8Array,
) -> None:  # fmt: skip
    """Fill bounding boxes and add up coordinates and border configurations.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        1..n; 0 is left out.
    corners : ndarray, shape (n, 3), int64
        Receives how many border pixels are of each `corner_kind`.
    box : ndarray, shape (n, 4), int64
        First row, first column, one past the last row and column.
    centers : ndarray, shape (n, 2), float64
        Receives sums of rows and columns.
    border : ndarray, shape (H + 2, W + 2), uint8
        Room, zeros.
    """
    height, width = labels.shape
    for region in range(len(box)):
        box[region, 0], box[region, 1] = height, width
        box[region, 2], box[region, 3] = 0, 0
    for i in range(height):
        for j in range(width):
            label = labels[i, j]
            if label == 0:
                continue
            region = label - 1
            box[region, 0] = min(box[region, 0], i)
            box[region, 1] = min(box[region, 1], j)
            box[region, 2] = max(box[region, 2], i + 1)
            box[region, 3] = max(box[region, 3], j + 1)
            centers[region, 0] += i
            centers[region, 1] += j
            if (
                i == 0
                or j == 0
                or i == height - 1
                or j == width - 1
                or labels[i - 1, j] != label
                or labels[i + 1, j] != label
                or labels[i, j - 1] != label
                or labels[i, j + 1] != label
            ):
                border[i + 1, j + 1] = 1
    for i in range(height):
        for j in range(width):
            if border[i + 1, j + 1] == 0:
                continue
            label = labels[i, j]
            edges, diagonals = 0, 0
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    if border[i + 1 + di, j + 1 + dj] == 0 or labels[i + di, j + dj] != label:
                        continue
                    if di != 0 and dj != 0:
                        diagonals += 1
                    elif di != 0 or dj != 0:
                        edges += 1
            kind = corner_kind(edges, diagonals)
            if kind >= 0:
                corners[label - 1, kind] += 1
