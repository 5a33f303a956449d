"""Outlines as bytes, and regions as runs: what the formats ask for, region by region."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel

POLYGON, MULTIPOLYGON = 3, 6
HEAD = 9  # bytes: order, type, count


@kernel(inline="always")
def _put(out: Any, at: int, value: int) -> int:
    """Write a whole number as four bytes, the lowest first; return where to go on."""
    for k in range(4):
        out[at + k] = value >> (8 * k) & 0xFF
    return at + 4


@kernel(inline="always")
def _put_head(out: Any, at: int, kind: int, count: int) -> int:
    out[at] = 1  # little-endian
    return _put(out, _put(out, at + 1, kind), count)


@kernel()
def encode_wkb(points: Any, ring_offsets: Any, polygon_offsets: Any, region_offsets: Any) -> Any:
    """Encode regions as MultiPolygons in well-known binary (OGC 06-103r4).

    Parameters
    ----------
    points : ndarray, shape (N, 16), uint8
        The coordinates' bytes, little-endian.
    ring_offsets, polygon_offsets, region_offsets
        As in `segment.shapes.Polygons`.

    Returns
    -------
    data : ndarray of uint8
    offsets : ndarray, shape (n + 1,), int64
        Where each region begins in `data`.
    """
    n = len(region_offsets) - 1
    rings = polygon_offsets[region_offsets[n]] - polygon_offsets[region_offsets[0]]
    n_polygons = region_offsets[n] - region_offsets[0]
    out = np.empty(HEAD * (n + n_polygons) + 4 * rings + 16 * len(points), np.uint8)
    offsets = np.zeros(n + 1, np.int64)
    at = 0
    for region in range(n):
        first, last = region_offsets[region], region_offsets[region + 1]
        at = _put_head(out, at, MULTIPOLYGON, last - first)
        for polygon in range(first, last):
            begin, end = polygon_offsets[polygon], polygon_offsets[polygon + 1]
            at = _put_head(out, at, POLYGON, end - begin)
            for ring in range(begin, end):
                at = _put(out, at, ring_offsets[ring + 1] - ring_offsets[ring])
                for point in range(ring_offsets[ring], ring_offsets[ring + 1]):
                    for k in range(16):
                        out[at + k] = points[point, k]
                    at += 16
        offsets[region + 1] = at
    return out, offsets


@kernel()
def find_columns_runs(labels: Any, n: int) -> Any:
    """Return the runs of each region, column by column, as one goes down and then right.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        Up to `n`; 0 belongs to no region.
    n : int

    Returns
    -------
    runs : ndarray, shape (R, 2), int64
        First pixel and one past the last, as ``column * H + row``; by region, then in order.
    offsets : ndarray, shape (n + 2,), int64
        First run of each label.
    """
    height, width = labels.shape
    offsets = np.zeros(n + 2, np.int64)
    for fill in range(2):
        if fill:
            for k in range(1, n + 2):
                offsets[k] += offsets[k - 1]
            runs = np.empty((offsets[n + 1], 2), np.int64)
            at = offsets[: n + 1].copy()
        previous = 0
        for x in range(width):
            for y in range(height):
                label = labels[y, x]
                if label != previous:
                    if fill and previous > 0:
                        runs[at[previous], 1] = x * height + y
                        at[previous] += 1
                    if label > 0:
                        if fill:
                            runs[at[label], 0] = x * height + y
                        else:
                            offsets[label + 1] += 1
                    previous = label
        if fill and previous > 0:
            runs[at[previous], 1] = width * height
    return runs, offsets


@kernel()
def encode_rle(runs: Any, offsets: Any, size: int) -> Any:
    """Encode runs as COCO does: lengths of gaps and runs in turns, each from the third on less the
    one two before it, in groups of five bits, the lowest first, 48 added.

    Parameters
    ----------
    runs, offsets
        As `find_columns_runs` returns them.
    size : int
        Pixels of the image.

    Returns
    -------
    data : ndarray of uint8
    ends : ndarray, int64
        One past the last byte of each label, the first of which is 0.
    """
    out = np.empty(14 * (2 * len(runs) + len(offsets)) + 14, np.uint8)
    ends = np.zeros(len(offsets) - 1, np.int64)
    n = 0
    for label in range(1, len(offsets) - 1):
        before, last = 0, 0
        two_before, one_before = 0, 0
        for i in range(2 * (offsets[label + 1] - offsets[label]) + 1):
            run = offsets[label] + i // 2
            if i & 1:
                here = runs[run, 1]
            elif run < offsets[label + 1]:
                here = runs[run, 0]
            elif before < size:
                here = size
            else:
                break
            last = here - before
            before = here
            value = last - two_before if i > 2 else last
            two_before, one_before = one_before, last
            while True:
                bits = value & 31
                value >>= 5
                more = value != -1 if bits & 16 else value != 0
                out[n] = (bits | 32 if more else bits) + 48
                n += 1
                if not more:
                    break
        ends[label] = n
    return out[:n].copy(), ends
