"""Polygons: exact where they are not simplified, and fitting together where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry import shape

import segment
from segment.errors import InputError
from segment.shapes import Polygons, polygons
from segment.shapes.graph import simplify, trace_whole, twins
from tests.naive import shapes as naive
from tests.shapes.maps import awkward, smooth_noise

MAPS = awkward()


def geometries(found: Polygons) -> list[Any]:
    return [shape(item.geometry) for item in found]


def painted(found: Polygons, size: tuple[int, int]) -> NDArray[Any]:
    jobs = [(shape(item.geometry), item.label) for item in found]
    return rasterize(jobs, out_shape=size, fill=0, dtype="int32") if jobs else np.zeros(size, int)


def largest_overlap(shapes: list[Any]) -> float:
    if not shapes:
        return 0.0
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = one < other
    array = np.array(shapes)
    common = shapely.intersection(array[one[pairs]], array[other[pairs]])
    return float(shapely.area(common).max(initial=0))


def random_maps(n: int) -> Iterator[NDArray[Any]]:
    rng = np.random.default_rng(1)
    for _ in range(n):
        size = rng.integers(1, 9, 2)
        yield rng.integers(0, rng.integers(2, 6), size)


@pytest.mark.parametrize("name", MAPS)
def test_polygons_are_the_labels(name: str) -> None:
    labels = MAPS[name]
    found = polygons(labels)
    numbers, counts = np.unique(labels[labels > 0], return_counts=True)
    assert found.labels.tolist() == numbers.tolist()
    assert found.area.tolist() == counts.tolist()
    shapes = geometries(found)
    assert all(map(shapely.is_valid, shapes))
    assert [s.area for s in shapes] == counts.tolist()
    assert np.array_equal(painted(found, labels.shape), labels)
    if shapes:
        assert shapely.coverage_is_valid(shapes)
        assert shapely.union_all(shapes).area == counts.sum()
    assert largest_overlap(shapes) == 0


def test_rings_agree_with_the_naive_ones() -> None:
    cases = [*random_maps(60), *(m for m in MAPS.values() if m.size < 2500 and m.max() < 100)]
    for labels in cases:
        for item in polygons(labels):
            got = sorted(ring.tolist() for rings in item.polygons for ring in rings)
            wanted = sorted([list(p) for p in ring] for ring in naive.rings(labels, item.label))
            assert got == wanted
            for rings in item.polygons:
                assert naive.area(rings[0].tolist()) > 0
                assert all(naive.area(hole.tolist()) < 0 for hole in rings[1:])


def test_holes_lie_in_their_own_polygon() -> None:
    labels = np.zeros((20, 30), int)
    labels[2:18, 2:12] = 1
    labels[2:18, 15:28] = 1
    labels[4:16, 17:26] = 0
    labels[6:14, 18:25] = 1  # an island in a hole of its own region
    for y, x in [(3, 5), (3, 9), (8, 4), (8, 20), (10, 22)]:
        labels[y, x] = 0
    (region,) = polygons(labels)
    assert sorted(len(rings) for rings in region.polygons) == [2, 3, 4]
    assert shape(region.geometry).is_valid


@pytest.mark.parametrize("tolerance", [0.4, 0.8, 1.5, 5.0])
@pytest.mark.parametrize("name", [name for name, m in MAPS.items() if min(m.shape) > 5])
def test_simplified_polygons_fit_together(name: str, tolerance: float) -> None:
    labels = MAPS[name]
    found = polygons(labels, tolerance=tolerance)
    shapes = geometries(found)
    assert found.labels.tolist() == np.unique(labels[labels > 0]).tolist()
    assert all(map(shapely.is_valid, shapes))
    assert all(s.area > 0 for s in shapes)
    assert largest_overlap(shapes) < 1e-9
    assert shapely.coverage_is_valid(shapes)
    exact = geometries(polygons(labels))
    for s, e in zip(shapes, exact, strict=True):
        assert s.boundary.hausdorff_distance(e.boundary) <= tolerance + 1e-9
    if (labels > 0).all():
        assert shapely.union_all(shapes).area == pytest.approx(labels.size, rel=1e-12)
    assert len(found.coordinates) <= len(polygons(labels).coordinates)


def test_tolerance_saves_points() -> None:
    labels = MAPS["blobs"]
    sizes = [len(polygons(labels, tolerance=t).coordinates) for t in (0, 0.5, 1, 2)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.6 * sizes[0]


def test_simplifying_agrees_with_the_naive_way() -> None:
    rng = np.random.default_rng(2)
    cases = [*random_maps(40), smooth_noise(rng, (30, 25)), MAPS["nested"]]
    for labels in cases:
        arcs, codes = trace_whole(np.ascontiguousarray(labels, np.int32))
        cracks = {(x, y) for y, x in np.argwhere(codes).tolist()}
        paths = [
            list(map(tuple, arcs.points[a:b].tolist()))
            for a, b in zip(arcs.offsets[:-1], arcs.offsets[1:], strict=True)
        ]
        pairs = [
            (frozenset([path[0], path[-1]]), side)
            for path, sides in zip(paths, arcs.sides.tolist(), strict=True)
            for side in sides
        ]
        forced = [
            not closed
            and any(s > 0 and pairs.count((frozenset([p[0], p[-1]]), s)) > 1 for s in sides)
            for p, sides, closed in zip(paths, arcs.sides.tolist(), arcs.closed, strict=True)
        ]
        assert twins(arcs).tolist() == forced
        for tolerance in (0.5, 1.0, 3.0):
            lines = simplify(arcs, twins(arcs), codes, 0, tolerance)
            for k, path in enumerate(paths):
                got = lines.points[lines.offsets[k] : lines.offsets[k + 1]].astype(int).tolist()
                wanted = naive.simplified(path, cracks, tolerance, forced[k])
                assert got == [list(p) for p in wanted]


def test_two_arcs_are_not_drawn_as_one_chord() -> None:
    labels = np.ones((9, 20), int)
    labels[4:] = 2
    labels[4, 6:14] = 3  # a sliver between two long borders
    for tolerance in (1.0, 3.0):
        found = polygons(labels, tolerance=tolerance)
        assert found.labels.tolist() == [1, 2, 3]
        assert all(s.area > 0 and s.is_valid for s in geometries(found))


def test_a_transform_places_and_keeps_the_orientation() -> None:
    labels = MAPS["blobs"]
    found = polygons(labels, transform=(10.0, 0.0, 500_000.0, 0.0, -10.0, 4_000_000.0))
    for item, plain in zip(found, polygons(labels), strict=True):
        placed = shape(item.geometry)
        assert placed.is_valid
        assert placed.area == pytest.approx(100 * plain.area)
        assert placed.exterior.is_ccw
        assert not any(hole.is_ccw for hole in placed.interiors)
        x, y, *_ = placed.bounds
        left, _, _, bottom = shape(plain.geometry).bounds
        assert (x, y) == (500_000 + 10 * left, 4_000_000 - 10 * bottom)


def test_items_are_features() -> None:
    found = polygons([[1, 1], [2, 1]]).with_fields(mean=[0.5, 7.0])
    assert found[0].__geo_interface__ == {
        "type": "Feature",
        "id": 1,
        "properties": {"label": 1, "area": 3, "mean": 0.5},
        "geometry": {
            "type": "Polygon",
            "coordinates": [[(0, 0), (2, 0), (2, 2), (1, 2), (1, 1), (0, 1), (0, 0)]],
        },
    }
    assert found.__geo_interface__["type"] == "FeatureCollection"
    assert len(found) == len(list(found)) == 2
    assert found[-1].label == found[1:][0].label == 2
    with pytest.raises(IndexError):
        found[2]
    with pytest.raises(InputError, match="one value a region"):
        found.with_fields(mean=[1.0])


@pytest.mark.parametrize("name", sorted(MAPS))
def test_all_at_once_are_as_one_by_one(name: str) -> None:
    found = polygons(MAPS[name])
    assert found.geometries() == [item.geometry for item in found]
    numbered = found.with_fields(number=np.arange(len(found)))
    for shapes in (found, numbered):
        features = [item.__geo_interface__ for item in shapes]
        assert shapes.__geo_interface__["features"] == features


def test_large_numbers_and_every_dtype() -> None:
    plain = np.array([[1, 2, 2], [1, 0, 2]])
    for dtype in (np.uint8, np.int16, np.uint16, np.uint32, np.int64, np.uint64):
        assert polygons(plain.astype(dtype)).area.tolist() == [2, 3]
    assert polygons(plain > 0).area.tolist() == [5]
    assert polygons(plain.T[::-1]).area.tolist() == [2, 3]
    huge = np.where(plain == 2, 2**40, plain)
    assert polygons(huge).labels.tolist() == [1, 2**40]


def test_a_segmentation_opens_the_door() -> None:
    image = np.zeros((30, 40), np.uint8)
    image[10:20, 10:30] = 200
    found = segment.mean_shift(image)
    assert [p.area for p in found.polygons()] == [1000, 200]
    moved = found.polygons(tolerance=1, transform=(2, 0, 5, 0, 2, 0))
    assert shape(moved[1].geometry).bounds == (25, 20, 65, 40)
    assert segment.polygons(found.labels)[1].area == 200


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (np.zeros((2, 2, 2), int), {}, "shape (2, 2, 2); give a 2-D array"),
        (np.zeros((0, 3), int), {}, "without a pixel"),
        (np.ones((2, 2)), {}, "of type float64; give whole numbers"),
        (np.array([[1, -3]]), {}, "go down to -3; give 0 for no region"),
        (np.eye(4, dtype=int), {"tolerance": -1}, "tolerance=-1 is below 0"),
        (np.eye(4, dtype=int), {"tolerance": float("nan")}, "tolerance=nan"),
        (np.eye(4, dtype=int), {"tolerance": 9}, "larger than the picture, 4x4"),
        (np.eye(4, dtype=int), {"tolerance": "1"}, "tolerance='1' is no number"),
        (np.eye(4, dtype=int), {"transform": (1, 2)}, "is not six finite numbers"),
        (np.eye(4, dtype=int), {"transform": (1, 1, 0, 1, 1, 0)}, "onto a line"),
    ],
)
def test_bad_input_is_refused(labels: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        polygons(labels, **options)
