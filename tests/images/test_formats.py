"""Formats beyond the usual ones, depths within them, and TIFFs of rare kinds."""

from __future__ import annotations

import io
import resource
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import OpenEXR
import pillow_heif
import pytest
import skimage.color
import skimage.data
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

import segment
from segment.errors import FileError
from segment.images import count_pages, read_image
from segment.images.codecs import jxl_size
from segment.images.gif import canvas
from segment.images.heic import size as heic_size
from segment.images.libtiff import assemble
from segment.images.samples import unpack
from tests.images.test_images import adobe_like
from tests.shaping import png_chunks, png_from

PHOTO = np.ascontiguousarray(skimage.data.astronaut()[:60, 100:180])
RNG = np.random.default_rng(0)


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def by_pillow(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    PillowImage.fromarray(PHOTO).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:IM image format is deprecated:DeprecationWarning")
@pytest.mark.parametrize("kind", ["TGA", "PCX", "SGI", "IM", "DDS", "ICNS", "QOI"])
def test_further_formats_of_pillow(tmp_path: Path, kind: str) -> None:
    try:
        data = by_pillow(kind)
    except (OSError, KeyError, ValueError):
        pytest.skip(f"this Pillow writes no {kind}")
    with PillowImage.open(io.BytesIO(data)) as picture:
        expected = np.asarray(picture.convert("RGB"))
    image = read_image(saved(tmp_path / "x", data))
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.format == kind.lower()


def gif_of(*places: tuple[int, int, int, int], size: tuple[int, int] = (32, 20)) -> bytes:
    """A GIF whose frames of one pixel's data claim these places: left, top, width, height."""
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0) + bytes(6)
    comment = b"!\xfe\x03abc\x00"
    pixel = b"\x02\x02\x44\x01\x00"
    frames = [comment + b"," + struct.pack("<HHHHB", *place, 0) + pixel for place in places]
    return head + b"".join(frames) + b";"


def test_a_frame_that_stands_over_a_gif_is_counted_before_room_is_made_for_it(
    tmp_path: Path,
) -> None:
    inside, beyond = (0, 0, 32, 20), (65535, 65535, 60000, 60000)
    first = saved(tmp_path / "a.gif", gif_of(beyond))
    with PillowImage.open(saved(tmp_path / "c.gif", gif_of((4, 5, 40, 30)))) as picture:
        assert canvas(gif_of((4, 5, 40, 30)), 0) == picture.size == (44, 35)
    second = saved(tmp_path / "b.gif", gif_of(inside, inside, beyond))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileError, match="125535 x 125535 pixels"):
        read_image(first)
    with pytest.raises(FileError, match="125535 x 125535 pixels"):
        read_image(second, page=2)
    assert count_pages(first) == 1
    assert count_pages(second) == 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
    assert read_image(second, accept_damaged=True).shape == (20, 32)


def test_the_frames_of_a_gif_are_counted_as_pillow_does(tmp_path: Path) -> None:
    pictures = [PillowImage.fromarray(np.roll(PHOTO, 5 * k, axis=1)) for k in range(4)]
    pictures[0].save(tmp_path / "x.gif", save_all=True, append_images=pictures[1:])
    assert count_pages(tmp_path / "x.gif") == 4
    assert canvas((tmp_path / "x.gif").read_bytes(), 3) == pictures[0].size


def test_a_png_with_a_second_header_does_not_pass_the_limit(tmp_path: Path) -> None:
    chunks = png_chunks(by_pillow("PNG"))
    kind, header = chunks[0]
    huge = (kind, struct.pack(">II", 50_000, 40_000) + header[8:])
    path = saved(tmp_path / "x", png_from([chunks[0], huge, *chunks[1:]]))
    for damaged in (False, True):
        for page in (0, 1):
            with pytest.raises(FileError):
                read_image(path, accept_damaged=damaged, page=page, max_pixels=10_000)


