"""Labels of a scene are those of `mean_shift` on the whole, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from segment.scenes import work as works
from tests.scenes.conftest import BANDWIDTHS, read_raster, write_raster

Whole = Callable[..., NDArray[np.int32]]


@pytest.mark.parametrize("tile", [1, 100, 2000])
@pytest.mark.parametrize("jobs", [1, 3])
def test_any_tile_and_any_number_of_jobs(
    tile: int, jobs: int, raster: Path, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    report = segment.scene(raster, tmp_path / "dst.tif", tile=tile, jobs=jobs, **BANDWIDTHS)
    expected = whole(photograph)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), expected)
    assert report.n_regions == expected.max()
    assert (report.n_tiles > 1) == (tile < 2000)


@pytest.mark.parametrize(
    "options",
    [
        {"connectivity": 2, "min_size": 5},
        {"kernel": "epanechnikov", "color_space": "lab"},
        {"engine": "exact", "max_iter": 4, "spatial_bandwidth": 2},
        {"color_space": "rgb", "range_bandwidth": 20.0},
        {"color_space": "none", "range_bandwidth": 20.0},
        {"spatial_bandwidth": 300, "range_bandwidth": 4},  # larger than the scene
        {"min_size": 5000},
    ],
)
def test_any_parameters(
    options: dict[str, Any], tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    small = photograph[:100, :110]
    src = write_raster(tmp_path / "src.tif", small)
    segment.scene(src, tmp_path / "dst.tif", tile=40, **{**BANDWIDTHS, **options})
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), whole(small, **options))


@pytest.mark.parametrize("tint", [0, 1])
def test_gray_thrice(
    tint: int, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    """What is gray all over is one band, also in tiles; a tile that is gray by chance is not."""
    gray = np.repeat(photograph[..., :1], 3, axis=2)
    gray[-1, -1, 0] ^= tint
    src = write_raster(tmp_path / "src.tif", gray)
    smooth = tmp_path / "smooth.tif"
    segment.scene(src, tmp_path / "dst.tif", tile=60, filtered=smooth, **BANDWIDTHS)
    expected = whole(gray)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), expected)
    if not tint:
        np.testing.assert_array_equal(expected, whole(gray[..., 0]))
    found = read_raster(smooth)
    np.testing.assert_array_equal(found, segment.mean_shift_filter(gray, **BANDWIDTHS)[..., 0])


def test_sixteen_bits_floats_and_many_bands(
    tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    rng = np.random.default_rng(0)
    five = np.concatenate([photograph, photograph[..., :2] // 2], axis=2).astype(np.uint16) * 40
    floats = (five + rng.normal(0, 9, five.shape)).astype(np.float32)
    floats[20:60, 70:90, 1] = np.nan
    for pixels in (five, floats):
        src = write_raster(tmp_path / "src.tif", pixels)
        segment.scene(
            src, tmp_path / "dst.tif", tile=50, overwrite=True, spatial_bandwidth=3,
            range_bandwidth=500,
        )  # fmt: skip
        expected = whole(
            pixels, range_bandwidth=500, color_space="none", mask=np.isfinite(pixels).all(2)
        )
        np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), expected)


@pytest.mark.parametrize("tile", [1, 40, 2000])
@pytest.mark.parametrize("corner", [(0, 0), (7, 0), (61, 103)])
def test_a_scene_that_begins_within_a_frame_without_values(
    corner: tuple[int, int], tile: int, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    """Tiles begin where values do, and the scene is what is cut out of it."""
    box = np.s_[corner[0] : corner[0] + 80, corner[1] : corner[1] + 70]
    pixels = np.full((*photograph.shape[:2], 3), np.nan, np.float32)
    pixels[box] = photograph[box]
    pixels[corner[0], corner[1] : corner[1] + 30] = np.nan
    pixels[corner[0] + 30 : corner[0] + 40, corner[1] + 20 : corner[1] + 60, 1] = np.nan
    options = {"spatial_bandwidth": 3, "range_bandwidth": 12}
    src = write_raster(tmp_path / "src.tif", pixels)
    segment.scene(src, tmp_path / "dst.tif", tile=tile, **options)
    keep = np.isfinite(pixels).all(2)
    found = read_raster(tmp_path / "dst.tif")
    np.testing.assert_array_equal(found, whole(pixels, color_space="none", mask=keep, **options))
    cut = segment.mean_shift(photograph[box], mask=keep[box], color_space="none", **options)
    np.testing.assert_array_equal(found[box], cut.labels)
    assert not found[~keep].any()


def test_noise_of_one_pixel_components(tmp_path: Path, whole: Whole) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (70, 130, 3), np.uint8)
    src = write_raster(tmp_path / "src.tif", noise)
    segment.scene(src, tmp_path / "dst.tif", tile=1, **BANDWIDTHS)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), whole(noise))


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (170, 1)])
def test_one_pixel_and_single_lines(shape: tuple[int, int], tmp_path: Path, whole: Whole) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8).cumsum(0) % 256
    src = write_raster(tmp_path / "src.tif", pixels.astype(np.uint8), tiled=False, blockysize=1)
    segment.scene(src, tmp_path / "dst.tif", tile=1, preview=tmp_path / "look.png", **BANDWIDTHS)
    expected = whole(pixels.astype(np.uint8))
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), expected)


@pytest.mark.filterwarnings("ignore:all is one region")
def test_a_slope_across_many_tiles(tmp_path: Path, whole: Whole) -> None:
    slope = np.broadcast_to(np.linspace(0, 255, 400)[:, None, None], (400, 96, 3)).astype(np.uint8)
    src = write_raster(tmp_path / "src.tif", slope)
    segment.scene(src, tmp_path / "dst.tif", tile=1, **BANDWIDTHS)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), whole(slope))


def test_scaled_bands_are_those_of_the_scaled_array(
    tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    bands = photograph.astype(np.uint16) * np.array([1, 30, 200], np.uint16)
    src = write_raster(tmp_path / "src.tif", bands)
    report = segment.scene(
        src, tmp_path / "dst.tif", scale=True, spatial_bandwidth=3, tile=60,
        filtered=tmp_path / "filtered.tif",
    )  # fmt: skip
    assert report.params.range_bandwidth == 6.5
    assert report.scaling is not None
    zeros, spans = np.array(report.scaling).T
    low, high = np.percentile(bands.reshape(-1, 3), [2, 98], axis=0)
    np.testing.assert_allclose(zeros, low, rtol=0.15)
    np.testing.assert_allclose(spans, high - low, rtol=0.15)
    scaled = ((bands - zeros) * (100 / spans)).astype(np.float32)
    expected = whole(scaled, color_space="none", range_bandwidth=6.5)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), expected)
    smooth = segment.mean_shift_filter(
        scaled, spatial_bandwidth=3, range_bandwidth=6.5, color_space="none"
    )
    back = np.rint(smooth * (spans / 100) + zeros)[..., 0]
    np.testing.assert_array_equal(read_raster(tmp_path / "filtered.tif"), back)


def test_labels_beyond_32_bits() -> None:
    assert works.label_dtype(2**32 - 1) == np.uint32
    assert works.label_dtype(2**32) == np.uint64


@pytest.mark.parametrize("dtype", ["uint16", "int64", "float64"])
def test_bands_far_from_zero(
    dtype: str, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    far = {"uint16": 65_000, "int64": 1_700_000_000_000, "float64": 5_200_000.25}[dtype]
    pixels = photograph[:100, :120, :2].astype(dtype) + np.array(far, dtype)
    options: dict[str, Any] = {"color_space": "none", "range_bandwidth": 12.0}
    src = write_raster(tmp_path / "src.tif", pixels)
    segment.scene(src, tmp_path / "dst.tif", tile=1, **{**BANDWIDTHS, **options})
    expected = whole(pixels, **options)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), expected)
    np.testing.assert_array_equal(expected, whole(photograph[:100, :120, :2], **options))
