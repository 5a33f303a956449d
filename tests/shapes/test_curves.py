"""Smooth outlines lie on the edges of pictures, and fit together all the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon, shape

import segment
from segment.errors import InputError
from segment.shapes import polygons
from tests.shapes.maps import awkward, smooth_noise

MAPS = awkward()
SIZE, FINE = 100, 16
DARK, LIGHT = np.array([30, 60, 90]), np.array([200, 180, 120])


def coverage(figure: Any) -> NDArray[Any]:
    """Share of each pixel that a figure covers."""
    at = (np.arange(SIZE * FINE) + 0.5) / FINE
    x, y = np.meshgrid(at, at)
    inside = shapely.contains_xy(figure, x, y)
    return inside.reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3))


def figures() -> list[Any]:
    rng = np.random.default_rng(0)
    found = []
    for radius in (8.0, 12.0, 14.0, 16.0, 18.0, 25.0, 37.0):
        x, y = 50 + rng.uniform(-0.5, 0.5, 2)
        found.append(pytest.param(Point(x, y).buffer(radius, 256), id=f"disc {radius:g}"))
        for angle in rng.uniform(0, np.pi / 2, 2) if radius > 16 else ():
            square = radius * np.exp(1j * (angle + np.arange(4) * np.pi / 2))
            corners = np.stack([x + square.real, y + square.imag], axis=1)
            found.append(pytest.param(Polygon(corners), id=f"square {radius:g}, {angle:.2f}"))
    return found


@pytest.mark.parametrize("figure", figures())
@pytest.mark.parametrize("gray", [False, True])
def test_outlines_lie_on_the_edge(figure: Any, gray: bool) -> None:
    share = coverage(figure)
    picture = np.rint(DARK + (LIGHT - DARK) * share[..., None]).astype(np.uint8)
    labels = (share >= 0.5) + 1
    image = picture[..., 0].astype(np.uint16) * 100 if gray else picture
    found = shape(polygons(labels, smooth=True, image=image)[1].geometry)
    steps = np.linspace(0, 1, 500)
    away = [figure.exterior.distance(found.exterior.interpolate(t, normalized=True)) for t in steps]
    assert np.mean(away) <= 0.05
    assert max(away) <= 0.5
    assert found.area == pytest.approx(figure.area, rel=2e-3)


def test_without_a_picture_borders_are_smooth() -> None:
    share = coverage(Point(50, 50).buffer(30, 256))
    found = shape(polygons((share >= 0.5) + 1, smooth=True)[1].geometry)
    assert found.hausdorff_distance(Point(50, 50).buffer(30, 256)) < 1
    assert found.area == pytest.approx(np.pi * 900, rel=0.01)


@pytest.mark.parametrize("name", [name for name, m in MAPS.items() if min(m.shape) > 5])
@pytest.mark.parametrize("with_image", [False, True])
def test_curves_fit_together(name: str, with_image: bool) -> None:
    labels = MAPS[name]
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (*labels.shape, 3)) if with_image else None
    found = polygons(labels, smooth=True, image=image)
    shapes = [shape(item.geometry) for item in found]
    assert found.labels.tolist() == np.unique(labels[labels > 0]).tolist()
    assert all(map(shapely.is_valid, shapes))
    assert all(s.area > 0 for s in shapes)
    if (labels > 0).all():
        assert sum(s.area for s in shapes) == pytest.approx(labels.size, rel=1e-9)
        assert shapely.union_all(shapes).area == pytest.approx(labels.size, rel=1e-9)


@pytest.mark.parametrize("seed", [1, 25, 30, 33])
def test_outlines_do_not_touch(seed: int) -> None:
    """Maps in which two borders come to run through the very same point."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 9, (60, 60))
    image = rng.integers(0, 256, (60, 60, 3), np.uint8)
    found = polygons(labels, smooth=True, image=image)
    shapes = [shape(item.geometry) for item in found]
    assert all(map(shapely.is_valid, shapes))
    assert shapely.coverage_is_valid(shapes)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 4.0])
def test_no_region_all_but_vanishes(tolerance: float) -> None:
    """In this map both arcs of a small region used to become one curve."""
    labels = MAPS["masked"]
    found = polygons(labels, smooth=True, tolerance=tolerance)
    shapes = [shape(item.geometry) for item in found]
    assert shapely.coverage_is_valid(shapes)
    share = shapely.area(shapes) / found.area
    assert share.min() >= 0.09


def test_a_photograph_stays_whole() -> None:
    rng = np.random.default_rng(0)
    labels = smooth_noise(rng, (120, 160))
    image = rng.normal(labels * 37 % 200, 3)[..., None]
    found = polygons(labels, smooth=True, image=image, tolerance=1.0)
    shapes = [shape(item.geometry) for item in found]
    assert all(map(shapely.is_valid, shapes))
    assert sum(s.area for s in shapes) == pytest.approx(labels.size)
    areas = np.array([s.area for s in shapes])
    large = found.area > 200
    assert areas[large] == pytest.approx(found.area[large], rel=0.15)


def test_a_segmentation_is_smoothed_by_its_own_picture() -> None:
    share = coverage(Point(50.3, 49.8).buffer(30, 256))
    picture = np.rint(DARK + (LIGHT - DARK) * share[..., None]).astype(np.uint8)
    found = segment.mean_shift(picture, range_bandwidth=20, min_size=200)
    disc = shape(found.polygons(smooth=True)[1].geometry)
    assert disc.area == pytest.approx(np.pi * 900, rel=2e-3)


def test_an_image_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="give the image that was segmented"):
        polygons(MAPS["blobs"], smooth=True, image=np.zeros((3, 3)))
