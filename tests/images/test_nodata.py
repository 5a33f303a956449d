"""Pixels that mean nothing: nodata, masks in TIFFs and in files, NaN; and value ranges."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

import segment
from segment.errors import FileError, InputError
from segment.images import Image, png, read_image, write_image
from segment.images.nodata import check_nodata, parse_nodata
from segment.regions.arrays import is_nodata
from segment.workflow import Recipe, make

RNG = np.random.default_rng(0)
HOLE = np.zeros((20, 30), bool)
HOLE[3:8, 4:20] = True


def tagged(path: Path, values: Any, *tags: tuple[int, str, int, Any, bool], **options: Any) -> Path:
    tifffile.imwrite(path, values, extratags=list(tags), **options)
    return path


def nodata_tag(text: str) -> tuple[int, str, int, str, bool]:
    return (42113, "s", 0, text, True)


def expect_hidden(image: Image, hidden: NDArray[np.bool_]) -> None:
    if hidden.any():
        assert image.mask is not None
        np.testing.assert_array_equal(image.mask, ~hidden)
    else:
        assert image.mask is None


@pytest.mark.parametrize(
    ("dtype", "text", "value"),
    [
        ("f4", "-9999", -9999),
        ("f8", "-9999.0 ", -9999),
        ("f4", "nan", np.nan),
        ("f8", "-nan", np.nan),
        ("f4", "-3.40282346600000016e+38", np.float32(-3.402823466e38)),
        ("f4", "-3.4028234663852886e+38", np.finfo("f4").min),
        ("f4", "0.1", np.float32(0.1)),
        ("f8", "1e+20", 1e20),
        ("f4", "inf", np.inf),
        ("f2", "-9999", np.float16(-9999)),
        ("i2", "-32768", -32768),
        ("i2", "-32768.0", -32768),
        ("u1", "0", 0),
        ("u1", "255", 255),
        ("u2", "65535", 65535),
        ("i4", "-2147483648", -(2**31)),
        ("u4", "4294967295", 2**32 - 1),
        ("i8", "-9223372036854775807", -(2**63) + 1),
        ("u8", "18446744073709551615", 2**64 - 1),
    ],
)
def test_the_nodata_tag_is_heeded_in_every_dtype(
    tmp_path: Path, dtype: str, text: str, value: Any
) -> None:
    values = RNG.integers(1, 100, HOLE.shape).astype(dtype)
    values[HOLE] = value
    path = tagged(tmp_path / "a.tif", values, nodata_tag(text))
    image = read_image(path)
    expect_hidden(image, HOLE)
    assert any("nodata" in note for note in image.notes) or np.isnan(value)
    np.testing.assert_array_equal(image.pixels, values)


@pytest.mark.parametrize(
    ("dtype", "text"),
    [("u2", "-9999"), ("u1", "256"), ("i2", "1.5"), ("u1", "nan"), ("u1", "rubbish"), ("f4", "")],
)
def test_a_value_that_the_dtype_cannot_hold_hides_nothing(
    tmp_path: Path, dtype: str, text: str
) -> None:
    values = np.arange(600).reshape(20, 30).astype(dtype)
    image = read_image(tagged(tmp_path / "a.tif", values, nodata_tag(text)))
    assert image.mask is None
    assert image.notes == ()


def test_zero_is_nodata_where_all_bands_are_and_others_where_one_is() -> None:
    values = np.full((2, 2, 3), 50, np.int16)
    values[0, 0] = 0
    values[0, 1, 1] = 0
    assert is_nodata(values, 0).tolist() == [[True, False], [False, False]]
    values[values == 0] = -9999
    assert is_nodata(values, -9999).tolist() == [[True, True], [False, False]]
    white = np.full((1, 2, 3), 255, np.uint8)
    white[0, 1, 2] = 7
    assert is_nodata(white, 255).tolist() == [[True, False]]


def test_an_index_of_a_palette_can_be_nodata(tmp_path: Path) -> None:
    index = RNG.integers(0, 9, HOLE.shape, np.uint8)
    index[HOLE] = 9
    table = RNG.integers(0, 65536, (3, 256), np.uint16)
    path = tmp_path / "p.tif"
    tifffile.imwrite(
        path, index, photometric="palette", colormap=table, extratags=[nodata_tag("9")]
    )
    expect_hidden(read_image(path), HOLE)


def test_white_is_zero_does_not_turn_nodata_around(tmp_path: Path) -> None:
    values = np.full(HOLE.shape, 100, np.uint8)
    values[HOLE] = 0
    path = tagged(tmp_path / "w.tif", values, nodata_tag("0"), photometric="miniswhite")
    expect_hidden(read_image(path), HOLE)


@pytest.mark.parametrize(("given", "hidden"), [(7, "seven"), ("7", "seven"), ("none", "none")])
def test_what_the_caller_gives_replaces_the_tag(tmp_path: Path, given: Any, hidden: str) -> None:
    values = np.full(HOLE.shape, 50, np.uint8)
    values[HOLE] = 7
    values[0] = 0
    path = tagged(tmp_path / "a.tif", values, nodata_tag("0"))
    expect_hidden(read_image(path, nodata=given), HOLE & (hidden == "seven"))
    expect_hidden(read_image(path), values == 0)


def test_nodata_may_be_given_for_any_format(tmp_path: Path) -> None:
    values = RNG.integers(1, 255, (*HOLE.shape, 3), np.uint8)
    values[HOLE] = 0
    path = write_image(tmp_path / "a.png", values)
    image = read_image(path, nodata=0)
    expect_hidden(image, HOLE)
    assert any("nodata (0)" in note for note in image.notes)


@pytest.mark.parametrize("bad", ["black", True, [1], object()])
def test_nodata_must_be_a_number(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(InputError, match=r"is no number; give one such as -9999"):
        read_image(tmp_path / "a.tif", nodata=bad)
    with pytest.raises(InputError, match=r"is no number"):
        Recipe(nodata=bad)


def test_texts_of_nodata() -> None:
    assert parse_nodata("-9999\0") == -9999
    assert parse_nodata("18446744073709551615") == 2**64 - 1
    assert parse_nodata("1.#QNAN") != parse_nodata("1.#QNAN")
    assert parse_nodata("-1.#IND") != parse_nodata("-1.#IND")
    assert parse_nodata("none") is None
    assert check_nodata("None") == "none"
    assert check_nodata(np.float32(-9999)) == -9999


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_numbers_are_hidden_with_a_note(tmp_path: Path, bad: float) -> None:
    values = RNG.random((*HOLE.shape, 3)).astype("f4")
    values[HOLE, 1] = bad
    image = read_image(tagged(tmp_path / "a.tif", values, photometric="rgb"))
    expect_hidden(image, HOLE)
    assert any("NaN or infinite" in note for note in image.notes)


# Directories of a TIFF that are no pages.


def write_pages(path: Path, pages: list[tuple[Any, int]], *, big: bool = False) -> Path:
    """Write (pixels, NewSubfileType) after one another."""
    with tifffile.TiffWriter(path, bigtiff=big) as tiff:
        for pixels, kind in pages:
            color = "rgb" if pixels.ndim == 3 else "minisblack"
            tiff.write(pixels, photometric=color, subfiletype=kind & 3 or None, metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for page, (_, kind) in zip(tiff.pages, pages, strict=True):
            if kind & 4:
                page.tags[254].overwrite(kind)
                page.tags[262].overwrite(4)
    return path


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("depth", [bool, np.uint8])
def test_a_mask_within_a_tiff_hides(tmp_path: Path, depth: Any, big: bool) -> None:
    pixels = RNG.integers(0, 256, (*HOLE.shape, 3), np.uint8)
    seen = ~HOLE if depth is bool else (~HOLE).astype(np.uint8) * 255
    small, small_seen = pixels[::2, ::2], seen[::2, ::2]
    path = write_pages(
        tmp_path / "m.tif", [(pixels, 0), (small, 1), (seen, 5), (small_seen, 5)], big=big
    )
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[2].tags[254].overwrite(4)
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    expect_hidden(image, HOLE)
    assert image.n_pages == 1
    assert image.notes == ()
    with pytest.raises(FileError, match="page 1 is not there: it has 1"):
        read_image(path, page=1)


def test_each_page_has_its_own_mask_and_overviews(tmp_path: Path) -> None:
    a, b = (RNG.integers(0, 256, HOLE.shape, np.uint8) for _ in range(2))
    seen = (~HOLE).astype(np.uint8)
    path = write_pages(tmp_path / "m.tif", [(a, 0), (a[::2, ::2], 1), (b, 0), (seen, 5)])
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[3].tags[254].overwrite(4)
    first, second = read_image(path), read_image(path, page=1)
    assert first.n_pages == second.n_pages == 2
    np.testing.assert_array_equal(first.pixels, a)
    np.testing.assert_array_equal(second.pixels, b)
    expect_hidden(first, HOLE & False)
    expect_hidden(second, HOLE)


def test_a_file_of_overviews_alone_is_read(tmp_path: Path) -> None:
    a = RNG.integers(0, 256, HOLE.shape, np.uint8)
    np.testing.assert_array_equal(read_image(write_pages(tmp_path / "o.tif", [(a, 1)])).pixels, a)


def test_a_mask_turns_with_its_page(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, HOLE.shape, np.uint8)
    pixels[HOLE] = 7
    path = tagged(tmp_path / "t.tif", pixels, nodata_tag("7"), (274, "H", 1, 6, True))
    image = read_image(path)
    expect_hidden(image, image.pixels == 7)
    assert image.shape == (30, 20)


# Mask files.


def test_a_mask_file_hides_what_is_black_or_transparent(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i.png", RNG.integers(0, 256, (*HOLE.shape, 3), np.uint8))
    gray = np.where(HOLE, 0, 200).astype(np.uint8)
    expect_hidden(read_image(image, mask=write_image(tmp_path / "g.png", gray)), HOLE)
    color = np.repeat(gray[..., None], 3, axis=2)
    color[..., 1:] = 0
    expect_hidden(read_image(image, mask=write_image(tmp_path / "c.png", color)), HOLE)
    alpha = np.where(HOLE, 0, 255).astype(np.uint8)
    ghost = write_image(tmp_path / "a.png", np.full_like(color, 9), alpha=alpha)
    expect_hidden(read_image(image, mask=ghost), HOLE)


def test_a_mask_file_must_fit(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i.png", np.zeros((4, 6), np.uint8))
    mask = write_image(tmp_path / "m.png", np.zeros((6, 4), np.uint8))
    with pytest.raises(FileError, match=r"m\.png as a mask of .*i\.png: .* 4 x 6 .* 6 x 4"):
        read_image(image, mask=mask)


# Value ranges.


def camera(top: int = 4095) -> NDArray[np.uint16]:
    values = np.full((40, 60), 400, np.uint16)
    values[:, 30:] = top // 2
    return values


def test_the_largest_sample_that_a_tiff_names_is_white(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.tif", camera(), (281, "H", 1, 4095, True))
    image = read_image(path)
    assert image.value_range == (0, 4095)
    assert segment.mean_shift(image).n_regions == 2
    np.testing.assert_array_equal(
        segment.mean_shift(image).labels, segment.mean_shift(camera() * 16).labels
    )


@pytest.mark.parametrize(
    ("values", "tags", "expected"),
    [
        (camera() + 3000, [(281, "H", 1, 4095, True)], None),  # a pixel contradicts
        (camera(), [(281, "H", 1, 65535, True)], None),
        (camera(), [], None),
        ((camera() / 16).astype(np.uint8), [(281, "H", 1, 200, True)], None),
        (camera().astype("f4"), [(340, "f", 1, 0.0, True), (341, "f", 1, 4095.0, True)], (0, 4095)),
        (camera().astype("i2") - 900, [(340, "h", 1, -1000, True), (341, "h", 1, 3000, True)],
         (-1000, 3000)),
        (np.stack([camera()] * 3, -1), [(281, "H", 3, (1023, 4095, 2047), True)], (0, 4095)),
    ],
)  # fmt: skip
def test_tags_of_extreme_samples(tmp_path: Path, values: Any, tags: Any, expected: Any) -> None:
    color = "rgb" if values.ndim == 3 else "minisblack"
    image = read_image(tagged(tmp_path / "a.tif", values, *tags, photometric=color))
    assert image.value_range == expected


def test_nodata_does_not_contradict_the_tags(tmp_path: Path) -> None:
    values = camera().astype("i2")
    values[:5] = -9999
    tags = [(340, "h", 1, 0, True), (341, "h", 1, 4095, True), nodata_tag("-9999")]
    assert read_image(tagged(tmp_path / "a.tif", values, *tags)).value_range == (0, 4095)


def test_significant_bits_of_a_png(tmp_path: Path) -> None:
    def with_bits(values: NDArray[np.uint16], bits: int) -> Image:
        data = write_image(tmp_path / "a.png", values, overwrite=True).read_bytes()
        chunk = png._chunk(b"sBIT", struct.pack("B", bits))
        (tmp_path / "b.png").write_bytes(data[:33] + chunk + data[33:])
        return read_image(tmp_path / "b.png")

    assert with_bits(camera(), 12).value_range == (0, 4095)
    assert with_bits(camera() * 16, 12).value_range is None  # spread, as the standard has it
    assert with_bits(camera(), 16).value_range is None


@pytest.mark.parametrize("given", [(0, 3000), "auto"])
def test_a_range_given_replaces_what_the_file_says(tmp_path: Path, given: Any) -> None:
    path = tagged(tmp_path / "a.tif", camera(), (281, "H", 1, 4095, True))
    expected = (0, 3000) if given != "auto" else (400, 2047)
    assert read_image(path, value_range=given).value_range == expected


# All the way.


def test_nodata_touches_nothing_on_the_way_to_files(tmp_path: Path) -> None:
    values = (100 + RNG.normal(0, 1, (60, 80))).astype("f4")
    values[:, :40] += 200
    hidden = np.zeros(values.shape, bool)
    hidden[:20, 60:] = hidden[30:33, 10:13] = True
    values[hidden] = -9999
    path = tagged(tmp_path / "a.tif", values, nodata_tag("-9999"))
    product = make(
        path, tmp_path / "a", Recipe(kinds=("labels", "overlay", "regions")), n_threads=1
    )
    with pytest.warns(segment.InputWarning, match="black is taken to be"):
        right = segment.mean_shift(values, mask=~hidden)
    np.testing.assert_array_equal(product.segmentation.labels, right.labels)
    np.testing.assert_array_equal(product.segmentation.colors, right.colors)
    assert ((product.segmentation.labels == 0) == hidden).all()
    assert any("nodata" in note for note in product.facts["notes"])
    assert any("black is taken to be" in note for note in product.facts["notes"])


def test_an_image_with_no_pixel_left_says_so(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.tif", np.full((9, 9), np.nan, "f4"))
    notes = make(path, tmp_path / "a", Recipe(kinds=("labels",)), n_threads=1).facts["notes"]
    assert any("no pixel is left" in note for note in notes)


# Masks beside files and in folders; nodata that is written back; raw files.


def test_a_mask_beside_the_file_counts(tmp_path: Path) -> None:
    """As GDAL writes it where a format has none of its own: its name, followed by .msk."""
    path = write_image(tmp_path / "a.png", RNG.integers(0, 255, (20, 30, 3), np.uint8))
    tifffile.imwrite(tmp_path / "a.png.msk", np.where(HOLE, 0, 255).astype(np.uint8))
    image = read_image(path)
    expect_hidden(image, HOLE)
    assert any("a.png.msk hides 13.3% of it" in note for note in image.notes)
    assert read_image(path, nodata="none").mask is None
    other = write_image(tmp_path / "b.png", (~HOLE[::-1]).astype(np.uint8))
    expect_hidden(read_image(path, mask=other), HOLE[::-1])
    tifffile.imwrite(tmp_path / "a.png.msk", np.zeros((5, 5), np.uint8))
    with pytest.raises(FileError, match=r"a\.png\.msk as a mask of .*5 x 5 pixels"):
        read_image(path)


def test_a_folder_of_masks(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.png", RNG.integers(0, 255, (20, 30, 3), np.uint8))
    masks = tmp_path / "masks"
    masks.mkdir()
    with pytest.raises(FileError, match=r"masks has no masks of .*a\.png; give a\.png"):
        read_image(path, mask=masks)
    write_image(masks / "a.tif", (~HOLE).astype(np.uint8))
    expect_hidden(read_image(path, mask=masks), HOLE)
    write_image(masks / "a.bmp", (~HOLE).astype(np.uint8))
    with pytest.raises(FileError, match=r"has 2 masks .*; keep one, such as .*a\.bmp"):
        read_image(path, mask=masks)
    write_image(masks / "a.png", (~HOLE[::-1]).astype(np.uint8))  # the very name goes first
    expect_hidden(read_image(path, mask=masks), HOLE[::-1])


@pytest.mark.parametrize(
    ("dtype", "text"), [("i2", "-32768"), ("f4", "-9999.0"), ("f4", "nan"), ("u2", "0")]
)
@pytest.mark.filterwarnings("ignore:.*value_range settles")
def test_nodata_is_written_back(dtype: str, text: str, tmp_path: Path) -> None:
    values = RNG.integers(100, 200, HOLE.shape).astype(dtype)
    values[HOLE] = np.dtype(dtype).type(float(text))
    src = tagged(tmp_path / "src.tif", values, nodata_tag(text))
    make(src, tmp_path / "out", Recipe(kinds=("posterized", "filtered")), n_threads=1)
    for kind in ("posterized", "filtered"):
        path = tmp_path / f"out.{kind}.tif"
        expect_hidden(read_image(path), HOLE)
        with tifffile.TiffFile(path) as tif:
            assert float(tif.pages[0].tags[42113].value) == float(text) or text == "nan"
            back = tif.pages[0].asarray()
        np.testing.assert_array_equal(back[HOLE], values[HOLE])


@pytest.mark.filterwarnings("ignore:.*value_range settles")
def test_what_is_no_number_is_none_afterwards(tmp_path: Path) -> None:
    values = RNG.random(HOLE.shape).astype(np.float32)
    values[HOLE] = np.nan
    src = tagged(tmp_path / "src.tif", values)
    make(src, tmp_path / "out", Recipe(kinds=("posterized",)), n_threads=1)
    expect_hidden(read_image(tmp_path / "out.posterized.tif"), HOLE)


@pytest.mark.parametrize("kind", ["dng", "mosaic", "cr2"])
def test_raw_files_are_refused_not_their_thumbnails(kind: str, tmp_path: Path) -> None:
    """What they show to who does not know them is a small picture made for the screen."""
    path, small = tmp_path / "a.dng", np.zeros((8, 8, 3), np.uint8)
    if kind == "dng":
        tagged(path, small, (50706, "B", 4, (1, 4, 0, 0), True))
    elif kind == "mosaic":
        with tifffile.TiffWriter(path) as writer:
            writer.write(small, subifds=1, subfiletype=1)
            writer.write(np.zeros((64, 64), np.uint16), photometric=32803)
    else:
        path.write_bytes(bytes.fromhex("49492a0010000000") + b"CR\2\0" + tiff_tail(small))
    with pytest.raises(FileError, match="camera's raw file; develop it first"):
        read_image(path)


def tiff_tail(pixels: NDArray[np.uint8]) -> bytes:
    """Four bytes, and a directory at offset 16 of one strip."""
    strip = 16 + 2 + 9 * 12 + 4
    tags = [
        (256, 4, 1, pixels.shape[1]), (257, 4, 1, pixels.shape[0]), (258, 3, 1, 8), (259, 3, 1, 1),
        (262, 3, 1, 1), (273, 4, 1, strip), (277, 3, 1, 1), (278, 4, 1, pixels.shape[0]),
        (279, 4, 1, pixels[..., 0].size),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return bytes(4) + struct.pack("<H", 9) + entries + bytes(4) + pixels[..., 0].tobytes()
