"""What the page exports, read back and compared with what Python says of the same cut."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import cv2
import numpy as np
import pytest

import segment
from segment.page import apply_project
from segment.shapes.geojson import feature
from tests.page.conftest import export, labels_of


@pytest.fixture(params=["cut", "edited", "classes"])
def shown(request: pytest.FixtureRequest, page: Any, tree: Any) -> Any:
    """The segmentation that the page shows."""
    if request.param == "edited":
        page.evaluate("app.setCount(40); app.model.select([0, 4, 9, 17]); app.merge()")
        page.evaluate("app.model.select([3]); app.split(); app.clearSelection()")
    if request.param == "classes":
        page.evaluate("app.mark([[10, 44], [50, 44]]); app.setClass(1); app.mark([[24, 33]])")
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


def test_labelme_and_svg(page: Any, shown: Any) -> None:
    shapely = pytest.importorskip("shapely")
    content = json.loads(export(page, "labelme"))
    assert (content["imageHeight"], content["imageWidth"]) == shown.labels.shape
    polygons = segment.polygons(shown.labels)
    outer = {
        (polygon.label, shapely.Polygon(rings[0]).normalize().wkt)
        for polygon in polygons
        for rings in polygon.polygons
    }
    assert outer == {
        (shape["group_id"], shapely.Polygon(shape["points"]).normalize().wkt)
        for shape in content["shapes"]
    }
    drawing = export(page, "svg").decode()
    height, width = shown.labels.shape
    canvas = np.zeros((height, width), int)
    for part in drawing.split("<path ")[1:]:
        label = int(part.split('id="region-')[1].split('"')[0])
        rings = part.split(' d="M')[1].split('Z"')[0].split("ZM")
        inside = np.zeros((height, width), np.uint8)
        for ring in rings:
            points = np.array([point.split() for point in ring.split("L")], float)
            fill = np.zeros_like(inside)
            # Pixel centres: corners of pixels, shifted by half a pixel, in sixteenths.
            cv2.fillPoly(fill, [np.rint((points - 0.5) * 16).astype(np.int32)], 1, shift=4)
            inside ^= fill
        canvas[inside > 0] = np.where(canvas[inside > 0] == 0, label, canvas[inside > 0])
    assert (canvas == shown.labels).mean() > 0.7  # fillPoly also draws the border of a polygon


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
