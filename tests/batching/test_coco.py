"""One COCO file for a batch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import segment
from segment.cli import main
from segment.errors import FileError


def pictures(folder: Path, names: list[str]) -> Path:
    (folder / "sub").mkdir(parents=True)
    for k, name in enumerate(names):
        pixels = np.zeros((20, 30 + k, 3), np.uint8)
        pixels[5:15, 5:25] = 200
        segment.write_image(folder / name, pixels)
    return folder


def test_annotations_of_all_pictures(tmp_path: Path) -> None:
    src = pictures(tmp_path / "src", ["b.png", "a.png", "sub/c.png"])
    dst = tmp_path / "dst"
    for _ in range(2):  # the second run has nothing to do, and writes the same
        report = segment.batch(src, dst, save=["coco"], range_bandwidth=8, jobs=1)
        assert report.ok
        content = json.loads((dst / "annotations.json").read_text())
        assert [p["file_name"] for p in content["images"]] == ["a.png", "b.png", "sub/c.png"]
        assert [p["width"] for p in content["images"]] == [31, 30, 32]
        assert [p["id"] for p in content["images"]] == [1, 2, 3]
        assert [a["id"] for a in content["annotations"]] == [1, 2, 3, 4, 5, 6]
        assert [a["image_id"] for a in content["annotations"]] == [1, 1, 2, 2, 3, 3]
        assert [a["area"] for a in content["annotations"]][1::2] == [200, 200, 200]
    assert (dst / "a.coco.json").exists()


def test_names_are_the_categories_of_all_pictures(tmp_path: Path) -> None:
    src = pictures(tmp_path / "src", ["a.png", "b.png"])
    segment.write_image(src / "b.png", np.zeros((9, 9, 3), np.uint8), overwrite=True)  # one region
    (tmp_path / "names.json").write_text('{"1": "ground", "3": "other"}')
    arguments = ["batch", str(src), str(tmp_path / "dst"), "--save", "coco", "-r", "8", "-s", "8"]
    arguments += ["--names", str(tmp_path / "names.json"), "--category", "thing", "--jobs", "1"]
    done = CliRunner().invoke(main.app, arguments)
    assert done.exit_code == 0, done.output
    content = json.loads((tmp_path / "dst" / "annotations.json").read_text())
    assert {c["id"]: c["name"] for c in content["categories"]} == {
        1: "ground",
        2: "other",
        3: "thing",
    }
    assert [a["category_id"] for a in content["annotations"]] == [1, 3, 1]


def test_a_foreign_file_is_kept(tmp_path: Path) -> None:
    src = pictures(tmp_path / "src", ["a.png"])
    dst = tmp_path / "dst"
    dst.mkdir()
    (dst / "annotations.json").write_text("precious")
    with pytest.raises(FileError, match="not of this batch"):
        segment.batch(src, dst, save=["coco"], range_bandwidth=8, jobs=1)
    assert (dst / "annotations.json").read_text() == "precious"
