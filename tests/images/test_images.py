"""Reading and writing image files: formats, depth, alpha, orientation, colour, refusals."""

from __future__ import annotations

import io
import os
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from PIL import ImageCms, ImageOps

import segment
from segment.errors import FileError, InputError
from segment.images import Image, png, posterized_suffix, read_image, write_image, write_labels
from segment.images.picture import turn
from segment.images.samples import unpack

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


# Formats.


def saved(pixels: np.ndarray, path: Path, mode: str = "", **options: Any) -> Path:
    picture = PillowImage.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
def test_orientation_is_applied_once(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16] = (250, 0, 0)  # one red quarter, top left
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    quality = {} if suffix in {".png", ".tif"} else {"quality": 95}
    path = saved(turn(upright, undo), tmp_path / f"a{suffix}", exif=exif, **quality)
    image = read_image(path)
    assert image.shape == (16, 32)
    means = image.pixels[..., 0].reshape(2, 8, 2, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(means, [[250, 0], [0, 0]], atol=16)


def test_turning_agrees_with_pillow() -> None:
    pixels = RNG.integers(0, 256, (3, 5, 3), np.uint8)
    for orientation in range(1, 9):
        picture = PillowImage.fromarray(pixels)
        picture.getexif()[0x0112] = orientation
        expected = np.asarray(ImageOps.exif_transpose(picture))
        np.testing.assert_array_equal(turn(pixels, orientation), expected)


TIFFS: dict[str, dict[str, Any]] = {
    "plain": {},
    "deflate": {"compression": "zlib"},
    "predictor": {"compression": "zlib", "predictor": True},
    "tiles": {"tile": (16, 16), "compression": "zlib", "predictor": True},
    "bare tiles": {"tile": (32, 16)},
    "strips": {"rowsperstrip": 5, "compression": "zlib"},
    "big": {"bigtiff": True},
    "swapped": {"byteorder": ">"},
}


@pytest.mark.parametrize("bands", [1, 2, 3, 5])
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (kind, dtype)
        for kind, options in TIFFS.items()
        for dtype in ("u1", "u2", "u4", "i1", "i2", "f2", "f4", "f8")
        if dtype[0] != "f" or not options.get("predictor")  # which tifffile does not write
    ],
)
def test_tiffs_of_any_layout(tmp_path: Path, kind: str, bands: int, dtype: str) -> None:
    pixels = RNG.integers(0, 100, (37, 21, bands)).astype(dtype)
    extra = max(0, bands - (3 if bands == 3 else 1))
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels[..., 0] if bands == 1 else pixels,
        photometric="rgb" if bands == 3 else "minisblack",
        planarconfig=None if bands == 1 else "contig",
        extrasamples=["unspecified"] * extra,
        metadata=None,
        **TIFFS[kind],
    )
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, pixels[..., 0] if bands == 1 else pixels)
    assert image.pixels.dtype == pixels.dtype


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_planes_come_together(tmp_path: Path, compression: str | None) -> None:
    planes = RNG.integers(0, 65536, (4, 19, 23), np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        planes,
        photometric="minisblack",
        planarconfig="separate",
        compression=compression,
        rowsperstrip=8,
        metadata=None,
    )
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, np.moveaxis(planes, 0, 2))