def test_icons_and_cursors_are_told_from_targa(tmp_path: Path) -> None:
    icon = by_pillow("ICO", sizes=[(32, 32)], bitmap_format="bmp")
    assert read_image(saved(tmp_path / "a", icon)).format == "ico"
    cursor = b"\0\0\2\0" + icon[4:]
    assert read_image(saved(tmp_path / "b", cursor)).format == "cur"
    targa = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 2, 1, 24, 0x20) + bytes(range(6))
    image = read_image(saved(tmp_path / "c", targa))
    assert image.pixels.tolist() == [[[2, 1, 0], [5, 4, 3]]]


def test_zeros_and_text_are_no_image(tmp_path: Path) -> None:
    for data in (
        b"\0\0\1",
        b"\0\0\2",
        bytes(17),
        bytes(5000),
        b"hello " * 1000,
        b"#define X 1\n" * 50,
    ):
        with pytest.raises(FileError, match="no image of a known format"):
            read_image(saved(tmp_path / "x", data))


@pytest.mark.parametrize("floats", [np.linspace(0, 1, 3 * 35), np.linspace(0, 40, 3 * 35)])
def test_radiance(tmp_path: Path, floats: Any) -> None:
    pixels = floats.reshape(5, 7, 3).astype(np.float32)
    data = cv2.imencode(".hdr", pixels[..., ::-1])[1].tobytes()
    image = read_image(saved(tmp_path / "x.hdr", data))
    np.testing.assert_allclose(image.pixels, pixels, rtol=2e-2, atol=floats.max() / 100)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bands", [1, 3])
def test_portable_floats(tmp_path: Path, bands: int, order: str) -> None:
    pixels = RNG.normal(0, 50, (5, 7, bands)).astype(np.float32)
    head = f"{'Pf' if bands == 1 else 'PF'}\n7 5\n{'-' if order == '<' else ''}1.0\n".encode()
    image = read_image(saved(tmp_path / "x", head + pixels[::-1].astype(f"{order}f4").tobytes()))
    np.testing.assert_array_equal(image.pixels.reshape(5, 7, bands), pixels)


@pytest.mark.parametrize("maximum", [1, 255, 1023, 4095, 65535])
@pytest.mark.parametrize(
    ("kind", "depth"),
    [("GRAYSCALE", 1), ("GRAYSCALE_ALPHA", 2), ("RGB", 3), ("RGB_ALPHA", 4), ("BANDS", 6)],
)
def test_pam(tmp_path: Path, kind: str, depth: int, maximum: int) -> None:
    values = RNG.integers(0, maximum + 1, (4, 6, depth))
    head = f"P7\n# c\nWIDTH 6\nHEIGHT 4\nDEPTH {depth}\nMAXVAL {maximum}\nTUPLTYPE {kind}\nENDHDR\n"
    dtype, top = (">u2", 65535) if maximum > 255 else ("u1", 255)
    data = head.encode() + values.astype(dtype).tobytes()
    image = read_image(saved(tmp_path / "x", data))
    scaled = values * top // maximum
    colors = scaled[..., :-1] if "ALPHA" in kind else scaled
    np.testing.assert_array_equal(image.pixels.reshape(colors.shape), colors)
    assert (image.alpha is not None) == ("ALPHA" in kind)
    if image.alpha is not None:
        np.testing.assert_array_equal(image.alpha, scaled[..., -1])
    for bad in (data[:-1], data.replace(b"WIDTH 6", b"WIDTH 0"), data.replace(b"ENDHDR", b"END")):
        with pytest.raises(FileError):
            read_image(saved(tmp_path / "y", bad))


