"""Files of polygons, read back by the libraries that people use."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from segment.errors import ExtraError, FileError, InputError
from segment.shapes import Polygons, polygons, tables, trace, write_shapes
from tests.shapes.maps import awkward

MAPS = awkward()
UTM = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0)
SUFFIXES = (".geojson", ".gpkg", ".fgb", ".parquet")


def read(path: Path) -> Any:
    return geopandas.read_parquet(path) if path.suffix == ".parquet" else geopandas.read_file(path)


def assert_equal(table: Any, wanted: Polygons) -> None:
    table = table.sort_values("label")
    assert table["label"].tolist() == wanted.labels.tolist()
    assert table["area"].tolist() == wanted.area.tolist()
    for got, item in zip(table.geometry, wanted, strict=True):
        assert got.is_valid
        assert shapely.normalize(got).equals_exact(
            shapely.normalize(shapely.MultiPolygon([shape(item.geometry)]))
            if got.geom_type == "MultiPolygon" and len(item.polygons) == 1
            else shapely.normalize(shape(item.geometry)),
            tolerance=1e-9,
        )


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["binary noise", "blobs", "nested", "gaps in the numbers"])
def test_polygons_come_back(tmp_path: Path, name: str, suffix: str) -> None:
    found = polygons(MAPS[name])
    path = write_shapes(tmp_path / f"out{suffix}", found)
    assert_equal(read(path), found)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_streams_with_a_crs_and_fields(tmp_path: Path, suffix: str) -> None:
    labels = MAPS["blobs"]
    batches = (
        found.with_fields(mean=found.labels / 2)
        for found in trace(np.split(labels, [20, 50]), transform=UTM)
    )
    path = write_shapes(tmp_path / f"out{suffix}", batches, crs="EPSG:32633")
    table = read(path)
    assert table["mean"].tolist() == (table["label"] / 2).tolist()
    if suffix == ".geojson":  # longitude and latitude, seven digits
        assert table.crs.to_epsg() == 4326
        assert all(polygon.exterior.is_ccw for polygon in table.geometry.explode())
        table = table.to_crs(32633)
        assert table.total_bounds == pytest.approx([500_000, 4_999_100, 500_800, 5e6], abs=0.1)
    else:
        assert table.crs.to_epsg() == 32633
        assert_equal(table, polygons(labels, transform=UTM))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_regions_are_an_empty_table(tmp_path: Path, suffix: str) -> None:
    assert len(read(write_shapes(tmp_path / f"out{suffix}", polygons(MAPS["nothing"])))) == 0
    assert len(read(write_shapes(tmp_path / f"none{suffix}", iter(())))) == 0


def test_large_batches_are_parted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_POINTS", 500)
    found = polygons(MAPS["blobs"])
    assert len(found.coordinates) > 2000
    assert_equal(read(write_shapes(tmp_path / "out.fgb", found)), found)


def test_geojson_is_what_qupath_reads(tmp_path: Path) -> None:
    found = polygons([[1, 1], [2, 1]], tolerance=0).with_fields(color=["#ff0080", "#000000"])
    path = write_shapes(tmp_path / "out.geojson", found)
    content = json.loads(path.read_text())
    assert "crs" not in content
    first = content["features"][0]
    assert first["geometry"]["coordinates"] == [
        [[0, 0], [2, 0], [2, 2], [1, 2], [1, 1], [0, 1], [0, 0]]
    ]
    assert "0.0" not in path.read_text()
    assert first["properties"]["objectType"] == "annotation"
    assert first["properties"]["classification"] == {"name": "region", "color": [255, 0, 128]}


def test_nothing_is_left_of_a_stream_that_breaks(tmp_path: Path) -> None:
    def broken() -> Iterator[Polygons]:
        yield polygons(MAPS["blobs"])
        raise InputError("label 7 comes again")

    for suffix in SUFFIXES:
        with pytest.raises(InputError, match="label 7 comes again"):
            write_shapes(tmp_path / f"out{suffix}", broken())
    assert not list(tmp_path.iterdir())


def test_files_are_kept_and_names_checked(tmp_path: Path) -> None:
    found = polygons(MAPS["diagonal"])
    for suffix in SUFFIXES:
        path = tmp_path / f"out{suffix}"
        path.write_bytes(b"precious")
        with pytest.raises(FileError, match="exists already"):
            write_shapes(path, found)
        assert path.read_bytes() == b"precious"
        write_shapes(path, found, overwrite=True)
        assert len(read(path)) == 2
        with pytest.raises(FileError, match="no such file or folder"):
            write_shapes(tmp_path / "none" / f"out{suffix}", found)
    with pytest.raises(InputError, match=r"must end with one of \.geojson, \.gpkg"):
        write_shapes(tmp_path / "out.shp", found)


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet"])
def test_an_unknown_crs_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match="'EPSG:1' is unknown"):
        write_shapes(tmp_path / f"out{suffix}", polygons(MAPS["diagonal"]), crs="EPSG:1")
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = polygons(MAPS["diagonal"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for suffix in (".gpkg", ".parquet"):
        with pytest.raises(ExtraError, match=r"segment\[scene\]"):
            write_shapes(tmp_path / f"out{suffix}", found)
    write_shapes(tmp_path / "out.geojson", found)
