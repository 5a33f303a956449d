"""Parts of planes in 16 bits agree with their twins."""

from __future__ import annotations

import numpy as np
import pytest

from segment.kernels.regions import shorts
from tests.naive import shorts as naive

F = np.float32


def planes() -> np.ndarray:
    rng = np.random.default_rng(0)
    values = rng.normal(100, 50, (2, 12, 15)).astype(F)
    values[:, rng.random((12, 15)) < 0.2] = np.inf
    values[:, :3, :4] = np.inf
    return values


@pytest.mark.parametrize("part", [(0, 12, 0, 15), (2, 3, 4, 15), (0, 3, 0, 4), (5, 6, 7, 8)])
def test_extents(part: tuple[int, int, int, int]) -> None:
    values = planes()
    low, high = np.zeros(2, F), np.zeros(2, F)
    shorts.extents(values, *part, low, high)
    top, bottom, left, right = part
    expected = naive.extents(values[:, top:bottom, left:right])
    np.testing.assert_array_equal([low, high], expected)


@pytest.mark.parametrize("at", [(0, 0), (-3, -2), (4, 9), (-20, 3), (2, 40)])
def test_shorten(at: tuple[int, int]) -> None:
    values, offsets, scale = planes(), np.array([90, 120], F), F(7.3)
    out = np.zeros((2, 14, 11), np.int16)
    shorts.shorten(values, *at, offsets, scale, out)
    expected = naive.shorten(values, *at, offsets, scale, out.shape)
    np.testing.assert_array_equal(out, expected)
