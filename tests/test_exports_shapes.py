"""Outlines, annotations and cutouts, saved of a segmentation and read back."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import tifffile
from geopandas.testing import assert_geodataframe_equal
from rasterio.crs import CRS
from typer.testing import CliRunner, Result

import segment
from segment.cli import main
from segment.errors import InputError, InputWarning
from segment.exports import KINDS, every_kind, save
from segment.images import Image, placement, read_image, write_image
from segment.trees import Source, load_with_source
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


UTM = (0.5, 0.0, 500_000.0, 0.0, -0.5, 4_649_776.0)


def write_on_a_map(path: Path, pixels: Any, **profile: Any) -> Path:
    height, width, bands = pixels.shape
    settings = {"crs": "EPSG:32633", "transform": rasterio.Affine(*UTM), **profile}
    with rasterio.open(
        path, "w", "GTiff", width=width, height=height, count=bands, dtype=pixels.dtype, **settings
    ) as file:
        file.write(np.moveaxis(pixels, -1, 0))
    return path


def test_a_picture_on_a_map_gives_polygons_there(tmp_path: Path) -> None:
    path = write_on_a_map(tmp_path / "scene.tif", nested_rectangles())
    kinds = "geojson,gpkg,fgb,parquet"
    result = CliRunner().invoke(
        main.app, ["image", str(path), "-o", str(tmp_path), "-s", "8", "-r", "8", "--save", kinds]
    )
    assert result.exit_code == 0, result.output
    wanted = [500_000, 4_649_776 - 20, 500_030, 4_649_776]  # 60 x 40 pixels of half a metre
    for suffix in ("gpkg", "fgb", "parquet", "geojson"):
        file = tmp_path / f"scene.{suffix}"
        table = (
            geopandas.read_parquet(file) if suffix == "parquet" else geopandas.read_file(file)
        ).sort_values("label")
        assert table.crs.to_epsg() == (4326 if suffix == "geojson" else 32633)
        table = table.to_crs(32633)
        assert table.total_bounds.tolist() == pytest.approx(wanted, abs=0.02)
        assert table.geometry.area.tolist() == pytest.approx((table["area"] / 4).tolist(), rel=0.01)
    written = CliRunner().invoke(
        main.app, ["image", str(path), "-o", "-", "-s", "8", "-r", "8", "--save", "geojson"]
    )
    assert written.stdout == (tmp_path / "scene.geojson").read_text()


def test_a_tree_knows_its_file_and_its_place_on_a_map(tmp_path: Path) -> None:
    path = write_on_a_map(tmp_path / "scene.tif", nested_rectangles())
    kinds = "geojson,gpkg,coco"
    for options in (
        ["image", str(path), "--save", f"hierarchy,{kinds}", "-o", str(tmp_path)],
        [
            "cut",
            str(tmp_path / "scene.hierarchy.npz"),
            "--save",
            kinds,
            "-o",
            str(tmp_path / "cut"),
        ],
    ):
        result = CliRunner().invoke(main.app, [*options, "--regions", "3"])
        assert result.exit_code == 0, result.output
    for name in ("scene.geojson", "scene.coco.json"):
        assert (tmp_path / "cut" / name).read_text() == (tmp_path / name).read_text()
    tables = [
        geopandas.read_file(folder / "scene.gpkg").sort_values("label", ignore_index=True)
        for folder in (tmp_path, tmp_path / "cut")
    ]
    assert_geodataframe_equal(*tables)
    assert tables[1].crs.to_epsg() == 32633


def test_a_tree_says_what_it_will_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_on_a_map(tmp_path / "placed.tif", nested_rectangles())
    image = read_image(path)
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.warns(InputWarning, match="will not know where on a map"):
        out = save(segment.mean_shift(image), image, tmp_path / "placed", ["hierarchy"])
    assert load_with_source(out["hierarchy"])[1] == Source("placed.tif")


def test_pixels_are_kept_where_a_file_does_not_say_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bounds(path: Path) -> list[float]:
        image = read_image(path)
        found = segment.mean_shift(image)
        out = save(found, image, tmp_path / path.stem, ["geojson"], overwrite=True)["geojson"]
        return list(geopandas.read_file(out).total_bounds)

    plain = write_image(tmp_path / "plain.tif", nested_rectangles())
    assert read_image(plain).geo_directory is None
    assert bounds(plain) == [0, 0, 60, 40]
    placed = write_on_a_map(tmp_path / "placed.tif", nested_rectangles())
    assert read_image(placed).geo_directory == 1
    assert bounds(placed) != [0, 0, 60, 40]
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.warns(InputWarning, match=r"polygons are in pixels.*segment\[scene\]"):
        assert bounds(placed) == [0, 0, 60, 40]


def test_each_page_lies_where_it_says(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    write_image(path, nested_rectangles())
    second = write_on_a_map(tmp_path / "second.tif", nested_rectangles())
    with tifffile.TiffFile(second) as file:
        keys = [
            (tag.code, tag.dtype, tag.count, tag.value, True)
            for tag in file.pages[0].tags.values()
            if tag.code in (33550, 33922, 34735, 34737)
        ]
    with tifffile.TiffWriter(path) as file:
        file.write(nested_rectangles(), photometric="rgb")
        file.write(nested_rectangles(), photometric="rgb", extratags=keys)
    assert placement(read_image(path)) is None
    place = placement(read_image(path, page=1))
    assert place is not None
    assert CRS.from_wkt(place.crs).to_epsg() == 32633
    assert place.transform == UTM


def test_names_reach_every_file_of_outlines(found: segment.Segmentation, tmp_path: Path) -> None:
    image = Image(nested_rectangles())
    names = {1: "wall", 3: "window"}
    kinds = ("geojson", "gpkg", "coco", "labelme", "yolo")
    written = save(found, image, tmp_path / "a", kinds, options={"names": names})
    called = ["wall", "region", "window"]
    features = json.loads(written["geojson"].read_text())["features"]
    assert [f["properties"]["classification"]["name"] for f in features] == called
    assert [f["properties"]["name"] for f in features] == called
    assert geopandas.read_file(written["gpkg"]).sort_values("label")["name"].tolist() == called
    coco = json.loads(written["coco"].read_text())
    number = {c["id"]: c["name"] for c in coco["categories"]}
    assert [number[a["category_id"]] for a in coco["annotations"]] == called
    labelme = json.loads(written["labelme"].read_text())
    assert [s["label"] for s in labelme["shapes"]] == called
    assert [line[0] for line in written["yolo"].read_text().splitlines()] == ["0", "2", "1"]
    with pytest.warns(InputWarning, match="3 regions, so that the names of labels 7 are not used"):
        save(found, image, tmp_path / "b", ["labelme"], options={"names": {1: "a", 7: "b"}})
    with pytest.raises(InputError, match="have the label 'x'"):
        save(found, image, tmp_path / "c", ["labelme"], options={"names": {"x": "b"}})


def test_the_command_names_regions(folder: Path) -> None:
    (folder / "names.csv").write_text("label,name\n1,wall\n")
    result = run("--save", "labelme", "--names", "names.csv")
    assert result.exit_code == 0, result.output
    shapes = json.loads(Path("outputs/a.labelme.json").read_text())["shapes"]
    assert [s["label"] for s in shapes] == ["wall", "region", "region"]
    (folder / "names.csv").write_text("label,name\nx,wall\n")
    result = run("--save", "yolo", "--names", "names.csv")
    assert result.exit_code == 1
    assert "have the label 'x'" in result.output
