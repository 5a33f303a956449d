"""Valid files of every kind, damaged at random: an image or our error, nothing else, and silence.

``SEGMENT_MUTATIONS=10000 pytest tests/test_images_mutations.py`` tries more than the usual few.
"""

from __future__ import annotations

import functools
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from segment.errors import FileError
from segment.images import Image, read_image, write_image

N_EXAMPLES = int(os.environ.get("SEGMENT_MUTATIONS", "400"))
COLOR = np.random.default_rng(0).integers(0, 256, (12, 10, 3), np.uint8)
GRAY = COLOR[..., 0].copy()
DEEP = COLOR.astype(np.uint16) * 257


def by_pillow(pixels: np.ndarray, format_: str, mode: str = "", **options: Any) -> bytes:
    picture = PillowImage.fromarray(pixels)
    stream = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(stream, format_, **options)
    return stream.getvalue()


def by_tifffile(pixels: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def animation(format_: str) -> bytes:
    first, *others = (PillowImage.fromarray(COLOR * k) for k in (1, 2, 3))
    stream = io.BytesIO()
    first.save(stream, format_, save_all=True, append_images=others)
    return stream.getvalue()


def by_us(pixels: np.ndarray, folder: Path, suffix: str, **options: Any) -> bytes:
    return write_image(folder / f"x{suffix}", pixels, overwrite=True, **options).read_bytes()


@functools.cache
def seeds(folder: Path) -> dict[str, bytes]:
    """Return small sound files."""
    made = {
        "png": by_pillow(COLOR, "PNG"),
        "png-palette": by_pillow(COLOR, "PNG", "P", transparency=0),
        "png-bits": by_pillow(GRAY, "PNG", "1"),
        "png-deep": by_us(DEEP, folder, ".png", icc=b"\0" * 200),
        "png-deep-alpha": by_us(DEEP, folder, ".png", alpha=DEEP[..., 0].copy()),
        "apng": animation("PNG"),
        "jpeg": by_pillow(COLOR, "JPEG"),
        "jpeg-progressive": by_pillow(COLOR, "JPEG", progressive=True),
        "jpeg-cmyk": by_pillow(COLOR, "JPEG", "CMYK"),
        "gif": animation("GIF"),
        "webp": by_pillow(COLOR, "WEBP"),
        "webp-lossless": by_pillow(COLOR, "WEBP", "RGBA", lossless=True),
        "webp-animated": animation("WEBP"),
        "bmp": by_pillow(COLOR, "BMP"),
        "bmp-palette": by_pillow(COLOR, "BMP", "P"),
        "ppm": by_pillow(COLOR, "PPM"),
        "ppm-deep": by_us(DEEP, folder, ".ppm"),
        "ppm-plain": b"P3 2 2 1000\n" + b" 0 500 1000" * 4,
        "pgm-deep": by_us(DEEP[..., 0].copy(), folder, ".pgm"),
        "pbm": by_pillow(GRAY, "PPM", "1"),
        "pfm": b"PF\n2 2\n-1.0\n" + np.ones(12, "<f4").tobytes(),
        "jp2": by_pillow(COLOR, "JPEG2000"),
        "avif": by_pillow(COLOR, "AVIF"),
        "tiff-deflate": by_us(DEEP, folder, ".tif", resolution=(72, 72)),
        "tiff-tiled": by_tifffile(COLOR, tile=(16, 16), compression="zlib", predictor=True),
        "tiff-planar": by_tifffile(
            np.moveaxis(DEEP, 2, 0), planarconfig="separate", photometric="rgb"
        ),
        "tiff-big": by_tifffile(COLOR.astype(np.float32), bigtiff=True, photometric="rgb"),
        "tiff-pages": by_tifffile(np.stack([GRAY] * 4)[..., None], photometric="miniswhite"),
        "tiff-swapped": by_tifffile(COLOR.astype(np.int16), byteorder=">", photometric="rgb"),
    }
    for name in ("tiff_lzw", "packbits", "jpeg", "zstd"):
        made[f"tiff-{name}"] = by_pillow(COLOR, "TIFF", compression=name)
    made["tiff-palette"] = by_pillow(COLOR, "TIFF", "P", compression="tiff_lzw")
    made["tiff-lab"] = by_pillow(COLOR, "TIFF", "LAB", compression="tiff_lzw")
    made["tiff-fax"] = by_pillow(GRAY, "TIFF", "1", compression="group4")
    return made


def attempt(path: Path, **options: Any) -> None:
    message = None
    try:
        check(read_image(path, max_pixels=1 << 20, **options))
    except FileError as error:
        message = str(error)
    if message is not None:
        assert path.name in message
        assert len(message.splitlines()) == 1


def check(image: Image) -> None:
    height, width = image.shape
    assert height * width > 0
    assert image.pixels.flags.c_contiguous
    assert image.pixels.ndim in {2, 3}
    assert image.alpha is None or image.alpha.shape == (height, width)
    assert image.pixels.dtype.isnative


@st.composite
def damage(draw: st.DrawFn, data: bytes, other: bytes) -> bytes:
    """Change a few bytes, cut, repeat, blank, or splice with another file."""
    out = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(out) - 1)))
        n = draw(st.integers(1, 40))
        kind = draw(st.integers(0, 5))
        if kind == 0:
            out[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif kind == 1:  # numbers that mean trouble
            value = draw(st.sampled_from([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
            order = draw(st.sampled_from(["big", "little"]))
            size = 4 if value > 0xFFFF else draw(st.sampled_from([2, 4]))
            out[at : at + size] = value.to_bytes(size, order)
        elif kind == 2:
            del out[at:]
        elif kind == 3:
            out[at:at] = out[at : at + n]
        elif kind == 4:
            out[at : at + n] = bytes(n)
        else:
            out[at:] = other[min(at, len(other)) :]
    return bytes(out)


def test_every_seed_is_sound(tmp_path: Path) -> None:
    for name, data in seeds(tmp_path).items():
        path = tmp_path / name
        path.write_bytes(data)
        image = read_image(path)
        check(image)
        assert not image.damaged


def test_damaged_files_give_an_image_or_our_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = list(seeds(tmp_path).values())
    path = tmp_path / "damaged"

    @settings(
        max_examples=N_EXAMPLES,
        deadline=None,
        database=None,
        derandomize="SEGMENT_MUTATIONS" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def one(data: st.DataObject) -> None:
        seed, other = (data.draw(st.sampled_from(files)) for _ in range(2))
        path.write_bytes(data.draw(damage(seed, other)))
        attempt(path)
        attempt(path, accept_damaged=True, page=data.draw(st.integers(0, 1)))

    one()
    assert capfd.readouterr() == ("", "")