@pytest.mark.parametrize(("suffix", "shape"), [("pgm", (4, 6)), ("ppm", (4, 6, 3))])
def test_depths_of_netpbm(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    values = RNG.integers(0, 4096, shape)
    head = f"P{5 if suffix == 'pgm' else 6}\n6 4\n4095\n".encode()
    image = read_image(saved(tmp_path / "x", head + values.astype(">u2").tobytes()))
    assert np.abs(image.pixels - values * (65535 / 4095)).max() <= 1


# The extra `codecs`.


@pytest.mark.parametrize("size", [(60, 80), (256, 264), (301, 200)])
def test_jpeg_xl(tmp_path: Path, size: tuple[int, int]) -> None:
    pixels = RNG.integers(0, 256, (*size, 3), np.uint8)
    data = imagecodecs.jpegxl_encode(pixels, lossless=True)
    assert jxl_size(data) == size[::-1]
    np.testing.assert_array_equal(read_image(saved(tmp_path / "x", data)).pixels, pixels)
    with pytest.raises(FileError, match="more than the limit"):
        read_image(tmp_path / "x", max_pixels=1000)


def test_jpegs_of_rare_kinds(tmp_path: Path) -> None:
    deep = imagecodecs.jpeg8_encode(PHOTO.astype(np.uint16) * 16, 95, bitspersample=12)
    image = read_image(saved(tmp_path / "d", deep))
    assert image.value_range == (0, 4095)
    assert np.abs(image.pixels / 16.0 - PHOTO).mean() < 4
    lossless = imagecodecs.jpegls_encode(PHOTO)
    np.testing.assert_array_equal(read_image(saved(tmp_path / "l", lossless)).pixels, PHOTO)
    sof3 = imagecodecs.ljpeg_encode(PHOTO[..., 0].astype(np.uint16) * 16, bitspersample=12)
    image = read_image(saved(tmp_path / "s", sof3))
    np.testing.assert_array_equal(image.pixels, PHOTO[..., 0].astype(int) * 16)
    assert image.value_range == (0, 4095)


def test_a_codec_that_is_not_built_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "x.jxl", imagecodecs.jpegxl_encode(PHOTO))

    def absent(data: bytes) -> None:
        raise imagecodecs.DelayedImportError("jpegxl_decode")

    monkeypatch.setattr(imagecodecs, "jpegxl_decode", absent)
    with pytest.raises(FileError, match="this imagecodecs does not read JPEG XL; convert it"):
        read_image(path)


def test_the_size_of_a_heic_is_its_largest() -> None:
    boxes = b"".join(b"ispe" + struct.pack(">III", 0, *size) for size in [(160, 120), (4032, 3024)])
    assert heic_size(b"\0\0\0\x18ftypheic" + boxes) == (4032, 3024)


def by_heif(pixels: NDArray[Any], mode: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    height, width = pixels.shape[:2]
    picture = pillow_heif.from_bytes(mode, (width, height), pixels.tobytes())
    picture.save(stream, quality=95, **options)
    return stream.getvalue()


def test_heic(tmp_path: Path) -> None:
    image = read_image(saved(tmp_path / "x", by_heif(PHOTO, "RGB")))
    assert image.format == "heic"
    assert np.abs(image.pixels.astype(int) - PHOTO).mean() < 3
    seen = np.zeros(PHOTO.shape[:2], np.uint8)
    seen[20:] = 255
    image = read_image(saved(tmp_path / "a", by_heif(np.dstack([PHOTO, seen]), "RGBA")))
    assert image.alpha is not None
    assert np.abs(image.alpha.astype(int) - seen).mean() < 3
    deep = read_image(saved(tmp_path / "d", by_heif(PHOTO.astype(np.uint16) * 257, "RGB;16")))
    assert deep.pixels.dtype == np.uint16
    assert np.abs(deep.pixels / 257.0 - PHOTO).mean() < 3
    with pytest.raises(FileError, match="more than the limit"):
        read_image(tmp_path / "x", max_pixels=1000)


def test_heic_of_a_telephone_is_turned_once_and_has_its_profile_applied(tmp_path: Path) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    kept: dict[str, Any] = {"exif": exif.tobytes(), "icc_profile": adobe_like(), "quality": 95}
    stream = io.BytesIO()
    pillow_heif.from_pillow(PillowImage.fromarray(PHOTO)).save(stream, **kept)
    image = read_image(saved(tmp_path / "x", stream.getvalue()))
    same = read_image(saved(tmp_path / "y", by_pillow("JPEG", **kept)))
    assert image.pixels.shape == same.pixels.shape == (80, 60, 3)
    assert np.abs(image.pixels.astype(int) - same.pixels).mean() < 3
    assert image.icc is None
    assert not image.notes


def by_openexr(path: Path, channels: dict[str, NDArray[Any]]) -> Path:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, channels).write(str(path))
    return path


