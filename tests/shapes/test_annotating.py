"""Annotations, decoded by those who read them."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from segment.shapes import polygons
from segment.shapes.annotating import (
    coco_annotations,
    coco_file,
    labelme_file,
    slit_rings,
    to_text,
    yolo_text,
)
from segment.shapes.naming import Naming
from tests.shapes.maps import awkward

MAPS = awkward()
# pycocotools has not heard of NumPy 2 yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def as_coco(content: Any, tmp_path: Any) -> COCO:
    path = tmp_path / "coco.json"
    path.write_text(to_text(content))
    return COCO(path)


def picture(labels: np.ndarray, number: int = 1) -> dict[str, Any]:
    height, width = labels.shape
    return {"id": number, "file_name": "a.png", "width": width, "height": height}


@pytest.mark.parametrize("name", MAPS)
def test_coco_keeps_every_pixel(name: str, tmp_path: Any) -> None:
    labels = MAPS[name]
    coco = as_coco(coco_file([picture(labels)], coco_annotations(labels)), tmp_path)
    painted = np.zeros_like(labels)
    for item in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(item).astype(bool)
        assert mask.sum() == item["area"] == coco_mask.area(item["segmentation"])
        assert item["bbox"] == coco_mask.toBbox(item["segmentation"]).tolist()
        assert not painted[mask].any()
        painted[mask] = item["label"]
    assert np.array_equal(painted, labels)
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == ["region"]


@pytest.mark.parametrize("name", ["blobs", "nested", "masked", "binary noise"])
def test_coco_polygons_reach_holes_through_slits(name: str, tmp_path: Any) -> None:
    labels = MAPS[name]
    found = coco_annotations(labels, shapes=polygons(labels))
    for item in found:
        for ring in item["segmentation"]:
            assert len(ring) >= 6
        total = sum(area(np.array(ring).reshape(-1, 2)) for ring in item["segmentation"])
        assert total == item["area"]
    coco = as_coco(coco_file([picture(labels)], found), tmp_path)
    if name == "nested":  # its own rasterizer, which rounds, but only at borders
        for item in coco.loadAnns(coco.getAnnIds()):
            mask = coco.annToMask(item).astype(bool)
            assert np.mean(mask != (labels == item["label"])) < 0.12


def area(ring: np.ndarray) -> float:
    x, y = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def test_slits_do_not_cross_holes() -> None:
    labels = np.ones((30, 40), int)
    for top, left in [(3, 3), (3, 12), (3, 25), (15, 20), (16, 8), (5, 33)]:
        labels[top : top + 6, left : left + 5] = 2
    (ring,) = slit_rings(polygons(labels)[0])
    scale = 16
    canvas = np.zeros((30 * scale, 40 * scale), np.uint8)
    cv2.fillPoly(canvas, [np.rint(ring * scale - 0.5).astype(np.int32)], 1)
    centers = canvas[scale // 2 :: scale, scale // 2 :: scale]
    assert np.array_equal(centers == 1, labels == 1)


def test_labelme_and_yolo() -> None:
    labels = MAPS["ring over corners"]
    found = polygons(labels)
    content = labelme_file(found, labels.shape, "a.png", naming=Naming(category="cell"))
    assert json.loads(to_text(content))["imagePath"] == "a.png"
    assert (content["imageHeight"], content["imageWidth"]) == labels.shape
    assert {s["label"] for s in content["shapes"]} == {"cell"}
    assert len({s["group_id"] for s in content["shapes"]}) == 1  # parts of one region
    assert sum(area(np.array(s["points"])) for s in content["shapes"]) == (labels > 0).sum()
    assert content["shapes"][0]["group_id"] == 1
    lines = yolo_text(found, labels.shape).splitlines()
    assert len(lines) == len(content["shapes"])
    height, width = labels.shape
    for line, drawn in zip(lines, content["shapes"], strict=True):
        number, *values = line.split()
        assert number == "0"
        points = np.array(values, float).reshape(-1, 2) * (width, height)
        assert points == pytest.approx(np.array(drawn["points"]), abs=1e-4)


def test_named_regions_are_categories(tmp_path: Any) -> None:
    labels = np.repeat([[3, 3, 9, 20, 20, 0]], 4, axis=0)
    naming = Naming({9: "tree", 3: "house", 4: "tree", 30: "road"})
    coco = as_coco(
        coco_file(
            [picture(labels)],
            coco_annotations(labels, naming=naming),
            categories=naming.categories([3, 9, 20]),
        ),
        tmp_path,
    )
    named = {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())}
    assert named == {1: "house", 2: "tree", 3: "road", 4: "region"}
    assert {a["label"]: named[a["category_id"]] for a in coco.loadAnns(coco.getAnnIds())} == {
        3: "house",
        9: "tree",
        20: "region",
    }
    found = polygons(labels)
    drawn = labelme_file(found, labels.shape, "a.png", naming=naming)["shapes"]
    assert [item["label"] for item in drawn] == ["house", "tree", "region"]
    lines = yolo_text(found, labels.shape, naming=naming).splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "3"]
