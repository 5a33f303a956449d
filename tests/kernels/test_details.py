"""What stands out from its region, against slow twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segment.kernels.regions import details
from segment.regions.details import _planes
from tests.kernels.test_merging import voronoi
from tests.naive import details as naive


@pytest.mark.parametrize("shape", [(9, 13), (1, 8), (4, 4)])
def test_moments_and_planes(shape: tuple[int, int]) -> None:
    labels = voronoi(*shape, 4, 1, masked=True)
    values = np.random.default_rng(2).random((*shape, 2)).astype(np.float32)
    n = int(labels.max())
    sums = np.zeros((n + 1, details.MOMENTS + 2 * details.MOMENTS_OF_BAND))
    details.add_moments(labels, values, 0, sums)
    expected = naive.moments(labels, values, n)
    assert sums == pytest.approx(expected, abs=1e-9)
    last = np.zeros_like(sums[2:])
    details.add_moments(labels, values, 2, last)
    assert last == pytest.approx(expected[2:], abs=1e-9)
    planes, deviations = _planes(sums, 2)
    y, x = naive.centered(shape)
    for label in range(1, n + 1):
        inside = labels == label
        design = np.stack([np.ones(inside.sum()), y[inside], x[inside]], axis=1)
        fit = design @ np.linalg.lstsq(design, values[inside].astype(float), rcond=None)[0]
        assert design @ planes[label].T == pytest.approx(fit, abs=1e-3)
        rest = ((values[inside] - fit) ** 2).sum(axis=1).mean() ** 0.5
        assert deviations[label] == pytest.approx(rest, abs=1e-3)


def noise(seed: int, shape: tuple[int, int]) -> tuple[Any, Any]:
    from scipy.ndimage import uniform_filter

    random = np.random.default_rng(seed)
    values = np.stack([uniform_filter(random.random(shape), 3) for _ in range(3)], axis=2)
    return voronoi(*shape, 3, seed, masked=True), values.astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_what_stands_out_is_parted(seed: int) -> None:
    shape = (40, 50)
    labels, values = noise(seed, shape)
    n = int(labels.max())
    random = np.random.default_rng(seed)
    planes = random.normal(0, 0.003, (n + 1, 3, 3)).astype(np.float32)
    planes[..., 0] += 0.5
    limits = random.uniform(0.2, 0.35, n + 1).astype(np.float32)
    marks = np.empty(shape, np.uint8)
    details.mark(labels, values, planes, limits, 0, 17, marks)
    details.mark(labels, values, planes, limits, 17, 40, marks)
    assert np.array_equal(marks, naive.marks(labels, values, planes, limits))
    assert len(np.unique(marks)) == 5
    border = random.random(shape) < 0.35
    expected, most = naive.part(labels, marks, border, 3, n)
    before = labels.copy()
    assert details.part(labels, marks, border, 3, n) == most > n
    assert np.array_equal(labels, expected)
    origin = np.empty(most + 1, np.int32)
    details.origins(labels, before, origin)
    for label in np.unique(labels):
        assert origin[label] == before[labels == label][0]


def test_large_parts() -> None:
    labels = np.ones((60, 60), np.int32)
    marks = np.full((60, 60), 3, np.uint8)
    assert details.part(labels, marks, np.zeros((60, 60), bool), 20, 1) == 2
    assert (labels == 2).all()