@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_openexr(tmp_path: Path, dtype: str) -> None:
    light = RNG.uniform(0, 4, (30, 40, 3)).astype(dtype)
    image = read_image(by_openexr(tmp_path / "c.exr", {"RGB": light}))
    assert image.format == "exr"
    assert image.pixels.dtype == np.float32
    np.testing.assert_array_equal(image.pixels, light.astype(np.float32))
    gray = read_image(by_openexr(tmp_path / "y.exr", {"Y": light[..., 0].copy()}))
    np.testing.assert_array_equal(gray.pixels, light[..., 0].astype(np.float32))
    with pytest.raises(FileError, match="more than the limit"):
        read_image(tmp_path / "c.exr", max_pixels=1000)


def test_openexr_with_alpha_depth_and_bands(tmp_path: Path) -> None:
    light = RNG.uniform(0, 1, (30, 40, 3)).astype(np.float32)
    alpha = np.full((30, 40), 0.5, np.float32)
    alpha[:5] = 0
    depth = np.full((30, 40), 7, np.float32)
    held = {"RGBA": np.dstack([light * alpha[..., None], alpha]), "Z": depth}
    image = read_image(by_openexr(tmp_path / "a.exr", held))
    np.testing.assert_allclose(image.pixels[5:], light[5:], rtol=1e-6)
    assert image.alpha is not None
    np.testing.assert_array_equal(image.alpha, alpha)
    assert image.notes == ("its channels Z are not read",)
    ids = RNG.integers(0, 2**32, (30, 40), np.uint32)
    image = read_image(by_openexr(tmp_path / "i.exr", {"id": ids}))
    np.testing.assert_array_equal(image.pixels, ids)
    image = read_image(by_openexr(tmp_path / "n.exr", {"N.x": depth, "N.y": 2 * depth}))
    assert image.pixels[3, 3].tolist() == [7, 14]


def test_damaged_openexr_is_refused_without_a_word_of_its_decoder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = by_openexr(tmp_path / "c.exr", {"RGB": PHOTO.astype(np.float32)}).read_bytes()
    for n in (10, 200, len(data) // 2, len(data) - 1):
        with pytest.raises(FileError, match="truncated or corrupt"):
            read_image(saved(tmp_path / "x", data[:n]))
    with pytest.raises(FileError, match="deep"):
        read_image(saved(tmp_path / "x", data[:5] + b"\x08" + data[6:]))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"II\xbc\x01", "JPEG XR"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"ZISRAWFILE", "CZI"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"\xda\xce\xbe\n", "ND2"),
    ],
)
def test_what_no_library_here_reads_is_named(tmp_path: Path, start: bytes, kind: str) -> None:
    with pytest.raises(FileError, match=rf"it is an? .*{kind}.*PNG, JPEG or TIFF"):
        read_image(saved(tmp_path / "x", start.ljust(300, b"\0")))


