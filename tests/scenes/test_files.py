"""What goes in and what comes out: bands, nodata, masks, georeference, tables, outlines."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from tests.scenes.conftest import BANDWIDTHS, CRS, TRANSFORM, rasterio, read_raster, write_raster

Whole = Callable[..., NDArray[np.int32]]
SCENE = Path(__file__).parents[3] / "shared" / "scenes" / "landsat-rgb-nodata0.tif"


def test_bands_in_any_order_and_alpha(
    tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    alpha = np.full(photograph.shape[:2], 255, np.uint8)
    alpha[30:90, 20:60] = 0
    pixels = np.dstack([photograph, alpha])
    src = write_raster(tmp_path / "src.tif", pixels, photometric="RGB", alpha="YES")
    segment.scene(src, tmp_path / "a.tif", tile=40, **BANDWIDTHS)
    np.testing.assert_array_equal(
        read_raster(tmp_path / "a.tif"), whole(photograph, mask=alpha > 0)
    )
    segment.scene(src, tmp_path / "b.tif", tile=40, bands=(3, 2, 1), **BANDWIDTHS)
    expected = whole(photograph[..., ::-1], mask=alpha > 0)
    np.testing.assert_array_equal(read_raster(tmp_path / "b.tif"), expected)


@pytest.mark.parametrize("kind", ["nodata", "unlike", "internal", "file"])
def test_what_has_no_value_is_left_out(
    kind: str, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    keep = np.ones(photograph.shape[:2], bool)
    keep[40:100, 50:120] = False
    pixels, options, profile = photograph.copy(), {}, {}
    if kind == "nodata":
        pixels = np.maximum(pixels, 1)
        pixels[~keep] = 0
        profile["nodata"] = 0
    src = write_raster(tmp_path / "src.tif", pixels, **profile)
    if kind == "unlike":  # a value of its own for each band
        pixels = np.clip(pixels, 3, 250)
        pixels[~keep] = (1, 2, 251)
        names = [
            write_raster(tmp_path / f"{k}.tif", pixels[..., k : k + 1], nodata=value)
            for k, value in enumerate((1, 2, 251))
        ]
        src = tmp_path / "src.vrt"
        src.write_text(virtual(names, pixels.shape, (1, 2, 251)))
    if kind == "internal":
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(src, "r+") as file,
        ):
            file.write_mask(keep)
    if kind == "file":
        mask = (keep * 255).astype(np.uint8)[..., None]
        options["mask"] = write_raster(tmp_path / "mask.tif", mask)
    report = segment.scene(src, tmp_path / "dst.tif", tile=40, **options, **BANDWIDTHS)
    expected = whole(pixels, mask=keep)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), expected)
    assert report.n_pixels == keep.sum()


def virtual(names: list[Path], shape: tuple[int, ...], nodata: tuple[int, ...]) -> str:
    """Return a VRT of bands from several files, each with its nodata."""
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{k + 1}"><NoDataValue>{value}</NoDataValue>'
        f'<SimpleSource><SourceFilename relativeToVRT="1">{name.name}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
        for k, (name, value) in enumerate(zip(names, nodata, strict=True))
    )
    return f'<VRTDataset rasterXSize="{shape[1]}" rasterYSize="{shape[0]}">{bands}</VRTDataset>'


@pytest.fixture
def everything(
    tmp_path: Path, photograph: NDArray[np.uint8]
) -> tuple[Path, segment.Segmentation, NDArray[np.bool_]]:
    """A scene with a hole, its outputs, and the same in memory."""
    pixels = np.maximum(photograph, 1)
    keep = np.ones(pixels.shape[:2], bool)
    keep[60:90, 30:90] = False
    src = write_raster(tmp_path / "src.tif", np.where(keep[..., None], pixels, 0), nodata=0)
    segment.scene(
        src,
        tmp_path / "labels.tif",
        tile=40,
        posterized=tmp_path / "posterized.tif",
        filtered=tmp_path / "filtered.tif",
        table=tmp_path / "table.csv",
        vector=tmp_path / "regions.gpkg",
        preview=tmp_path / "look.png",
        **BANDWIDTHS,
    )
    return tmp_path, segment.mean_shift(pixels, mask=keep, **BANDWIDTHS), keep


def test_rasters(
    everything: tuple[Path, segment.Segmentation, NDArray[np.bool_]],
    photograph: NDArray[np.uint8],
) -> None:
    folder, expected, keep = everything
    with rasterio.open(folder / "labels.tif") as file:
        assert (file.nodata, file.dtypes, file.crs) == (0, ("uint32",), CRS)
        assert tuple(file.transform)[:6] == TRANSFORM
        assert file.block_shapes == [(512, 512)]
        assert file.compression.name == "deflate"
        np.testing.assert_array_equal(file.read(1), expected.labels)
    filtered = segment.mean_shift_filter(np.maximum(photograph, 1), mask=keep, **BANDWIDTHS)
    for name, pixels in (("posterized", expected.posterized), ("filtered", filtered)):
        with rasterio.open(folder / f"{name}.tif") as file:
            assert file.crs == CRS
            np.testing.assert_array_equal(file.dataset_mask() > 0, keep)
            np.testing.assert_array_equal(np.moveaxis(file.read(), 0, -1)[keep], pixels[keep])
    look = segment.read_image(folder / "look.png").pixels
    assert look.shape == photograph.shape


def test_table_and_outlines(
    everything: tuple[Path, segment.Segmentation, NDArray[np.bool_]], photograph: NDArray[np.uint8]
) -> None:
    pandas, geopandas = pytest.importorskip("pandas"), pytest.importorskip("geopandas")
    from rasterio.features import rasterize

    folder, expected, _ = everything
    table = pandas.read_csv(folder / "table.csv")
    for name, column in expected.regions().items():
        np.testing.assert_allclose(table[name], column, rtol=1e-9, atol=1e-9, err_msg=name)
    largest = int(table.area.argmax())
    own = np.maximum(photograph, 1)[expected.labels == largest + 1]
    assert [table[f"min-{k}"][largest] for k in range(3)] == own.min(axis=0).tolist()
    assert [table[f"max-{k}"][largest] for k in range(3)] == own.max(axis=0).tolist()
    np.testing.assert_allclose(table.area_map, 100 * table.area)
    np.testing.assert_allclose(table.x, 600_000 + 10 * (table["centroid-1"] + 0.5))
    np.testing.assert_allclose(table.y, 5_200_000 - 10 * (table["centroid-0"] + 0.5))
    np.testing.assert_array_equal(table.ymax, 5_200_000 - 10 * table["bbox-0"])
    assert table.compactness.between(0, 1).all()
    shapes = geopandas.read_file(folder / "regions.gpkg")
    assert shapes.crs == CRS
    assert shapes.is_valid.all()
    assert sorted(shapes.label) == list(range(1, expected.n_regions + 1))
    np.testing.assert_allclose(shapes.area, shapes.area_map)
    back = rasterize(
        zip(shapes.geometry, shapes.label, strict=True),
        out_shape=expected.labels.shape,
        transform=rasterio.Affine(*TRANSFORM),
    )
    np.testing.assert_array_equal(back, expected.labels)


@pytest.mark.parametrize("name", ["r.fgb", "r.parquet", "r.geojson"])
def test_other_formats_of_outlines(name: str, tmp_path: Path, raster: Path) -> None:
    geopandas = pytest.importorskip("geopandas")
    report = segment.scene(raster, tmp_path / "dst.tif", vector=tmp_path / name, **BANDWIDTHS)
    read = geopandas.read_parquet if name.endswith("parquet") else geopandas.read_file
    assert len(read(tmp_path / name)) == report.n_regions


def test_a_table_in_parquet(tmp_path: Path, raster: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    segment.scene(raster, tmp_path / "dst.tif", table=tmp_path / "t.parquet", tile=50, **BANDWIDTHS)
    segment.scene(raster, tmp_path / "b.tif", table=tmp_path / "b.parquet", jobs=1, **BANDWIDTHS)
    assert parquet.read_table(tmp_path / "t.parquet").equals(
        parquet.read_table(tmp_path / "b.parquet")
    )


def test_a_cloud_optimised_tiff(tmp_path: Path, whole: Whole) -> None:
    pixels = np.zeros((700, 1100, 3), np.uint8)
    pixels[200:500, 300:900] = 200
    src = write_raster(tmp_path / "src.tif", pixels)
    segment.scene(src, tmp_path / "dst.tif", cog=True, **BANDWIDTHS)
    with rasterio.open(tmp_path / "dst.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)
        np.testing.assert_array_equal(file.read(1), whole(pixels))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dst.tif", "src.tif"]


def test_a_rotated_transform_and_none(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    geopandas = pytest.importorskip("geopandas")
    turned = rasterio.Affine(8.0, 6.0, 1000.0, 6.0, -8.0, 2000.0)
    src = write_raster(tmp_path / "src.tif", photograph, transform=turned)
    segment.scene(src, tmp_path / "dst.tif", vector=tmp_path / "r.gpkg", **BANDWIDTHS)
    with rasterio.open(tmp_path / "dst.tif") as file:
        assert file.transform == turned
    shapes = geopandas.read_file(tmp_path / "r.gpkg")
    np.testing.assert_allclose(shapes.area, shapes.area_map)
    assert shapes.area_map.sum() == pytest.approx(100 * photograph.shape[0] * photograph.shape[1])
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        plain = write_raster(tmp_path / "p.tif", photograph, crs=None, transform=None)
    report = segment.scene(plain, tmp_path / "q.tif", table=tmp_path / "q.csv", **BANDWIDTHS)
    assert report.crs is None
    header = (tmp_path / "q.csv").read_text().split("\n")[0]
    assert "x" not in header.replace('"', "").split(",")


@pytest.mark.skipif(not SCENE.exists(), reason="needs the scene")
def test_a_real_scene_with_nodata(tmp_path: Path) -> None:
    report = segment.scene(SCENE, tmp_path / "dst.tif", tile=300)
    with rasterio.open(SCENE) as file:
        pixels = np.moveaxis(file.read(), 0, -1)
        crs, transform = file.crs, file.transform
    keep = (pixels != 0).any(axis=2)
    with rasterio.open(tmp_path / "dst.tif") as file:
        assert (file.crs, file.transform) == (crs, transform)
        labels = file.read(1)
    np.testing.assert_array_equal(labels, segment.mean_shift(pixels, mask=keep).labels)
    assert report.params == segment.mean_shift(pixels[:9, :9]).params


# Arrays.


def test_zarr_in_and_out(tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole) -> None:
    zarr = pytest.importorskip("zarr")
    expected = whole(photograph)
    for version in (2, 3):
        array = zarr.create_array(
            tmp_path / f"{version}.zarr",
            shape=(3, *photograph.shape[:2]),
            chunks=(1, 64, 64),
            dtype="u1",
            zarr_format=version,
        )
        array[:] = np.moveaxis(photograph, -1, 0)
        dst = tmp_path / f"dst{version}.zarr"
        segment.scene(tmp_path / f"{version}.zarr", dst, tile=50, **BANDWIDTHS)
        np.testing.assert_array_equal(zarr.open_group(dst, mode="r")["labels"][:], expected)
    group = zarr.open_group(tmp_path / "ome.zarr", mode="w")
    group.create_array("0", data=np.moveaxis(photograph, -1, 0)[None, :, None])
    group.create_array("1", data=np.zeros((1, 3, 1, 9, 9), np.uint8))
    group.attrs["ome"] = {
        "multiscales": [
            {
                "axes": [{"name": name} for name in "tczyx"],
                "datasets": [{"path": "0"}, {"path": "1"}],
            }
        ]
    }
    segment.scene(tmp_path / "ome.zarr", tmp_path / "ome.tif", tile=50, **BANDWIDTHS)
    np.testing.assert_array_equal(read_raster(tmp_path / "ome.tif"), expected)


def test_zarr_keeps_coordinates(tmp_path: Path, raster: Path) -> None:
    xarray = pytest.importorskip("xarray")
    segment.scene(raster, tmp_path / "a.zarr", posterized=tmp_path / "p.zarr", **BANDWIDTHS)
    found = xarray.open_zarr(tmp_path / "a.zarr", consolidated=False)
    assert found.labels.dims == ("y", "x")
    assert found.x[0] == 600_005
    assert found.y[0] == 5_199_995
    # and they come back through our own door, from the pixels painted
    again = segment.scene(tmp_path / "p.zarr", tmp_path / "b.tif", **BANDWIDTHS)
    with rasterio.open(tmp_path / "b.tif") as file:
        assert file.crs == CRS
        assert tuple(file.transform)[:6] == TRANSFORM
    assert again.bands == ("band 1", "band 2", "band 3")


def test_arrays_of_numpy_dask_and_xarray(
    tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    dask = pytest.importorskip("dask.array")
    xarray = pytest.importorskip("xarray")
    expected = whole(photograph)
    first = np.moveaxis(photograph, -1, 0)
    height, width = expected.shape
    named = xarray.DataArray(
        dask.from_array(first, chunks=(1, 40, 70)),
        dims=("band", "y", "x"),
        coords={"y": 99.5 - np.arange(height), "x": 10.25 + 0.5 * np.arange(width)},
    )
    sources: dict[str, Any] = {
        "numpy": photograph,
        "dask": dask.from_array(first, chunks=(3, 33, 47)),
        "xarray": named,
        "gray": photograph[..., 0],
    }
    for name, source in sources.items():
        report = segment.scene(source, tmp_path / f"{name}.tif", tile=50, **BANDWIDTHS)
        labels = whole(photograph[..., 0]) if name == "gray" else expected
        np.testing.assert_array_equal(read_raster(tmp_path / f"{name}.tif"), labels)
        assert (report.height, report.width) == (height, width)
    with rasterio.open(tmp_path / "xarray.tif") as file:
        assert tuple(file.transform)[:6] == (0.5, 0.0, 10.0, 0.0, -1.0, 100.0)


def test_jpeg_2000(tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole) -> None:
    if "JP2OpenJPEG" not in rasterio.drivers.raster_driver_extensions().values():
        pytest.skip("this GDAL has no JPEG 2000")
    src = write_raster(
        tmp_path / "src.jp2", photograph, driver="JP2OpenJPEG", tiled=None, quality=100,
        reversible=True,
    )  # fmt: skip
    assert src.read_bytes()[4:8] == b"jP  "
    segment.scene(src, tmp_path / "dst.tif", tile=1, **BANDWIDTHS)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), whole(photograph))
    with rasterio.open(tmp_path / "dst.tif") as file:
        assert file.crs == CRS


def test_a_bandwidth_a_band(tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole) -> None:
    bands = photograph * np.array([1, 2, 4], np.uint16)
    given: dict[str, Any] = {"spatial_bandwidth": 3, "range_bandwidth": (8.0, 16.0, 32.0)}
    files = {kind: tmp_path / f"{kind}.tif" for kind in ("posterized", "filtered")}
    src = write_raster(tmp_path / "src.tif", bands)
    report = segment.scene(src, tmp_path / "dst.tif", tile=1, **given, **files)
    assert report.as_dict()["params"]["range_bandwidth"] == [8, 16, 32]
    expected = segment.mean_shift(bands, color_space="none", **given)
    smooth = segment.mean_shift_filter(bands, color_space="none", **given)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), expected.labels)
    np.testing.assert_array_equal(expected.labels, whole(photograph, color_space="none"))
    for kind, pixels in (("posterized", expected.posterized), ("filtered", smooth)):
        with rasterio.open(files[kind]) as file:
            np.testing.assert_array_equal(np.moveaxis(file.read(), 0, -1), pixels)


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's own programs are not installed")
@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".geojson", ".parquet"])
def test_ogrinfo_understands_outlines(suffix: str, tmp_path: Path, raster: Path) -> None:
    formats = subprocess.run(["ogrinfo", "--formats"], capture_output=True, text=True, check=True)
    if suffix == ".parquet" and "Parquet" not in formats.stdout:
        pytest.skip("this GDAL has no Parquet")
    path = tmp_path / f"regions{suffix}"
    report = segment.scene(raster, tmp_path / "dst.tif", vector=path, **BANDWIDTHS)
    ended = subprocess.run(
        ["ogrinfo", "-so", "-al", path], capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    assert "Layer name: regions" in ended.stdout
    assert f"Feature Count: {report.n_regions}" in ended.stdout
    assert ("WGS 84" if suffix == ".geojson" else "UTM zone 33N") in ended.stdout
    assert "mean-0: Real" in ended.stdout
