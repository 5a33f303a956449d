"""What is saved of a segmentation, read back and compared."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

import segment
from segment import exports
from segment.errors import FileError, InputError
from segment.images import Image, read_image, write_image
from tests.pictures import halves


def cut(pixels: np.ndarray, **options) -> segment.Segmentation:
    return segment.mean_shift(pixels, spatial_bandwidth=3, **options)


def test_every_kind_is_written_and_says_where(tmp_path: Path) -> None:
    pixels = halves()
    written = exports.save(
        cut(pixels), Image(pixels), tmp_path / "a", tuple(exports.KINDS), filtered=pixels
    )
    assert tuple(written) == tuple(exports.KINDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in written.values()
    )
    for path in written.values():
        assert path in exports.output_paths(tmp_path / "a", exports.KINDS)


def test_labels_come_back_unchanged(tmp_path: Path) -> None:
    pixels = halves()
    result = cut(pixels)
    written = exports.save(result, Image(pixels), tmp_path / "a", ["labels"])
    assert written["labels"].name == "a.labels.png"
    assert np.array_equal(read_image(written["labels"]).pixels, result.labels)


def test_many_labels_go_into_a_tiff(tmp_path: Path) -> None:
    pixels = halves()
    labels = np.arange(1, 300 * 300 + 1, dtype=np.int32).reshape(300, 300)
    result = cut(pixels)
    object.__setattr__(result, "labels", labels)
    written = exports.save(result, Image(pixels), tmp_path / "a", ["labels"])
    assert written["labels"].name == "a.labels.tif"
    assert np.array_equal(read_image(written["labels"]).pixels, labels)


@pytest.mark.parametrize(
    ("dtype", "shape", "suffix"),
    [
        (np.uint8, (24, 30, 3), ".png"),
        (np.uint8, (24, 30), ".png"),
        (np.uint16, (24, 30, 3), ".png"),
        (np.float32, (24, 30), ".tif"),
        (np.uint16, (24, 30, 5), ".tif"),
    ],
)
def test_posterized_keeps_depth_and_bands(tmp_path: Path, dtype, shape, suffix) -> None:
    pixels = halves(dtype, shape)
    bands = {"color_space": "none", "range_bandwidth": 3000.0} if shape[2:] == (5,) else {}
    result = cut(pixels, **bands)
    written = exports.save(result, Image(pixels), tmp_path / "a", ["posterized"])
    assert written["posterized"].suffix == suffix
    back = read_image(written["posterized"]).pixels
    assert back.dtype == dtype
    assert np.array_equal(back, result.posterized)


def test_transparency_resolution_and_profile_are_kept(tmp_path: Path) -> None:
    pixels = halves()
    alpha = np.full(pixels.shape[:2], 255, np.uint8)
    alpha[:5] = 0
    source = write_image(tmp_path / "in.png", pixels, alpha=alpha, resolution=(300.0, 300.0))
    image = read_image(source)
    result = cut(image.pixels, mask=image.mask)
    written = exports.save(result, image, tmp_path / "a", ["posterized"])
    back = read_image(written["posterized"])
    assert np.array_equal(back.alpha, alpha)
    assert back.resolution == pytest.approx((300, 300), abs=0.1)


def test_boundaries_are_black_and_white(tmp_path: Path) -> None:
    pixels = halves()
    result = cut(pixels)
    written = exports.save(result, Image(pixels), tmp_path / "a", ["boundaries"])
    back = read_image(written["boundaries"]).pixels
    assert np.array_equal(back, np.where(result.boundaries(), 255, 0))
    assert back.any()


def test_the_table_of_regions_can_be_read_back(tmp_path: Path) -> None:
    pixels = halves()
    result = cut(pixels)
    written = exports.save(result, Image(pixels), tmp_path / "a", ["regions"])
    with written["regions"].open(newline="", encoding="ascii") as stream:
        rows = list(csv.DictReader(stream))
    table = result.regions()
    assert len(rows) == result.n_regions == 2
    for name, column in table.items():
        assert [float(row[name]) for row in rows] == pytest.approx(column.tolist(), rel=1e-8)


def test_json_says_how_to_do_it_again(tmp_path: Path) -> None:
    pixels = halves()
    result = cut(pixels, min_size=5)
    written = exports.save(
        result, Image(pixels), tmp_path / "a", ["labels", "json"], record={"input": "odd\udcff\n"}
    )
    facts = json.loads(written["json"].read_text(encoding="ascii"))
    assert facts["n_regions"] == 2
    assert (facts["width"], facts["height"]) == (30, 24)
    assert facts["outputs"] == {"labels": "a.labels.png"}
    assert facts["input"] == "odd\udcff\n"
    again = segment.mean_shift(pixels, **facts["params"])
    assert np.array_equal(again.labels, result.labels)


def test_sheet_shows_the_three_pictures(tmp_path: Path) -> None:
    pixels = halves(np.uint16, (24, 30))
    written = exports.save(cut(pixels), Image(pixels), tmp_path / "a", ["sheet"])
    sheet = read_image(written["sheet"]).pixels
    assert sheet.shape == (24, 3 * 30 + 2 * 8, 3)
    original, flat = sheet[:, :30].astype(int), sheet[:, 38:68].astype(int)
    assert abs(original - flat).mean() < 6  # shown in one scale


def test_existing_files_are_kept_unless_told_otherwise(tmp_path: Path) -> None:
    pixels = halves()
    target = tmp_path / "a.labels.png"
    target.write_bytes(b"precious")
    with pytest.raises(FileError, match=r"a\.labels\.png"):
        exports.save(cut(pixels), Image(pixels), tmp_path / "a", ["labels"])
    assert target.read_bytes() == b"precious"
    exports.save(cut(pixels), Image(pixels), tmp_path / "a", ["labels"], overwrite=True)
    assert read_image(target).pixels.max() == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("overlay", ("overlay",)),
        (" json, labels ,,overlay", ("labels", "overlay", "json")),
    ],
)
def test_kinds_are_parsed(text: str, expected: tuple[str, ...]) -> None:
    assert exports.parse_kinds(text) == expected


@pytest.mark.parametrize("text", ["", ",", "lables", "labels,pdf"])
def test_unknown_kinds_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="choose from labels, posterized"):
        exports.parse_kinds(text)


def test_filtered_must_be_given(tmp_path: Path) -> None:
    pixels = halves()
    with pytest.raises(InputError, match="mean_shift_filter"):
        exports.save(cut(pixels), Image(pixels), tmp_path / "a", ["filtered"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["plain.png", "two.dots.tif", "x" * 251 + ".png", "é" * 125 + ".png", "-"]
)
def test_names_of_outputs_fit_a_file_system(tmp_path: Path, name: str) -> None:
    stem = exports.output_stem(tmp_path, name)
    for path in exports.output_paths(stem, exports.KINDS):
        assert path.parent == tmp_path
        assert len(os.fsencode(path.name)) <= 255
        path.touch()


def test_long_names_stay_different() -> None:
    stems = {exports.output_stem("o", "x" * 250 + end + ".png") for end in "ab"}
    assert len(stems) == 2


def test_a_picture_that_is_half_saved_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a run that goes on would take it for done."""
    pixels = halves()
    found = segment.mean_shift(pixels)

    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("segment.exports.writers.write_overlay", interrupted)
    with pytest.raises(KeyboardInterrupt):
        exports.save(found, Image(pixels), tmp_path / "a", ("labels", "posterized", "overlay"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.labels.png").write_bytes(b"mine")
    with pytest.raises(FileError):
        exports.save(found, Image(pixels), tmp_path / "a", ("labels", "json"))
    assert (tmp_path / "a.labels.png").read_bytes() == b"mine"