@pytest.mark.parametrize(
    "compression", ["jpeg2000", "lerc", "webp", "jpegxl", "jpegxr", "png", "zstd", "lzma"]
)
def test_compressions_of_tiff(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "x.tif"
    options: dict[str, Any] = {"compression": compression}
    if compression in {"webp", "jpegxl", "jpegxr", "jpeg2000"}:
        options["compressionargs"] = {"lossless": True} if compression == "webp" else {}
    tifffile.imwrite(path, PHOTO, photometric="rgb", tile=(32, 32), **options)
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, tifffile.imread(path))
    assert np.abs(image.pixels.astype(int) - PHOTO).mean() < 4


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, PHOTO, photometric="rgb", compression="jpeg2000")
    jxl = saved(tmp_path / "x.jxl", imagecodecs.jpegxl_encode(PHOTO))
    heic = saved(tmp_path / "x.heic", by_heif(PHOTO, "RGB"))
    exr = by_openexr(tmp_path / "x.exr", {"RGB": PHOTO.astype(np.float32)})
    for module in ("imagecodecs", "OpenEXR", "pillow_heif"):
        monkeypatch.setitem(sys.modules, module, None)
    for file, name in ((path, "JPEG 2000"), (jxl, "JPEG XL"), (heic, "HEIC"), (exr, "OpenEXR")):
        with pytest.raises(FileError, match=rf"{name}, which needs the 'codecs' extra: install"):
            read_image(file)


# TIFFs of rare kinds.


def plain_tiff(pixels: NDArray[Any], segments: list[bytes], **tags: int) -> bytes:
    """A TIFF of uncompressed strips with further tags, by number."""
    height, width = pixels.shape[:2]
    bands = 1 if pixels.ndim == 2 else pixels.shape[2]
    known = {
        256: width, 257: height, 258: [8 * pixels.itemsize] * bands, 259: 1,
        262: 2 if bands > 2 else 1, 277: bands, 278: height,
    }  # fmt: skip
    return assemble(known | {int(k[1:]): v for k, v in tags.items()}, segments, tiled=False)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_bits_in_the_other_order(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    pixels = RNG.integers(0, 256, shape).astype(dtype)
    turned = np.packbits(
        np.unpackbits(np.frombuffer(pixels.tobytes(), np.uint8)), bitorder="little"
    )
    extra = {"_339": [3] * (pixels.size // 35)} if dtype == "f4" else {}
    data = plain_tiff(pixels, [turned.tobytes()], _266=2, **extra)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_image(saved(tmp_path / "x", data)).pixels, pixels)


@pytest.mark.parametrize("bits", [9, 10, 12, 14])
def test_differences_at_odd_depths(bits: int) -> None:
    values = RNG.integers(0, 2**bits, (3, 8, 2))
    steps = np.diff(values, axis=1, prepend=0) % 2**bits
    flags = (steps.reshape(3, -1, 1) >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(flags.reshape(3, -1).astype(np.uint8), axis=1)
    found = unpack(rows, count=8, interleaved=2, bits=bits, kind="u", byteorder="<", predictor=2)
    np.testing.assert_array_equal(found, values)


def test_rgb_with_a_sample_that_means_nothing(tmp_path: Path) -> None:
    fourth = RNG.integers(0, 256, (*PHOTO.shape[:2], 1), np.uint8)
    path = tmp_path / "x.tif"
    both = np.concatenate([PHOTO, fourth], axis=2)
    tifffile.imwrite(path, both, photometric="rgb", extrasamples=["unspecified"])
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, both)
    with pytest.warns(segment.InputWarning, match="3 of 4 bands are colours and taken"):
        found = segment.mean_shift(image)
    np.testing.assert_array_equal(found.labels, segment.mean_shift(PHOTO).labels)
    own = segment.mean_shift(image, color_space="none", range_bandwidth=40)
    assert own.colors.shape[1] == 4


def test_an_empty_sparse_file_is_black_or_nodata(tmp_path: Path) -> None:
    tags: dict[int, Any] = {
        256: 64, 257: 48, 258: 8, 259: 1, 262: 1, 277: 1, 322: 32, 323: 32
    }  # fmt: skip
    data = bytearray(assemble(tags, [b""] * 4, tiled=True))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        at = tiff.pages[0].tags[324].valueoffset
    data[at : at + 16] = bytes(16)
    image = read_image(saved(tmp_path / "x", bytes(data)))
    assert image.shape == (48, 64)
    assert not image.pixels.any()
    assert image.notes == ("4 of 4 strips or tiles are absent and read as 0",)
    assert image.mask is None
    hidden = read_image(tmp_path / "x", nodata=-1)
    assert hidden.mask is not None
    assert not hidden.mask.any()


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_deep_tiffs_have_their_own_white(tmp_path: Path, bits: int) -> None:
    values = RNG.integers(0, 2**bits, (4, 6)).astype(np.uint16)
    flags = (values[..., None] >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(flags.reshape(4, -1).astype(np.uint8), axis=1)
    image = read_image(saved(tmp_path / "x", plain_tiff(values, [rows.tobytes()], _258=bits)))
    np.testing.assert_array_equal(image.pixels, values)
    assert image.value_range == (0, 2**bits - 1)


# Sizes.


def test_pixels_beyond_the_limit_of_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 100)
    pixels = np.zeros((60, 80), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="zlib")
    PillowImage.fromarray(PHOTO).save(tmp_path / "b.webp", lossless=True)
    PillowImage.fromarray(pixels).save(tmp_path / "c.gif")
    for name in ("a.tif", "b.webp", "c.gif"):
        assert read_image(tmp_path / name).shape == (60, 80)
    assert PillowImage.MAX_IMAGE_PIXELS == 100
    with pytest.raises(FileError, match="60 pixels"):
        read_image(tmp_path / "a.tif", max_pixels=100)


def test_png_bombs_are_seen_before_they_go_off(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99)))
    with pytest.raises(FileError, match="more than the limit"):
        read_image(saved(tmp_path / "x", data + chunk(b"IEND", b"")))


