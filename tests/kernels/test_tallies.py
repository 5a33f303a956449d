"""Sums over windows are those over the whole."""

from __future__ import annotations

import numpy as np
import pytest

from segment.kernels.regions import measuring, tallies


@pytest.mark.parametrize("side", [1, 5, 64])
def test_windows_add_up_to_the_whole(side: int) -> None:
    rng = np.random.default_rng(side)
    labels = np.kron(rng.integers(0, 9, (9, 11)), np.ones((4, 3), int)).astype(np.uint32)
    labels[rng.random(labels.shape) < 0.1] = 3
    values = rng.integers(-300, 300, (*labels.shape, 2)).astype(np.int16)
    n = int(labels.max())
    corners, box, centers = np.zeros((n, 3), np.int64), np.zeros((n, 4), np.int64), np.zeros((n, 2))
    border = np.zeros([side + 2 for side in labels.shape], np.uint8)
    measuring.region_shapes(labels.astype(np.int32), corners, box, centers, border)
    padded = np.pad(labels, 2)
    found = np.zeros((n, 3), np.int32), np.zeros((n, 4), np.int32), np.zeros((n, 2), np.int64)
    found[1][:, 0], found[1][:, 1] = labels.shape
    sums, squares = np.zeros((n, 2), np.int64), np.zeros((n, 2), np.int64)
    low, high = np.full((n, 2), 32767, np.int16), np.full((n, 2), -32768, np.int16)
    origin = np.array([5, -7])
    for i in range(0, labels.shape[0], side):
        for j in range(0, labels.shape[1], side):
            part = slice(i, i + side), slice(j, j + side)
            own = labels[part]
            tallies.tally_shapes(
                np.ascontiguousarray(padded[i : i + len(own) + 4, j : j + own.shape[1] + 4]),
                i, j, *found,
            )  # fmt: skip
            tallies.tally_values(
                np.ascontiguousarray(values[part]), own, origin, sums, squares, low, high
            )
    for one, other in zip(found, (corners, box, centers), strict=True):
        np.testing.assert_array_equal(one, other)
    for region in range(n):
        inside = values[labels == region + 1].astype(np.int64)
        np.testing.assert_array_equal(sums[region], (inside - origin).sum(axis=0))
        np.testing.assert_array_equal(squares[region], ((inside - origin) ** 2).sum(axis=0))
        np.testing.assert_array_equal(low[region], inside.min(axis=0))
        np.testing.assert_array_equal(high[region], inside.max(axis=0))


@pytest.mark.parametrize("step", [1, 3, 8])
def test_shrinking_window_by_window(step: int) -> None:
    rng = np.random.default_rng(step)
    values = rng.integers(0, 256, (20, 31, 4), np.uint8)
    seen, labels = rng.random((20, 31)) > 0.2, rng.integers(0, 99, (20, 31), np.uint32)
    shape = -(-20 // step), -(-31 // step)
    sums, counts = np.zeros((*shape, 3)), np.zeros(shape, np.int64)
    middles = np.zeros(shape, np.int64)
    for i in range(0, 20, 7):
        for j in range(0, 31, 7):
            part = slice(i, i + 7), slice(j, j + 7)
            tallies.shrink(
                values[part], seen[part], labels[part], i, j, step, sums, counts, middles
            )
    for i in range(shape[0]):
        for j in range(shape[1]):
            part = slice(i * step, (i + 1) * step), slice(j * step, (j + 1) * step)
            assert counts[i, j] == seen[part].sum()
            np.testing.assert_array_equal(sums[i, j], values[part][seen[part]][:, :3].sum(axis=0))
            at = i * step + step // 2, j * step + step // 2
            if at[0] < 20 and at[1] < 31:
                assert middles[i, j] == labels[at]
