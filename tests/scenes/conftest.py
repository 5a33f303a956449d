"""Small scenes with everything that large ones have."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment

rasterio = pytest.importorskip("rasterio")
IMAGES = Path(__file__).parents[2] / "images"

TRANSFORM = (10.0, 0.0, 600_000.0, 0.0, -10.0, 5_200_000.0)
CRS = "EPSG:32633"
BANDWIDTHS: dict[str, Any] = {"spatial_bandwidth": 3, "range_bandwidth": 8}


@pytest.fixture(scope="session")
def photograph() -> NDArray[np.uint8]:
    """A part of a photograph, (150, 190, 3): twelve tiles at a spatial bandwidth of 3."""
    return np.asarray(segment.read_image(IMAGES / "coffee.png").pixels[80:230, 200:390], np.uint8)


def write_raster(path: Path, pixels: NDArray[Any], **profile: Any) -> Path:
    """Write pixels (H, W, C) as a raster."""
    given = {
        "driver": "GTiff",
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "count": pixels.shape[2],
        "dtype": str(pixels.dtype),
        "crs": CRS,
        "transform": rasterio.Affine(*TRANSFORM),
        "tiled": True,
        "blockxsize": 64,
        "blockysize": 64,
        **profile,
    }
    with rasterio.open(path, "w", **given) as file:
        file.write(np.moveaxis(pixels, -1, 0))
    return path


def read_raster(path: Path) -> NDArray[Any]:
    """Return the first band of a raster."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            band: NDArray[Any] = file.read(1)
    return band


@pytest.fixture
def raster(tmp_path: Path, photograph: NDArray[np.uint8]) -> Path:
    """The photograph as a GeoTIFF."""
    return write_raster(tmp_path / "src.tif", photograph)


@pytest.fixture
def whole() -> Callable[..., NDArray[np.int32]]:
    """Labels by `mean_shift` on the whole array."""

    def labels(pixels: NDArray[Any], **options: Any) -> NDArray[np.int32]:
        return segment.mean_shift(pixels, **{**BANDWIDTHS, **options}).labels

    return labels
