"""Filters in which some pixels count for nothing agree with their twins."""

from __future__ import annotations

import numpy as np
import pytest

from segment.kernels.regions import weighted
from tests.naive import weighted as naive


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (2, 9), (1, 5000)])
@pytest.mark.parametrize("step", [1, 3, 10_000])
@pytest.mark.parametrize("n_taps", [1, 5])
def test_blur(shape: tuple[int, int], step: int, n_taps: int) -> None:
    rng = np.random.default_rng(step)
    values = rng.normal(0, 9, shape).astype(np.float32)
    taps = rng.random(n_taps, np.float32)  # none need be symmetric
    out = np.full(shape, np.nan, np.float32)
    weighted.blur(values, taps, step, out)
    np.testing.assert_allclose(out, naive.blur(values, taps, step), rtol=1e-5, atol=1e-5)


def test_blur_of_a_part_is_a_part_of_the_blur() -> None:
    rng = np.random.default_rng(0)
    values, taps = rng.normal(0, 9, (2, 9000)).astype(np.float32), rng.random(7, np.float32)
    whole, part = np.empty_like(values), np.empty((2, 8001), np.float32)
    weighted.blur(values, taps, 2, whole)
    weighted.blur(np.ascontiguousarray(values[:, 501:8502]), taps, 2, part)
    np.testing.assert_array_equal(part[:, 6:-6], whole[:, 507:8496])


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 4), (6, 7)])
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_halve(shape: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng(2)
    planes = rng.normal(0, 9, (3, *shape)).astype(np.float32)
    seen = rng.random(shape) < share
    planes[:, ~seen] = np.nan  # must not be looked at
    half = tuple(-(-length // 2) for length in shape)
    out, there = np.empty((3, *half), np.float32), np.empty(half, bool)
    weighted.halve(planes, seen, out, there)
    expected = naive.halve(planes, seen)
    np.testing.assert_allclose(out, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(there, expected[1])


@pytest.mark.parametrize("side", [1, 4, 50])
def test_count_block_words(side: int) -> None:
    rng = np.random.default_rng(3)
    words = rng.integers(0, 5, (13, 22), np.uint8)
    seen = rng.random(words.shape) < 0.7
    expected = naive.count_block_words(words, seen, side, 5)
    out = np.zeros(expected.shape, np.float32)
    weighted.count_block_words(words, seen, side, out)
    np.testing.assert_array_equal(out, expected)
