"""`Segmentation.hierarchy` and `Hierarchy`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segment
from segment.errors import FileError, InputError
from segment.regions.cues import codebook_words
from segment.regions.hierarchy import rising
from tests.pictures import landscape

FINE = {"spatial_bandwidth": 2.0, "range_bandwidth": 3.0, "min_size": 4}


@pytest.fixture(scope="module")
def tree() -> Any:
    return segment.mean_shift(landscape(), **FINE).hierarchy()


def test_three_regions_are_the_three_things(tree: Any) -> None:
    labels = tree.cut(n_regions=3).labels
    height, width = labels.shape
    sky, field, disc = labels[2, 2], labels[-2, -2], labels[int(height * 0.7), int(width * 0.4)]
    assert len({sky, field, disc}) == 3
    assert (labels[: height // 2 - 2] == sky).all()
    assert (labels[-3:, -10:] == field).all()


def test_tree_is_a_tree(tree: Any) -> None:
    n = tree.n_leaves
    assert n > 20
    assert len(tree.parents) == len(tree.levels) == 2 * n - 1
    assert tree.parents[-1] == -1
    assert (tree.parents[:-1] > np.arange(2 * n - 2)).all()
    assert np.array_equal(
        np.bincount(tree.parents[:-1], minlength=2 * n - 1)[n:], np.full(n - 1, 2)
    )
    assert (tree.levels[:n] == 0).all()
    assert (np.diff(tree.levels[n - 1 :]) > 0).all()
    assert tree.levels[-1] < 1


def test_cuts_are_nested_and_connected(tree: Any) -> None:
    from skimage.measure import label

    finer = tree.leaves.labels
    assert np.array_equal(tree.cut(level=0).labels, finer)
    for n in (40, 17, 12, 5, 2, 1):
        coarser = tree.cut(n_regions=n)
        assert coarser.n_regions == n == coarser.labels.max()
        assert label(coarser.labels, connectivity=1).max() == n
        owner = np.zeros(finer.max() + 1, int)
        owner[finer] = coarser.labels
        assert np.array_equal(owner[finer], coarser.labels)
        first = np.unique(coarser.labels, return_index=True)[1]
        assert (np.diff(first) > 0).all()  # numbered in raster order
        finer = coarser.labels
    assert tree.cut(level=1).n_regions == 1


def test_a_cut_is_a_full_segmentation(tree: Any) -> None:
    image, cut = landscape(), tree.cut(n_regions=6)
    table = cut.regions()
    for label in range(1, 7):
        inside = cut.labels == label
        assert table["area"][label - 1] == inside.sum()
        assert cut.colors[label - 1] == pytest.approx(image[inside].mean(axis=0))
        weights = np.bincount(tree.leaves.labels[inside], minlength=tree.n_leaves + 1)[1:]
        expected = np.average(tree.leaves.modes, axis=0, weights=weights)
        assert cut.modes[label - 1] == pytest.approx(expected, rel=1e-5)
    assert cut.posterized.dtype == np.uint8
    assert cut.posterized.shape == image.shape
    assert cut.params == tree.leaves.params
    assert cut.hierarchy().cut(n_regions=2).n_regions == 2


@pytest.mark.parametrize("level", [0.0, 0.1, 0.25, 0.4, 0.5, 0.75, 1.0])
def test_contours_are_the_boundaries_of_every_cut(tree: Any, level: float) -> None:
    contours = tree.contours()
    assert contours.dtype == np.float32
    assert np.array_equal(contours > level, tree.cut(level).boundaries())


def test_level_between_two_merges_takes_what_is_at_or_below_it(tree: Any) -> None:
    n = tree.n_leaves
    levels = tree.levels[n:]
    for k in (0, n // 2, n - 2):
        expected = n - (levels <= levels[k]).sum()
        assert tree.cut(level=float(levels[k])).n_regions == expected
        below = np.nextafter(levels[k], np.float32(0))
        assert tree.cut(level=float(below)).n_regions == n - (levels < levels[k]).sum()


@pytest.mark.parametrize("low", [0.0, 0.3, 1.0])
def test_levels_rise_where_heights_do_not(low: float) -> None:
    levels = np.maximum.accumulate(np.maximum(np.linspace(0.2, 0.8, 50), low))
    found = rising(levels)
    assert found.dtype == np.float32
    assert found[0] > 0
    assert found[-1] < 1
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found, levels, atol=1e-5)


def test_the_level_of_a_number_of_regions_gives_that_number() -> None:
    image = np.kron(np.arange(48).reshape(6, 8) % 5 * 50, np.ones((8, 8))).astype(np.uint8)
    for connectivity in (1, 2):
        leaves = segment.mean_shift(image, connectivity=connectivity)
        tree = leaves.hierarchy()
        for n in range(1, tree.n_leaves + 1):
            cut = tree.cut(n_regions=n)
            assert tree.cut(level=cut.level).n_regions == n


def test_n_regions_takes_the_nearest_that_there_is(tree: Any) -> None:
    assert tree.cut(n_regions=10**9).n_regions == tree.n_leaves
    mask = np.ones((48, 60), bool)
    mask[:, 20] = mask[10] = False
    parts = segment.mean_shift(landscape(), mask=mask, **FINE).hierarchy()
    assert parts.cut(n_regions=1).n_regions == 4
    assert (parts.parents == -1).sum() == 4
    assert parts.cut(level=1).n_regions == 4
    assert np.array_equal(parts.cut(level=1).labels == 0, ~mask)
    contours = parts.contours()
    for level in (0.0, 0.3, float(np.nextafter(np.float32(1), np.float32(0)))):
        assert np.array_equal(contours > level, parts.cut(level).boundaries())
    # What never meets is 1, which no level is below: there the lines along the mask stay.
    assert np.array_equal(contours == 1, parts.cut(level=1).boundaries())
    assert (contours[:, 19] == 1).sum() >= 40


@pytest.mark.parametrize("n_threads", [2, 5])
def test_same_tree_on_any_number_of_threads(tree: Any, n_threads: int) -> None:
    other = segment.mean_shift(landscape(), **FINE).hierarchy(n_threads=n_threads)
    assert np.array_equal(other.parents, tree.parents)
    assert np.array_equal(other.levels, tree.levels)


@pytest.mark.parametrize("kind", ["uint16", "float32", "fortran", "channels first"])
def test_same_tree_for_the_same_values(tree: Any, kind: str) -> None:
    image, axis = landscape(), -1
    if kind == "uint16":
        image = image.astype(np.uint16) * 257
    elif kind == "float32":
        image = image / np.float32(255)
    elif kind == "fortran":
        image = np.asfortranarray(image)
    else:
        image, axis = np.moveaxis(image, -1, 0), 0
    other = segment.mean_shift(image, channel_axis=axis, **FINE).hierarchy()
    assert np.array_equal(other.parents, tree.parents)
    assert np.array_equal(other.cut(0.4).labels, tree.cut(0.4).labels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (2, 2), (5, 3), (3, 3, 3)])
def test_tiny_images(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(1).integers(0, 255, shape, np.uint8)
    tree = segment.mean_shift(image, min_size=0, range_bandwidth=0.5).hierarchy()
    assert tree.cut(n_regions=1).n_regions == 1
    assert tree.contours().shape == shape[:2]


@pytest.mark.parametrize("shape", [(1, 30_000), (30_000, 1), (2, 20_000), (200, 300)])
def test_palettes_of_long_and_thin_images_hold_their_colors(shape: tuple[int, int]) -> None:
    levels = np.arange(4, dtype=np.float32) * 20
    plane = levels[np.random.default_rng(0).integers(0, 4, shape)]
    words, _ = codebook_words(plane[None], 4)
    assert len(np.unique(words)) == 4
    assert all(len(np.unique(words[plane == level])) == 1 for level in levels)


@pytest.mark.parametrize("value", [0, 128])
def test_constant_image_is_one_leaf(value: int) -> None:
    tree = segment.mean_shift(np.full((20, 30, 3), value, np.uint8)).hierarchy()
    assert tree.parents.tolist() == [-1]
    for cut in (tree.cut(0), tree.cut(1), tree.cut(n_regions=12)):
        assert cut.n_regions == 1
    assert not tree.contours().any()


def test_fully_masked_image_has_no_regions() -> None:
    mask = np.zeros((6, 7), bool)
    tree = segment.mean_shift(np.zeros((6, 7), np.uint8), mask=mask).hierarchy()
    assert tree.cut(0.5).n_regions == 0
    assert not tree.contours().any()


def test_bands_without_a_color_space_merge_alike_at_any_scale() -> None:
    bands = np.concatenate([landscape(), landscape()[::-1, :, :1]], axis=2).astype(np.float32)
    one = segment.mean_shift(bands, color_space="none", **FINE | {"range_bandwidth": 10.0})
    scaled = bands * np.float32(64)
    two = segment.mean_shift(scaled, color_space="none", **FINE | {"range_bandwidth": 640.0})
    assert np.array_equal(one.labels, two.labels)
    assert np.array_equal(one.hierarchy().cut(0.5).labels, two.hierarchy().cut(0.5).labels)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "neither"),
        ({"level": 0.5, "n_regions": 3}, "both"),
        ({"level": -0.1}, "0..1"),
        ({"level": 1.1}, "0..1"),
        ({"level": float("nan")}, "0..1"),
        ({"level": "0.5"}, "0..1"),
        ({"level": True}, "0..1"),
        ({"n_regions": 0}, "integer >= 1"),
        ({"n_regions": 2.5}, "whole number"),
    ],
)
def test_bad_cuts(tree: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        tree.cut(**given)


@pytest.mark.parametrize("masked", [False, True])
def test_save_and_load(tmp_path: Path, masked: bool) -> None:
    mask = np.ones((48, 60), bool)
    mask[5:9, 30:] = False
    tree = segment.mean_shift(landscape(), mask=mask if masked else None, **FINE).hierarchy()
    path = tmp_path / "tree.npz"
    tree.save(path)
    back = segment.Hierarchy.load(path)
    assert np.array_equal(back.parents, tree.parents)
    assert np.array_equal(back.levels, tree.levels)
    assert back.leaves.params == tree.leaves.params
    for cut, other in (
        (back.cut(0.4), tree.cut(0.4)),
        (back.cut(n_regions=7), tree.cut(n_regions=7)),
    ):
        assert np.array_equal(cut.labels, other.labels)
        assert np.array_equal(cut.modes, other.modes)
        assert np.array_equal(cut.posterized, other.posterized)
    assert np.array_equal(back.contours(), tree.contours())
    with pytest.raises(FileError, match="exists"):
        tree.save(path)
    tree.save(path, overwrite=True)


def test_load_refuses_what_is_no_hierarchy(tmp_path: Path, tree: Any) -> None:
    path = tmp_path / "x.npz"
    with pytest.raises(FileError, match="no such file"):
        segment.Hierarchy.load(path)
    for data in (b"", b"PK\x03\x04 torn", b"plain text"):
        path.write_bytes(data)
        with pytest.raises(FileError, match="no saved hierarchy"):
            segment.Hierarchy.load(path)
    np.savez(path, parents=tree.parents)
    with pytest.raises(FileError, match="no saved hierarchy"):
        segment.Hierarchy.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": lambda a: a * 1000},
        {"labels": lambda a: a[:-1]},
        {"labels": lambda a: a.astype(np.int64)},
        {"parents": lambda a: np.where(a >= 0, a * 2, a)},
        {"parents": lambda a: np.zeros_like(a)},
        {"levels": lambda a: a[:-1]},
        {"modes": lambda a: a[:-1]},
        {"image": lambda a: a[..., 0]},
        {"about": lambda _: np.array("[]")},
        {"about": lambda a: np.array(str(a).replace('"format": 1', '"format": 99'))},
    ],
)
def test_load_refuses_arrays_that_do_not_fit(
    tmp_path: Path, tree: Any, change: dict[str, Any]
) -> None:
    path = tmp_path / "tree.npz"
    tree.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    for key, function in change.items():
        arrays[key] = function(arrays[key])
    np.savez(path, **arrays)
    with pytest.raises(FileError, match=r"no saved hierarchy|format 99"):
        segment.Hierarchy.load(path)
