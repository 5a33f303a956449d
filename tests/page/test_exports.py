"""What the page exports, read back and compared with what Python says of the same cut."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import shapely

import segment
from segment.page import apply_project
from segment.shapes.geojson import feature
from tests.page.conftest import export, labels_of, visiting


# One page a cut, which all tests export from.
@pytest.fixture(scope="module", params=["cut", "edited", "classes"])
def page(request: pytest.FixtureRequest, browser: Any, html: Path) -> Iterator[Any]:
    with visiting(browser) as opening:
        page = opening(html)
        if request.param == "edited":
            page.evaluate("app.setCount(40); app.model.select([0, 4, 9, 17]); app.merge()")
            page.evaluate("app.model.select([3]); app.split(); app.clearSelection()")
        if request.param == "classes":
            page.evaluate("app.mark([[10, 44], [50, 44]]); app.setClass(1); app.mark([[24, 33]])")
        yield page


@pytest.fixture(scope="module")
def shown(page: Any, tree: Any) -> Any:
    """The segmentation that the page shows."""
    found = apply_project(tree, json.loads(page.evaluate("JSON.stringify(app.model.project())")))
    assert np.array_equal(found.labels, labels_of(page, tree))
    return found


def decoded(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_pictures(page: Any, shown: Any) -> None:
    labels = decoded(export(page, "labels"))
    assert labels.dtype == np.uint16
    assert np.array_equal(labels, shown.labels)
    flat = decoded(export(page, "flat"))[..., ::-1]
    # Means of halves may round either way: the page adds up float32 means of leaves.
    assert np.abs(flat.astype(int) - shown.posterized).max() <= 1
    assert (flat != shown.posterized).mean() < 0.01
    assert np.array_equal(decoded(export(page, "boundaries")) > 0, shown.boundaries())


def test_table(page: Any, shown: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(export(page, "csv").decode())))
    expected = shown.regions()
    assert [name for name in rows[0] if name != "class"] == list(expected)
    for name, column in expected.items():
        found = [float(row[name]) for row in rows]
        assert found == pytest.approx(column.tolist(), rel=1e-4, abs=1e-3), name


def test_geojson(page: Any, shown: Any) -> None:
    found = json.loads(export(page, "geojson"))["features"]
    expected = segment.polygons(shown.labels)
    assert len(found) == len(expected)
    for item, polygon in zip(found, expected, strict=True):
        there = json.loads(json.dumps(feature(polygon, "region")))
        assert item["geometry"] == there["geometry"]
        assert item["id"] == there["id"]
        assert item["properties"]["area"] == there["properties"]["area"]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # theirs
def test_coco(page: Any, shown: Any) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    content = json.loads(export(page, "coco"))
    labels = np.zeros_like(shown.labels)
    for item in content["annotations"]:
        inside = mask.decode(item["segmentation"]) > 0
        assert not labels[inside].any()
        labels[inside] = item["id"]
        assert item["area"] == inside.sum()
        y, x = np.nonzero(inside)
        size = [np.ptp(x) + 1, np.ptp(y) + 1]
        assert item["bbox"] == [x.min(), y.min(), *size]
    assert np.array_equal(labels, shown.labels)


def rings_of(polygons: Any) -> set[tuple[int, str, bool]]:
    """Label and normal form of every ring, and whether it is a hole."""
    return {
        (polygon.label, shapely.LinearRing(ring).normalize().wkt, k > 0)
        for polygon in polygons
        for rings in polygon.polygons
        for k, ring in enumerate(rings)
    }


def test_labelme(page: Any, shown: Any) -> None:
    content = json.loads(export(page, "labelme"))
    assert (content["imageHeight"], content["imageWidth"]) == shown.labels.shape
    found = {
        (shape["group_id"], shapely.LinearRing(shape["points"]).normalize().wkt, False)
        for shape in content["shapes"]
    }
    wanted = rings_of(segment.polygons(shown.labels))
    assert found == {(label, ring, hole) for label, ring, hole in wanted if not hole}


def test_svg(page: Any, shown: Any) -> None:
    """Every ring of every region, its colour, and its place in the order."""
    tree = ElementTree.fromstring(export(page, "svg"))
    height, width = shown.labels.shape
    assert tree.get("viewBox") == f"0 0 {width} {height}"
    assert tree.get("fill-rule") == "evenodd"
    found, areas = set(), []
    for path in tree:
        label = int(path.attrib["id"].removeprefix("region-"))
        y, x = np.nonzero(shown.labels == label)
        areas.append(len(y))
        color = [int(path.attrib["fill"][k : k + 2], 16) for k in (1, 3, 5)]
        assert np.abs(color - shown.posterized[y[0], x[0]].astype(int)).max() <= 1
        assert path.attrib["stroke"] == path.attrib["fill"]
        rings = [
            np.array([point.split() for point in ring.removesuffix("Z").split("L")], float)
            for ring in path.attrib["d"].removeprefix("M").split("M")
        ]
        outer = [shapely.LinearRing(ring).is_ccw for ring in rings]
        assert sum(shapely.Polygon(ring).area * (1 if own == outer[0] else -1)
                   for ring, own in zip(rings, outer, strict=True)) == len(y)  # fmt: skip
        found |= {
            (label, shapely.LinearRing(ring).normalize().wkt, own != outer[0])
            for ring, own in zip(rings, outer, strict=True)
        }
    assert found == rings_of(segment.polygons(shown.labels))
    assert areas == sorted(areas, reverse=True)
    assert len(areas) == len(np.unique(shown.labels[shown.labels > 0]))


def test_cutouts(page: Any, shown: Any) -> None:
    content = zipfile.ZipFile(io.BytesIO(export(page, "cutouts")))
    assert content.testzip() is None
    present = np.unique(shown.labels[shown.labels > 0])
    assert content.namelist() == [f"{label}.png" for label in present]
    for label in present:
        picture = decoded(content.read(f"{label}.png"))
        y, x = np.nonzero(shown.labels == label)
        assert np.array_equal(
            picture[..., 3] > 0,
            (shown.labels == label)[y.min() : y.max() + 1, x.min() : x.max() + 1],
        )
    if not page.evaluate("app.model.byClass"):
        page.evaluate("app.model.select([1])")
        assert np.array_equal(
            decoded(export(page, "cutouts"))[..., 3] > 0, decoded(content.read("2.png"))[..., 3] > 0
        )
        page.evaluate("app.clearSelection()")