@pytest.mark.parametrize("bits", range(1, 33))
def test_any_number_of_bits_is_unpacked(bits: int) -> None:
    values = RNG.integers(0, 2**bits, (3, 11), np.uint64)
    size = -(-11 * bits // 8)
    lines = ("".join(f"{v:0{bits}b}" for v in row).ljust(8 * size, "0") for row in values)
    packed = [int(line, 2).to_bytes(size, "big") for line in lines]
    out = unpack(
        np.frombuffer(b"".join(packed), np.uint8).reshape(3, -1),
        count=11,
        interleaved=1,
        bits=bits,
        kind="u",
        byteorder=">",
        predictor=1,
    )
    np.testing.assert_array_equal(out[..., 0], values)


@pytest.mark.parametrize("size", [2, 4, 8])
def test_the_floating_point_predictor_is_undone(size: int) -> None:
    values = RNG.normal(size=(2, 7, 3)).astype(f"f{size}")
    rows = []
    for row in values:  # as in Adobe's TIFF technical note 3: bytes by significance, differences
        grouped = row.astype(f">f{size}").reshape(-1).view(np.uint8).reshape(-1, size).T.reshape(-1)
        shifted = np.concatenate([np.zeros(3, np.uint8), grouped[:-3]])
        rows.append(grouped - shifted)
    out = unpack(
        np.stack(rows),
        count=7,
        interleaved=3,
        bits=8 * size,
        kind="f",
        byteorder="<",
        predictor=3,
    )
    np.testing.assert_array_equal(out, values)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "zstd"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LAB"])
def test_tiffs_by_pillow(tmp_path: Path, compression: str, mode: str) -> None:
    pixels = RNG.integers(0, 256, (20, 30, 3), np.uint8)
    path = saved(pixels, tmp_path / "a.tif", mode, compression=compression)
    with PillowImage.open(path) as picture:
        gray = mode in {"1", "L"}
        expected = np.asarray(picture.convert("L" if gray else "RGB"))
    np.testing.assert_array_equal(read_image(path).pixels, expected)


def test_white_is_white_where_zero_means_white(tmp_path: Path) -> None:
    for dtype, white in ((np.uint8, 255), (np.uint16, 65535)):
        stored = RNG.integers(0, white, (5, 6)).astype(dtype)
        tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite")
        np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, white - stored)


def test_pages_are_chosen_and_told(tmp_path: Path) -> None:
    pages = RNG.integers(0, 256, (3, 5, 6), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack", metadata=None)
    image = read_image(tmp_path / "a.tif", page=2)
    np.testing.assert_array_equal(image.pixels, pages[2])
    assert image.n_pages == 3
    assert image.notes == ("page 2, counted from 0; the others are not read",)
    with pytest.raises(FileError, match=r"a\.tif: page 3 is not there: it has 3"):
        read_image(tmp_path / "a.tif", page=3)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_frames_of_animations(tmp_path: Path, suffix: str) -> None:
    frames = [PillowImage.new("RGB", (9, 8), color) for color in ("red", "lime", "blue")]
    path = tmp_path / f"a{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    first, last = read_image(path), read_image(path, page=2)
    assert first.n_pages == 3
    assert first.notes == ("first of 3 frames; the others are not read",)
    np.testing.assert_array_equal(first.pixels[0, 0], (255, 0, 0))
    np.testing.assert_array_equal(last.pixels[0, 0], (0, 0, 255))
    with pytest.raises(FileError, match="page 3 is not there"):
        read_image(path, page=3)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_gray_png_of_every_depth_with_a_transparent_gray(tmp_path: Path, depth: int) -> None:
    values = np.arange(2).repeat(4) if depth == 1 else np.arange(2**depth)[:8]
    bits = "".join(f"{value:0{depth}b}" for value in values)
    line = b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    path = tmp_path / "a.png"
    path.write_bytes(
        png.SIGNATURE
        + png._chunk(b"IHDR", struct.pack(">IIBBBBB", len(values), 1, depth, 0, 0, 0, 0))
        + png._chunk(b"tRNS", struct.pack(">H", values[-1]))
        + png._chunk(b"IDAT", zlib.compress(line))
        + png._chunk(b"IEND", b"")
    )
    image = read_image(path)
    scale = 1 if depth >= 8 else 255 // (2**depth - 1)
    np.testing.assert_array_equal(image.pixels[0], values * scale)
    assert image.alpha is not None
    np.testing.assert_array_equal(image.alpha[0] == 0, values == values[-1])


def test_deep_pnm_is_scaled_to_its_maximum(tmp_path: Path) -> None:
    plain = tmp_path / "a.ppm"
    plain.write_bytes(b"P3 # comment\n2 1\n1000\n0 500 1000 1000 0 1")
    np.testing.assert_array_equal(read_image(plain).pixels, [[[0, 32767, 65535], [65535, 0, 65]]])
    raw = tmp_path / "b.ppm"
    raw.write_bytes(b"P6 1 1 65535\n" + bytes([0, 1, 2, 3, 4, 5]))
    np.testing.assert_array_equal(read_image(raw).pixels, [[[1, 0x203, 0x405]]])


# Colour.


def profile(kind: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()


def adobe_like() -> bytes:
    """Return a matrix profile: Adobe RGB's primaries, gamma 2.2."""
    colorants = [
        (0.60974, 0.31111, 0.01947),
        (0.20528, 0.62567, 0.06087),
        (0.14919, 0.06322, 0.74457),
    ]
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    tags = [
        (name, b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in xyz)))
        for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=True)
    ]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    tags += [(b"wtpt", b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061))]
    tags += [(b"desc", b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + b"\0" * 78)]
    tags += [(b"cprt", b"text\0\0\0\0x\0\0\0")]
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0")
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


