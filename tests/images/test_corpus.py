"""The shared corpus: every good file decodes as its manifest says, every bad one is refused.

`tests/benchmarks/reading.py` runs the same files one process each, under memory and time limits.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from segment.errors import FileError
from segment.images import Image, read_image

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"


def rows(kind: str) -> list[dict[str, str]]:
    manifest = CORPUS / kind / "manifest.csv"
    if not manifest.exists():
        return []
    with manifest.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def name(row: dict[str, str]) -> str:
    return row["file"]


def attempt(path: Path) -> Image | FileError:
    try:
        return read_image(path)
    except FileError as error:
        return error


def channels_agree(image: Image, row: dict[str, str]) -> bool:
    wanted = int(row["channels"])
    if image.n_channels == wanted:
        return True
    # The manifest counts a palette as RGB whether or not some of its colours are transparent, a
    # TIFF palette as one channel, CMYK as four, and gray with alpha sometimes as four.
    palette = image.format in {"tiff", "png", "gif"}
    transparent = image.alpha is not None and image.n_channels == wanted + 1
    return (
        transparent
        or (wanted == 1 and image.n_channels == 3 and palette)
        or (wanted == 4 and image.n_channels == 3 and image.alpha is None)
        or (wanted == 4 and image.n_channels == 2)
    )


def mean_color(image: Image) -> np.ndarray:
    """Return the mean as the manifest has it: deep gray clipped to 255, deep colour scaled."""
    pixels = image.pixels.astype(np.float64)
    scale = 256 if image.pixels.dtype == np.uint16 else 1
    if pixels.ndim == 3:
        return np.floor(pixels / scale).reshape(-1, pixels.shape[2]).mean(axis=0)
    gray = np.clip(pixels, 0, 255) if image.alpha is None else np.floor(pixels / scale)
    return np.repeat(gray.mean(), 3)


@pytest.mark.parametrize("row", rows("good"), ids=name)
def test_good_files_decode(row: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    path = CORPUS / "good" / row["file"]
    image = attempt(path)
    if isinstance(image, FileError):
        assert row["expected"] != "ok", image
        assert row["file"] in str(image)
        return
    assert image.shape == (int(row["oriented_h"]), int(row["oriented_w"]))
    assert channels_agree(image, row)
    if row["dtype"] != "bool":  # 1-bit images come as 0 and 255
        assert image.pixels.dtype == row["dtype"]
    comparable = image.pixels.dtype in (np.uint8, np.uint16) and not has_profile(path)
    three = image.pixels.ndim == 2 or image.pixels.shape[2] == 3
    premultiplied = row["file"] == "irst__seq__seq-4c-16b-rgba-5181991f.tiff"
    if row["mean_rgb"] and comparable and three and not premultiplied:
        wanted = [float(value) for value in row["mean_rgb"].split()]
        np.testing.assert_allclose(mean_color(image), wanted, atol=1.5)
    assert capfd.readouterr() == ("", "")


def has_profile(path: Path) -> bool:
    data = path.read_bytes()
    return b"ICC_PROFILE" in data or b"iCCP" in data


@pytest.mark.parametrize("row", rows("bad"), ids=name)
def test_bad_files_are_refused(row: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    path = CORPUS / "bad" / row["file"]
    image = attempt(path)
    if isinstance(image, FileError):
        assert row["file"] in str(image)
        assert len(str(image).splitlines()) == 1
    else:
        assert row["expected"] != "error"
        assert row["expected"] != "error_or_warn" or image.notes
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "file", [row["file"] for row in rows("bad") if row["expected"] == "error_or_warn"]
)
def test_damaged_files_are_taken_when_asked(file: str) -> None:
    image = read_image(CORPUS / "bad" / file, accept_damaged=True)
    assert image.damaged
    assert any("damaged" in note for note in image.notes)
    assert image.pixels.std() > 0
