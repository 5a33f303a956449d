"""What cannot be done is said in one line: the value, the reason, the remedy."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from tests.scenes.conftest import BANDWIDTHS, rasterio, read_raster, write_raster

Whole = Callable[..., NDArray[np.int32]]


def refused(src: Any, dst: Path | str, **options: Any) -> str:
    """Return the one line of a refusal."""
    with pytest.raises(segment.SegmentError) as caught:
        segment.scene(src, dst, **{**BANDWIDTHS, **options})
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_source_and_destination(raster: Path, tmp_path: Path) -> None:
    before = raster.read_bytes()
    assert "is an input and would be written over" in refused(raster, raster, overwrite=True)
    link = tmp_path / "link.tif"
    link.symlink_to(raster)
    assert "is an input and would be written over" in refused(link, raster, overwrite=True)
    other = tmp_path / "dst.tif"
    other.write_bytes(b"mine")
    assert refused(raster, other).startswith(f"{other} exists; ")
    assert other.read_bytes() == b"mine"
    assert raster.read_bytes() == before
    segment.scene(raster, other, overwrite=True, **BANDWIDTHS)
    assert other.read_bytes() != b"mine"
    assert "no folder" in refused(raster, tmp_path / "nowhere" / "dst.tif")
    (tmp_path / "folder.tif").mkdir()
    assert "it is a folder" in refused(raster, tmp_path / "folder.tif", overwrite=True)


def test_names_that_do_not_tell_a_format(raster: Path, tmp_path: Path) -> None:
    assert "give a name that ends in .tif, .tiff or .zarr" in refused(raster, tmp_path / "dst.png")
    assert "ends in .csv or .parquet" in refused(raster, tmp_path / "a.tif", table=Path("t.xls"))
    assert "ends in .png" in refused(raster, tmp_path / "a.tif", preview=Path("t.jpg"))
    assert "different names" in refused(
        raster, tmp_path / "a.tif", posterized=tmp_path / "x.tif", filtered=tmp_path / "X.TIF"
    )
    assert "cog=True" in refused(raster, tmp_path / "a.zarr", cog=True)


@pytest.mark.parametrize(
    "name", ["s3://bucket/regions.zarr", "https://host/regions.tif", "/vsimem/regions.tif"]
)
def test_outputs_on_other_machines(name: str, raster: Path, tmp_path: Path) -> None:
    text = refused(raster, name)
    assert text.startswith(f"dst='{name}' is on another machine")
    assert "filtered='" in refused(raster, tmp_path / "dst.tif", filtered=name)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_read_only(raster: Path, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert "permission denied" in refused(raster, folder / "dst.tif")


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    dst = tmp_path / "dst.tif"
    assert "no such file" in refused(tmp_path / "none.tif", dst)
    assert "it is a folder" in refused(tmp_path, dst)
    (tmp_path / "text.tif").write_text("no raster")
    assert "no raster of a format that GDAL knows" in refused(tmp_path / "text.tif", dst)
    assert "does not answer" in refused("http://127.0.0.1:1/scene.tif", dst)
    assert "of type int" in refused(7, dst)
    assert not list(tmp_path.glob(".*"))


def test_bands(raster: Path, tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    dst = tmp_path / "dst.tif"
    assert "has no band 4; give numbers from 1 to 3" in refused(raster, dst, bands=(1, 4))
    assert "has no band 0" in refused(raster, dst, bands=(0,))
    assert "names a band twice" in refused(raster, dst, bands=(1, 1))
    assert "bands is empty" in refused(raster, dst, bands=())
    assert "takes 1 or 3 bands" in refused(raster, dst, bands=(1, 2), color_space="luv")
    waves = write_raster(tmp_path / "c.tif", photograph[..., :1].astype(np.complex64))
    assert "complex64" in refused(waves, dst)
    small = write_raster(tmp_path / "m.tif", photograph[:9, :9, :1])
    assert "give a mask of the same size" in refused(raster, dst, mask=small)


def test_arrays_of_different_size(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(tmp_path / "s2.zarr", mode="w")
    group.create_array("b04", data=np.zeros((60, 60), np.uint16))
    group.create_array("b11", data=np.zeros((30, 30), np.uint16))
    text = refused(tmp_path / "s2.zarr", tmp_path / "dst.tif")
    assert "b04 (60x60), b11 (30x30); give one of them" in text
    stack = np.zeros((4, 5, 60, 60), np.uint8)
    assert "give one picture of the stack" in refused(stack, tmp_path / "dst.tif")
    assert "give channel_axis=0 or" in refused(np.zeros((4, 9, 4)), tmp_path / "dst.tif")


def test_parameters(raster: Path, tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    dst = tmp_path / "dst.tif"
    assert "'n_threads' is no option of scene" in refused(raster, dst, n_threads=2)
    assert "min_size=-1" in refused(raster, dst, min_size=-1)
    assert "tile=0" in refused(raster, dst, tile=0)
    assert "jobs=0" in refused(raster, dst, jobs=0)
    assert "memory='much' is no size" in refused(raster, dst, memory="much")
    assert "'auto'" in refused(raster, dst, range_bandwidth="auto")
    assert "drop one of them" in refused(raster, dst, scale=True, color_space="luv")
    deep = write_raster(tmp_path / "deep.tif", photograph.astype(np.uint16))
    assert "give one, or scale=True" in refused(deep, dst, range_bandwidth=None)
    flat = write_raster(tmp_path / "flat.tif", np.full((9, 9, 3), 7, np.uint16))
    assert "is constant" in refused(flat, dst, scale=True)
    both = {"scheduler": "tcp://127.0.0.1:1", "client": object()}
    assert "give one of them" in refused(raster, dst, **both)


def test_too_little_memory_or_space(
    raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = refused(raster, tmp_path / "dst.tif", memory="100MB")
    assert text.startswith("memory='100 MB' does not hold ")
    assert "are needed" in text
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    assert "of scratch do not fit" in refused(raster, tmp_path / "dst.tif")


def test_a_scheduler_that_does_not_answer(raster: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    text = refused(raster, tmp_path / "dst.tif", scheduler="nonsense://x")
    assert text.startswith("cannot reach the scheduler nonsense://x")


def test_nothing_but_nodata(tmp_path: Path) -> None:
    nothing = np.full((60, 70, 3), np.nan, np.float32)
    for pixels, nodata in ((nothing, np.nan), (np.zeros((60, 70, 3), np.uint8), 0)):
        src = write_raster(tmp_path / "src.tif", pixels, nodata=nodata)
        report = segment.scene(
            src, tmp_path / "dst.tif", overwrite=True, table=tmp_path / "t.csv",
            vector=tmp_path / "r.gpkg", preview=tmp_path / "look.png",
            posterized=tmp_path / "p.tif", range_bandwidth=5,
        )  # fmt: skip
        assert (report.n_regions, report.n_pixels) == (0, 0)
        assert not read_raster(tmp_path / "dst.tif").any()
        assert len((tmp_path / "t.csv").read_text().splitlines()) == 1


def damaged(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write a raster whose block at row 64, column 128 cannot be decoded."""
    write_raster(path, pixels, compress="deflate")
    with rasterio.open(path) as file:
        offset = int(file.get_tag_item("BLOCK_OFFSET_2_1", "TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    data[offset : offset + 40] = b"\xff" * 40
    path.write_bytes(data)
    return path


def test_a_damaged_block_in_the_middle(
    tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    src, dst = damaged(tmp_path / "src.tif", photograph), tmp_path / "dst.tif"
    text = refused(src, dst, tile=1)
    assert "the block at rows 64-127, columns 128-189 is damaged" in text
    assert not dst.exists()
    report = segment.scene(src, dst, tile=1, accept_damaged=True, **BANDWIDTHS)
    assert report.damaged == ("rows 64-127, columns 128-189",)
    keep = np.ones(photograph.shape[:2], bool)
    keep[64:128, 128:] = False
    np.testing.assert_array_equal(read_raster(dst), whole(photograph, mask=keep))


def test_a_damaged_chunk_of_zarr(
    tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    zarr = pytest.importorskip("zarr")
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=photograph.shape, chunks=(64, 64, 3), dtype="u1"
    )
    array[:] = photograph
    (tmp_path / "a.zarr" / "c" / "1" / "2" / "0").write_bytes(b"damage")
    assert "the block at rows 64-127, columns 128-189 is damaged" in refused(
        tmp_path / "a.zarr", tmp_path / "dst.tif"
    )
    segment.scene(tmp_path / "a.zarr", tmp_path / "dst.tif", accept_damaged=True, **BANDWIDTHS)
    keep = np.ones(photograph.shape[:2], bool)
    keep[64:128, 128:] = False
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), whole(photograph, mask=keep))


def test_a_missing_extra(raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rasterio", None)
    with pytest.raises(segment.ExtraError, match=r"pip install 'segment\[scene\]'"):
        segment.scene(raster, tmp_path / "dst.tif")