def test_profiles_are_applied_at_8_and_at_16_bits(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (20, 30, 3), np.uint8)
    icc = adobe_like()
    path = saved(pixels, tmp_path / "a.png", icc_profile=icc)
    image = read_image(path)
    expected = ImageCms.profileToProfile(
        PillowImage.fromarray(pixels),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    np.testing.assert_allclose(image.pixels.astype(int), np.asarray(expected), atol=1)
    assert image.icc is None
    assert np.abs(image.pixels.astype(int) - pixels).mean() > 3
    deep = pixels.astype(np.uint16) * 257
    write_image(tmp_path / "b.png", deep, icc=icc)
    image = read_image(tmp_path / "b.png")
    np.testing.assert_allclose(image.pixels / 257, np.asarray(expected), atol=2)
    assert image.icc is None


def test_srgb_is_left_alone_and_kept(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (20, 30, 3), np.uint8)
    image = read_image(saved(pixels, tmp_path / "a.png", icc_profile=profile("sRGB")))
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.icc is not None
    path = write_image(tmp_path / "b.tif", pixels, icc=image.icc)
    assert read_image(path).icc == image.icc


def test_a_broken_profile_is_told_and_not_applied(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (20, 30, 3), np.uint8)
    image = read_image(saved(pixels, tmp_path / "a.png", icc_profile=b"nonsense" * 30))
    np.testing.assert_array_equal(image.pixels, pixels)
    assert "profile" in image.notes[0]


def test_gray_profiles_bend_gray(tmp_path: Path) -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    icc = bytearray(adobe_like().replace(b"RGB XYZ ", b"GRAYXYZ ").replace(b"gTRC", b"kTRC"))
    image = read_image(saved(pixels, tmp_path / "a.png", icc_profile=bytes(icc)))
    assert image.pixels.shape == (16, 16)
    linear = (pixels / 255) ** 2.2
    expected = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(image.pixels, 255 * expected, atol=2)


# Refusals.


def test_large_pictures_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.png", np.zeros((40, 50), np.uint8))
    assert read_image(path, max_pixels=2000).shape == (40, 50)
    with pytest.raises(FileError, match=r"a\.png: 50 x 40 pixels .* --max-pixels"):
        read_image(path, max_pixels=1999)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    wanted = {"folder.png": "a folder", "loop.png": "form a loop", "pipe.png": "a pipe"}
    wanted["missing.png"] = "no such file"
    for name, reason in wanted.items():
        with pytest.raises(FileError, match=rf"{name}: .*{reason}"):
            read_image(tmp_path / name)
    with pytest.raises(FileError, match="a device"):
        read_image("/dev/zero")
    with pytest.raises(FileError, match="null"):
        read_image("a\0b.png")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"%PDF-1.7", "a PDF"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"<?xml version='1.0'?><svg/>", "an SVG"),
        (b"anything else", "no image of a known format"),
    ],
)
def test_strangers_are_named(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(FileError, match=rf"a\.png: it is .*{reason}"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".tif", ".webp", ".ppm"])
def test_every_truncation_is_an_error(tmp_path: Path, suffix: str) -> None:
    pixels = RNG.integers(0, 256, (30, 40, 3), np.uint8)
    data = saved(pixels, tmp_path / f"whole{suffix}").read_bytes()
    path = tmp_path / f"cut{suffix}"
    for share in (0.05, 0.3, 0.6, 0.9, 0.99):
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(FileError, match=r"cut\."):
            read_image(path)


def test_names_of_any_kind(tmp_path: Path) -> None:
    pixels = np.zeros((2, 3), np.uint8)
    for name in (b"-a.png", b" '\"\n.png", b"\xff\xfe.png", b"%s.png", b"n" * 251 + b".png"):
        path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
        write_image(path, pixels)
        np.testing.assert_array_equal(read_image(path).pixels, pixels)
        path.write_bytes(b"bad")
        with pytest.raises(FileError) as caught:
            read_image(path)
        assert len(str(caught.value).splitlines()) == 1


