"""What a `Segmentation` is beside its labels: equal, shown, saved, its borders measured."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest
from skimage.measure import regionprops_table

import segment
from segment.errors import FileError, InputError


@pytest.fixture
def image() -> np.ndarray:
    values = np.zeros((30, 40, 3), np.uint8)
    values[:, 10:] = 90
    values[20:, 10:] = (200, 60, 30)
    return values


def cut(image: np.ndarray, **options) -> segment.Segmentation:
    return segment.mean_shift(image, spatial_bandwidth=3, **options)


def test_equal_content_is_equal(image: np.ndarray) -> None:
    one, two = cut(image), cut(image.copy())
    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two, one.hierarchy().cut(level=0)}) == 2


@pytest.mark.parametrize("change", ["image", "params", "mask", "level", "type"])
def test_other_content_is_not(image: np.ndarray, change: str) -> None:
    one = cut(image)
    other = {
        "image": lambda: cut(image + np.uint8(1)),
        "params": lambda: cut(image, min_size=3),
        "mask": lambda: cut(image, mask=np.arange(1200).reshape(30, 40) > 0),
        "level": lambda: one.hierarchy().cut(level=0.0),
        "type": lambda: "a segmentation",
    }[change]()
    assert one != other


def test_what_is_hidden_does_not_count() -> None:
    values = np.zeros((9, 9))
    values[:, 5:] = 4
    values[0, 0] = np.nan
    pair = [
        segment.mean_shift(values.copy(), color_space="none", range_bandwidth=1) for _ in range(2)
    ]
    assert pair[0] == pair[1]


def test_the_repr_is_one_line_and_tells_the_level(image: np.ndarray) -> None:
    tree = cut(image).hierarchy()
    assert repr(cut(image)) == "<Segmentation: 40x30, 3 regions>"
    assert repr(tree.cut(level=0.25)).endswith(" regions, level 0.25>")
    assert repr(tree.cut(n_regions=2)).startswith("<Segmentation: 40x30, 2 regions, level 0.")


def test_a_cut_knows_its_level(image: np.ndarray) -> None:
    tree = cut(image).hierarchy()
    for n in (1, 2, 3):
        found = tree.cut(n_regions=n)
        assert found.level is not None
        assert np.array_equal(tree.cut(level=found.level).labels, found.labels)
    assert cut(image).level is None


def test_labels_cannot_be_written_to(image: np.ndarray) -> None:
    found = cut(image)
    with pytest.raises(ValueError, match="read-only"):
        found.labels[0, 0] = 5


def test_adjacency_of_three_rectangles(image: np.ndarray) -> None:
    table = cut(image).adjacency()
    assert table["label-0"].tolist() == [1, 1, 2]
    assert table["label-1"].tolist() == [2, 3, 3]
    assert table["border"].tolist() == [20, 10, 30]
    distances = [90 * 3**0.5, (200**2 + 60**2 + 30**2) ** 0.5, (110**2 + 30**2 + 60**2) ** 0.5]
    assert np.allclose(table["contrast"], distances)


def test_adjacency_pixel_by_pixel() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 9, (12, 15, 2)).astype(float)
    found = segment.mean_shift(
        values, spatial_bandwidth=2, range_bandwidth=3, color_space="none", min_size=2,
        mask=rng.random((12, 15)) < 0.8,
    )  # fmt: skip
    sums: dict[tuple[int, int], list[float]] = {}
    for y in range(12):
        for x in range(15):
            for y2, x2 in ((y + 1, x), (y, x + 1)):
                if y2 < 12 and x2 < 15:
                    a, b = sorted((found.labels[y, x], found.labels[y2, x2]))
                    if 0 < a < b:
                        step = np.linalg.norm(values[y, x] - values[y2, x2])
                        sums.setdefault((a, b), []).append(step)
    table = found.adjacency()
    assert list(zip(table["label-0"], table["label-1"], strict=True)) == sorted(sums)
    assert table["border"].tolist() == [len(sums[pair]) for pair in sorted(sums)]
    assert np.allclose(table["contrast"], [np.mean(sums[pair]) for pair in sorted(sums)])


def test_one_region_touches_nothing() -> None:
    table = segment.mean_shift(np.zeros((5, 5))).adjacency()
    assert [len(column) for column in table.values()] == [0, 0, 0, 0]


@pytest.mark.parametrize("shape", [(30, 40, 3), (30, 40), (3, 30, 40)])
def test_pictures_of_any_layout(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).random(shape)
    found = cut(values, channel_axis=0 if shape[0] == 3 else -1)
    assert found.overlay().shape == found.preview().shape == (30, 40, 3)
    assert found._repr_png_().startswith(b"\x89PNG")


def test_saving_is_what_the_command_does(image: np.ndarray, tmp_path: Path) -> None:
    found = cut(image)
    written = found.save(tmp_path / "a", ["labels", "overlay", "json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.json", "a.labels.png", "a.overlay.png"
    ]  # fmt: skip
    assert np.array_equal(segment.read_image(written["labels"]).pixels, found.labels)
    assert np.array_equal(segment.read_image(written["overlay"]).pixels, found.overlay())
    with pytest.raises(FileError, match="exists"):
        found.save(tmp_path / "a")
    with pytest.raises(InputError, match="tiff' cannot be saved"):
        found.save(tmp_path / "b", ["tiff"])
    with pytest.raises(InputError, match="colour=3 goes with no kind"):
        found.save(tmp_path / "b", colour=3)


def test_what_was_masked_is_saved_transparent(image: np.ndarray, tmp_path: Path) -> None:
    keep = np.ones((30, 40), bool)
    keep[:5] = False
    cut(image, mask=keep).save(tmp_path / "a", ["posterized"])
    assert np.array_equal(segment.read_image(tmp_path / "a.posterized.png").mask, keep)


def test_no_module_shadows_a_public_name(image: np.ndarray) -> None:
    cut(image).hierarchy().contours()
    for name in segment.__all__:
        assert not isinstance(getattr(segment, name), types.ModuleType), name
    assert callable(segment.hierarchy)


def test_further_properties_are_those_of_scikit_image(image: np.ndarray) -> None:
    found = cut(image)
    names = ("eccentricity", "solidity", "moments_hu", "intensity_max")
    expected = regionprops_table(found.labels, image, properties=names)
    table = found.regions(properties=names)
    assert list(table)[: len(found.regions())] == list(found.regions())
    for name, column in expected.items():
        assert np.array_equal(table[name], column)


@pytest.mark.parametrize("name", ["roundness", "coords", "image"])
def test_properties_that_are_no_columns(image: np.ndarray, name: str) -> None:
    with pytest.raises(InputError, match=f"properties='{name}' is"):
        cut(image).regions(properties=[name])
    with pytest.raises(InputError, match="give a list"):
        cut(image).regions(properties=name)


def test_properties_of_no_region() -> None:
    found = segment.mean_shift(np.zeros((4, 4)), mask=np.zeros((4, 4), bool))
    assert [len(c) for c in found.regions(properties=["solidity"]).values()] == [0] * 12
