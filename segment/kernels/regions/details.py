"""Small things that a picture's reference size hides: what stands out from the region around it."""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import (
    BoolArray,
    Float32Array,
    Float64Array,
    Int32Array,
    Int64Array,
    UInt8Array,
)
from segment.kernels.jit import kernel

F = np.float32

# Moments of a region's pixels: 1, y, x, yy, yx, xx; then for each band v, vy, vx, vv.
MOMENTS, MOMENTS_OF_BAND = 6, 4


@kernel(bare=True)
def add_moments(labels: Int32Array, values: Float32Array, least: int, sums: Float64Array) -> None:
    """Add up moments of the pixels of each region from label `least` on.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        From 0 on.
    values : ndarray, shape (H, W, C), float32
    sums : ndarray, shape (n + 1 - least, MOMENTS + MOMENTS_OF_BAND * C), float64
        Receives the sums; rows and columns are relative to the middle of the picture.
    """
    height, width, n_bands = values.shape
    for i in range(height):
        y = i - 0.5 * height
        for j in range(width):
            x = j - 0.5 * width
            if labels[i, j] < least:
                continue
            row = sums[labels[i, j] - least]
            row[0] += 1
            row[1] += y
            row[2] += x
            row[3] += y * y
            row[4] += y * x
            row[5] += x * x
            for c in range(n_bands):
                v = np.float64(values[i, j, c])
                at = MOMENTS + MOMENTS_OF_BAND * c
                row[at] += v
                row[at + 1] += v * y
                row[at + 2] += v * x
                row[at + 3] += v * v


@kernel(bare=True)
def mark(
    labels: Int32Array, values: Float32Array, planes: Float32Array, limits: Float32Array,
    first: int, last: int, out: UInt8Array,
) -> None:  # fmt: skip
    """Mark the pixels of rows ``first:last`` that are unlike their region.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        From 1 on; 0 is never marked.
    values : ndarray, shape (H, W, C), float32
    planes : ndarray, shape (n + 1, C, 3), float32
        What each region is like: ``p + q y + r x``, with rows and columns as for `add_moments`.
    limits : ndarray, shape (n + 1,), float32
        Distance from it at which a pixel is marked clearly; half as far it is marked faintly.
    out : ndarray, shape (H, W), uint8
        Receives 0, or 1 (faintly) or 3 (clearly), and 1 more where the pixel is the brighter one.
    """
    height, width, n_bands = values.shape
    for i in range(first, last):
        y = F(i - 0.5 * height)
        for j in range(width):
            x = F(j - 0.5 * width)
            label = labels[i, j]
            total, bright = F(0), F(0)
            for c in range(n_bands):
                p = planes[label, c]
                difference = values[i, j, c] - (p[0] + p[1] * y + p[2] * x)
                total += difference * difference
                bright += difference
            limit2 = limits[label] * limits[label]
            kind = 0
            if label != 0 and 4 * total > limit2:
                kind = (3 if total > limit2 else 1) + (1 if bright > 0 else 0)
            out[i, j] = kind


def part(labels: Int32Array, marks: UInt8Array, border: BoolArray, min_size: int, n: int) -> int:
    """Give what stands out labels of its own.

    That is pixels of one region that hang together at their edges, are all marked and all brighter
    or all darker than it; `min_size` at least, a quarter of them clearly marked, and half of them
    away from borders, where pixels are mixed.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        Changed in place.
    marks : ndarray, shape (H, W), uint8
        From `mark`; used up.
    border : ndarray of bool, shape (H, W)
        Where borders are near.
    min_size : int
        Pixels.
    n : int
        Highest label in use.

    Returns
    -------
    n : int
        Highest label in use now; new ones are numbered by their first pixels.
    """
    room = np.empty(np.count_nonzero(marks), np.int64)
    return _part(labels, marks, border, min_size, n, room)


@kernel(bare=True)
def _part(
    labels: Int32Array, marks: UInt8Array, border: BoolArray, min_size: int, n: int,
    stack: Int64Array,
) -> int:  # fmt: skip
    """Do what `part` says; `stack` has room for all that is marked."""
    height, width = labels.shape
    flat = marks.reshape(-1)
    for start in range(height * width):
        kind = flat[start]
        if kind == 0:
            continue
        # Every pixel found stays on the stack, so that it can be labelled in the end.
        bright, label = (kind - 1) & 1, labels[start // width, start % width]
        stack[0] = start
        flat[start] = 0
        size, done, clear, inside = 1, 0, int(kind > 2), 0
        while done < size:
            y, x = stack[done] // width, stack[done] % width
            done += 1
            inside += 0 if border[y, x] else 1
            for side in range(4):
                i = y + (0, 1, 0, -1)[side]
                j = x + (1, 0, -1, 0)[side]
                if i < 0 or j < 0 or i >= height or j >= width:
                    continue
                other = marks[i, j]
                if other == 0 or (other - 1) & 1 != bright or labels[i, j] != label:
                    continue
                marks[i, j] = 0
                clear += int(other > 2)
                stack[size] = i * width + j
                size += 1
        if size >= min_size and 4 * clear >= size and 2 * inside >= size:
            n += 1
            for k in range(size):
                labels[stack[k] // width, stack[k] % width] = n
    return n


@kernel(bare=True)
def origins(labels: Int32Array, older: Int32Array, out: Int32Array) -> None:
    """Put into `out` (n + 1,) what the first pixel of each label 1..n has in an older label map."""
    for label in range(out.size):
        out[label] = -1
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            if out[labels[i, j]] < 0:
                out[labels[i, j]] = older[i, j]