def test_standard_input_and_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = RNG.integers(0, 256, (5, 6, 3), np.uint8)
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out))
    assert write_image("-", pixels) == Path("-")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(out.getvalue())))
    np.testing.assert_array_equal(read_image("-").pixels, pixels)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"no picture")))
    with pytest.raises(FileError, match=r"^cannot read standard input: it is no image"):
        read_image("-")


@pytest.mark.parametrize("value", [-1, 1.5, "1", True])
def test_wrong_pages_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match="page"):
        read_image("a.png", page=value)


def test_formats_that_would_change_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not hold float32"):
        write_image(tmp_path / "a.png", np.zeros((2, 3), np.float32))
    with pytest.raises(InputError, match="do not hold 5 channels"):
        write_image(tmp_path / "a.png", np.zeros((2, 3, 5), np.uint8))
    with pytest.raises(InputError, match="use one of"):
        write_image(tmp_path / "a.xyz", np.zeros((2, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_decoding_in_threads_leaves_warnings_and_stderr_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good = write_image(tmp_path / "a.png", RNG.integers(0, 65536, (50, 60, 3), np.uint16))
    bad = tmp_path / "b.tif"
    saved(RNG.integers(0, 256, (50, 60), np.uint8), bad, "1", compression="group4")
    data = bytearray(bad.read_bytes())
    data[20:60] = b"\xaa" * 40
    bad.write_bytes(data)
    filters = list(warnings.filters)

    def read(path: Path) -> bool:
        try:
            read_image(path)
        except FileError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(read, [good, bad] * 40))
    assert results == [True, False] * 40
    assert list(warnings.filters) == filters
    print("still here", file=sys.stderr)
    assert capfd.readouterr().err == "still here\n"


def smooth(bits: int, *bands: int) -> np.ndarray:
    ramp = np.add.outer(np.arange(32), np.arange(40)) * (2**bits // 80)
    return (ramp[..., None] * np.ones(bands, int)).squeeze().astype(np.uint16)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("bands", [1, 3])
def test_deep_avif_keeps_its_depth(tmp_path: Path, bits: int, bands: int) -> None:
    stored = smooth(bits, bands)
    options = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]
    assert cv2.imwrite(str(tmp_path / "a.avif"), stored, options)
    image = read_image(tmp_path / "a.avif")
    np.testing.assert_array_equal(image.pixels, stored.astype(int) * 65535 // (2**bits - 1))


@pytest.mark.parametrize("bands", [1, 3])
def test_deep_jpeg_2000_keeps_its_depth(tmp_path: Path, bands: int) -> None:
    stored = smooth(16, bands)
    options = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]
    assert cv2.imwrite(str(tmp_path / "a.jp2"), stored, options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.jp2").pixels, stored)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "YCbCr"])
@pytest.mark.parametrize("compression", ["jpeg", "tiff_lzw", None])
def test_pictures_within_tiffs(tmp_path: Path, mode: str, compression: str | None) -> None:
    pixels = np.repeat(smooth(8, 3).astype(np.uint8), 2, axis=1)
    path = saved(pixels, tmp_path / "a.tif", mode, compression=compression)
    expected = pixels if mode != "L" else pixels[..., 0]
    np.testing.assert_allclose(read_image(path).pixels.astype(int), expected, atol=4)


def test_a_decoder_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(np.zeros((8, 8, 3), np.uint8), tmp_path / "a.avif")
    monkeypatch.setitem(sys.modules, "PIL.AvifImagePlugin", None)
    with pytest.raises(FileError, match=r"a\.avif: this Pillow reads no AVIF"):
        read_image(path)


def test_images_show_what_they_are(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60, 3), np.uint16)
    pixels[:, 30:] = 4095
    path = write_image(
        tmp_path / "two\nlines.png", pixels, alpha=np.full((40, 60), 65535, np.uint16)
    )
    image = read_image(path)
    assert repr(image) == r"<Image: 60x40, 4 channels, uint16, two\nlines.png>"
    assert repr(Image(np.zeros((2, 3), bool))) == "<Image: 3x2, 1 channel, bool>"
    shown = cv2.imdecode(np.frombuffer(image._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(shown[0, [0, -1]], [[0] * 3, [255] * 3])
    assert image != read_image(path)  # as arrays have no one answer, images are told apart
    assert len({image, image}) == 1
