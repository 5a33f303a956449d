"""Outlines, annotations and cutouts, saved of a segmentation and read back."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
from typer.testing import CliRunner, Result

import segment
from segment.cli import main
from segment.errors import InputError
from segment.exports import KINDS, every_kind, save
from segment.images import Image, read_image, write_image
from tests.pictures import nested_rectangles

OUTLINES = tuple(kind for kind in KINDS if KINDS[kind].writer.startswith("segment.exports.shapes"))


@pytest.fixture
def found() -> segment.Segmentation:
    result = segment.mean_shift(nested_rectangles())
    assert result.n_regions == 3
    return result


def test_every_outline_is_saved(found: segment.Segmentation, tmp_path: Path) -> None:
    written = save(
        found, Image(nested_rectangles(), path="some/where/a.png"), tmp_path / "a", OUTLINES
    )
    assert {kind: path.name for kind, path in written.items()} == {
        "svg": "a.svg",
        "geojson": "a.geojson",
        "gpkg": "a.gpkg",
        "fgb": "a.fgb",
        "parquet": "a.parquet",
        "coco": "a.coco.json",
        "labelme": "a.labelme.json",
        "yolo": "a.txt",
        "cutouts": "a.cutouts.zip",
    }
    areas = np.bincount(found.labels.ravel())[1:].tolist()
    content = json.loads(written["geojson"].read_text())
    assert [f["properties"]["area"] for f in content["features"]] == areas
    reds = [f["properties"]["classification"]["color"][0] for f in content["features"]]
    assert reds[0] > 190 > 40 > reds[1]
    for kind in ("gpkg", "fgb"):
        table = geopandas.read_file(written[kind]).sort_values("label")
        assert table.geometry.area.tolist() == areas
        assert table.total_bounds.tolist() == [0, -40, 60, 0]  # where QGIS puts a plain picture
        assert table["mean-0"].tolist() == pytest.approx(found.colors[:, 0].tolist())
    assert json.loads(written["coco"].read_text())["images"][0]["file_name"] == "a.png"
    assert json.loads(written["labelme"].read_text())["imagePath"] == "a.png"
    assert len(written["yolo"].read_text().splitlines()) == 3


def test_cutouts_are_the_regions(found: segment.Segmentation, tmp_path: Path) -> None:
    path = found.save(tmp_path / "a", ["cutouts"])["cutouts"]
    rebuilt = np.zeros((40, 60, 3), np.uint8)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names == ["1-x0-y0.png", "2-x10-y8.png", "3-x20-y16.png"]
        for name in names:
            file = tmp_path / name
            file.write_bytes(archive.read(name))
            crop = read_image(file)
            _, x, y = (int("".join(filter(str.isdigit, part))) for part in name.split("-"))
            height, width = crop.shape
            inside = crop.mask if crop.mask is not None else np.ones(crop.shape, bool)
            rebuilt[y : y + height, x : x + width][inside] = crop.pixels[inside]
    assert np.array_equal(rebuilt, nested_rectangles())
    again = found.save(tmp_path / "b", ["cutouts"])["cutouts"]
    assert again.read_bytes() == path.read_bytes()


def test_options_reach_the_writers(found: segment.Segmentation, tmp_path: Path) -> None:
    found.save(
        tmp_path / "a",
        ["coco", "svg", "labelme"],
        category="cell",
        coco_polygons=True,
        tolerance=1.0,
        svg_style="numbered",
        palette=["red", "#00ff00", "blue"],
    )
    coco = json.loads((tmp_path / "a.coco.json").read_text())
    assert coco["categories"][0]["name"] == "cell"
    assert isinstance(coco["annotations"][0]["segmentation"], list)
    text = (tmp_path / "a.svg").read_text()
    assert all(f'fill="{color}"' in text for color in ("#f00", "#0f0", "#00f"))
    assert 'id="numbers"' in text
    with pytest.raises(InputError, match="category='x' goes with"):
        found.save(tmp_path / "b", ["svg"], category="x")


def test_a_picture_without_regions(tmp_path: Path) -> None:
    result = segment.mean_shift(nested_rectangles(), mask=np.zeros((40, 60), bool))
    assert result.n_regions == 0
    written = result.save(tmp_path / "a", OUTLINES)
    assert sorted(written) == sorted(OUTLINES)
    assert json.loads(written["geojson"].read_text())["features"] == []
    assert json.loads(written["coco"].read_text())["annotations"] == []
    for style in ("outline", "numbered"):
        result.save(tmp_path / "a", ["svg"], svg_style=style, overwrite=True)


def test_all_leaves_out_what_needs_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(every_kind()) == set(KINDS)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert set(KINDS) - set(every_kind()) == {"gpkg", "fgb", "parquet"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_image("a.png", nested_rectangles())
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(main.app, ["image", "a.png", "--regions", "3", *args])


def test_the_command_takes_the_options(folder: Path) -> None:
    result = run("--save", "svg,coco", "--svg-style", "outline", "--tolerance", "2", "--palette",
                 "2", "--category", "leaf")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert 'fill="none"' in Path("outputs/a.svg").read_text()
    assert json.loads(Path("outputs/a.coco.json").read_text())["categories"][0]["name"] == "leaf"
    result = run("--save", "parquet", "--smooth", "-o", "-")
    assert result.exit_code == 0
    assert len(geopandas.read_parquet(io.BytesIO(result.stdout_bytes))) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--svg-style", "oil"], "--svg-style oil is unknown"),
        (["--palette", "0"], "--palette 0 is too small"),
        (["--palette", "red,reddish"], "'reddish' is no colour"),
        (["--tolerance", "-1"], "--tolerance -1 is below 0"),
        (["--category", "x"], "--category x goes with"),
        (["--smooth"], "--smooth"),
    ],
)
def test_bad_options_are_refused_before_anything_is_done(
    folder: Path, arguments: list[str], message: str
) -> None:
    result: Any = run("--save", "svg", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not Path("outputs").exists()
