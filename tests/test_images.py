"""Reading and writing image files: formats, depth, alpha, orientation, colour, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import segment
from segment.errors import FileError, InputError
from segment.images import posterized_suffix, read_image, write_image, write_labels

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".bmp", ".ppm"])
def test_what_is_written_lossless_is_read_back(tmp_path: Path, suffix: str) -> None:
    pixels = RNG.integers(0, 256, (13, 17, 3), np.uint8)
    image = read_image(write_image(tmp_path / f"a{suffix}", pixels))
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.alpha is None
    assert image.mask is None


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_and_alpha_survive(
    tmp_path: Path, shape: tuple[int, ...], suffix: str
) -> None:
    pixels = RNG.integers(0, 65536, shape, np.uint16)
    alpha = RNG.integers(0, 3, shape[:2], np.uint16) * np.uint16(32767)
    path = write_image(tmp_path / f"a{suffix}", pixels, alpha=alpha, resolution=(300, 150))
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    np.testing.assert_array_equal(image.alpha, alpha)
    np.testing.assert_array_equal(image.mask, alpha != 0)
    assert image.resolution == pytest.approx((300, 150), rel=1e-3)
    assert posterized_suffix(image) == suffix


def test_labels_never_wrap(tmp_path: Path) -> None:
    few = np.arange(65536).reshape(256, 256)
    path = write_labels(tmp_path / "few.png", few)
    assert path.suffix == ".png"
    np.testing.assert_array_equal(read_image(path).pixels, few)
    path = write_labels(tmp_path / "many.png", few + 1)
    assert path == tmp_path / "many.tif"
    np.testing.assert_array_equal(read_image(path).pixels, few + 1)
    path = write_labels(tmp_path / "many.npy", few + 1)
    np.testing.assert_array_equal(np.load(path), few + 1)
    with pytest.raises(InputError, match="32 bits"):
        write_labels(tmp_path / "x.png", few - 1)


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    pixels = np.zeros((3, 4, 3), np.uint8)
    path = write_image(tmp_path / "a.png", pixels)
    with pytest.raises(FileError, match=r"a\.png: it exists already"):
        write_image(path, pixels + 1)
    assert not read_image(path).pixels.any()
    write_image(path, pixels + 1, overwrite=True)
    assert read_image(path).pixels.all()
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_public_names() -> None:
    assert segment.read_image is read_image
    assert segment.write_labels is write_labels