def test_farbfeld(tmp_path: Path) -> None:
    values = RNG.integers(0, 65536, (4, 6, 4))
    data = b"farbfeld" + struct.pack(">II", 6, 4) + values.astype(">u2").tobytes()
    image = read_image(saved(tmp_path / "x", data))
    np.testing.assert_array_equal(image.pixels, values[..., :3])
    np.testing.assert_array_equal(image.alpha, values[..., 3])
    with pytest.raises(FileError, match="truncated"):
        read_image(saved(tmp_path / "y", data[:-1]))


@pytest.mark.parametrize("photometric", [8, 9])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_lab_in_a_tiff(tmp_path: Path, dtype: str, photometric: int) -> None:
    lab = skimage.color.rgb2lab(PHOTO, illuminant="D65")  # adapted, so the same under D50
    bits = 8 * np.dtype(dtype).itemsize
    lab[..., 0] *= (2**bits - 1) / 100
    lab[..., 1:] *= 2.0 ** (bits - 8)
    if photometric == 9:
        lab[..., 1:] += 2 ** (bits - 1)
    stored = (np.rint(lab).astype(np.int64) % 2**bits).astype(dtype)
    data = plain_tiff(stored, [stored.tobytes()], _262=photometric)
    image = read_image(saved(tmp_path / "x", data))
    assert image.pixels.dtype == dtype
    error = np.abs(image.pixels / (2**bits - 1) * 255 - PHOTO)
    assert error.mean() < 3


def test_deep_jpeg_in_a_tiff(tmp_path: Path) -> None:
    deep = PHOTO.astype(np.uint16) * 16
    strip = imagecodecs.jpeg8_encode(
        deep, 95, bitspersample=12, colorspace="RGB", outcolorspace="RGB"
    )
    data = plain_tiff(deep, [strip], _259=7, _258=12)
    image = read_image(saved(tmp_path / "x", data))
    assert image.value_range == (0, 4095)
    assert np.abs(image.pixels / 16.0 - PHOTO).mean() < 4
