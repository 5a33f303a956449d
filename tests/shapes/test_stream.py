"""Polygons strip by strip are those of the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.measure import label

from segment.errors import InputError
from segment.shapes import Tracer, polygons, trace
from tests.shapes.maps import awkward, smooth_noise


def assert_same(labels: Any, cuts: Any, **options: Any) -> None:
    strips = [strip for strip in np.split(labels, cuts) if len(strip)]
    parts = [item for found in trace(strips, **options) for item in found]
    whole = polygons(labels, **options)
    assert sorted(item.label for item in parts) == whole.labels.tolist()
    for got, wanted in zip(sorted(parts, key=lambda item: item.label), whole, strict=True):
        assert got.area == wanted.area
        for rings, expected in zip(got.polygons, wanted.polygons, strict=True):
            for ring, other in zip(rings, expected, strict=True):
                assert np.array_equal(ring, other)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 2.5])
def test_any_cuts_of_small_maps(tolerance: float) -> None:
    rng = np.random.default_rng(1)
    for n in range(120):
        height, width = rng.integers(3, 10, 2)
        noise = rng.integers(0, rng.integers(2, 5), (height, width))
        labels = label(noise, connectivity=1 + n % 2, background=-1 if n % 3 else 0)
        cuts = np.sort(rng.integers(0, height + 1, rng.integers(0, height + 1)))
        assert_same(labels, cuts, tolerance=tolerance)


@pytest.mark.parametrize("tolerance", [0.0, 0.8, 3.0])
@pytest.mark.parametrize("name", ["spiral", "nested", "blobs", "blobs over corners", "diagonal"])
def test_awkward_maps(name: str, tolerance: float) -> None:
    labels = awkward()[name]
    for step in (1, 7, 1000):
        assert_same(labels, range(step, len(labels), step), tolerance=tolerance)
    assert_same(labels, [5], tolerance=tolerance, transform=(2, 0, 7, 0, -2, 9))


def test_regions_come_as_soon_as_they_are_complete() -> None:
    labels = np.arange(1, 11).repeat(3)[:, None].repeat(4, axis=1)
    tracer = Tracer(4)
    seen = [tracer.add(labels[top : top + 5]).labels.tolist() for top in range(0, 30, 5)]
    assert seen == [[1], [2, 3], [4], [5, 6], [7, 8], [9]]  # 2 rows are known to end in the next
    assert tracer.finish().labels.tolist() == [10]


def test_what_is_kept_does_not_grow() -> None:
    rng = np.random.default_rng(0)
    tracer, kept = Tracer(200, tolerance=1.0), []
    offset = 0
    for _ in range(30):
        strip = smooth_noise(rng, (40, 200)) + offset
        offset = int(strip.max())
        tracer.add(strip)
        kept.append(len(tracer._arcs) + len(tracer._open) + len(tracer._codes))
    assert max(kept[15:]) < 2 * max(kept[:15])


@pytest.mark.parametrize(
    ("strips", "message"),
    [
        ([np.ones((2, 3), int), np.ones((2, 4), int)], "4 columns follows one of 3"),
        ([[[1, 1]], [[2, 2]], [[3, 3]], [[1, 3]]], "label 1 comes again at row 3"),
        ([[[1, 2**33]]], "up to 8589934592"),
        ([[[0.5]]], "float64"),
        ([[1, 2]], "2-D"),
    ],
)
def test_bad_strips_are_refused(strips: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(trace(strips))
