"""`segment.hierarchy`: the same regions at any size, with borders to the pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import segment
from segment.errors import InputError
from segment.params import LEAF_BANDWIDTHS, MeanShiftParams
from segment.regions.checks import check_image
from segment.regions.leaves import find_leaves
from segment.regions.pyramid import REFERENCE_PIXELS, reference_shape
from tests.pictures import landscape


def things(height: int, width: int) -> Any:
    """Which of four things each pixel of a picture of any size shows: sky, field, sun, a mast."""
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width])[:, None, None]
    out = np.where(y + 0.1 * x < 0.55, 1, 2)
    out[(y - 0.2) ** 2 + (x - 0.7) ** 2 < 0.01] = 3
    out[(abs(x - 0.2) < 0.012) & (y > 0.1) & (y < 0.8)] = 4
    return out


COLORS = np.array([(0, 0, 0), (120, 160, 220), (90, 130, 60), (250, 240, 180), (60, 30, 30)])


def shown(height: int, width: int, noise: float = 0.0) -> Any:
    image = COLORS[things(height, width)].astype(float)
    image += np.random.default_rng(0).normal(0, noise, image.shape) if noise else 0.0
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def majority(labels: Any, truth: Any) -> Any:
    """Return which thing most of the pixels of each label show; 0 for label 0."""
    counts = np.zeros((int(labels.max()) + 1, 5), int)
    np.add.at(counts, (labels.ravel(), truth.ravel()), 1)
    return counts.argmax(axis=1)


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (321, 481), (322, 481), (500, 700), (3024, 4032), (1, 10**6), (10**6, 2), (642, 962)],
)
def test_reference_shape(shape: tuple[int, int]) -> None:
    height, width = reference_shape(*shape)
    assert 1 <= height <= shape[0]
    assert 1 <= width <= shape[1]
    if shape[0] * shape[1] <= REFERENCE_PIXELS:
        assert (height, width) == shape
    elif min(height, width) > 100:
        assert height * width == pytest.approx(REFERENCE_PIXELS, rel=0.01)
        assert width / height == pytest.approx(shape[1] / shape[0], rel=0.01)


def test_small_pictures_are_looked_at_as_they_are() -> None:
    image = landscape()
    tree = segment.hierarchy(image)
    spatial, color = LEAF_BANDWIDTHS
    leaves = segment.mean_shift(image, spatial_bandwidth=spatial, range_bandwidth=color)
    assert np.array_equal(tree.leaves.labels, leaves.labels)
    assert np.array_equal(tree.leaves.modes, leaves.modes)
    assert tree.leaves.params == leaves.params
    assert np.array_equal(tree.parents, leaves.hierarchy().parents)


@pytest.mark.parametrize("shape", [(400, 600), (640, 960), (700, 1001), (1203, 1799)])
def test_borders_are_true_to_the_pixel_at_any_size(shape: tuple[int, int]) -> None:
    tree, truth = segment.hierarchy(shown(*shape)), things(*shape)
    for cut, wrong in ((tree.leaves, 0.0003), (tree.cut(n_regions=4), 0.002)):
        names = majority(cut.labels, truth)
        assert set(names[1:]) == {1, 2, 3, 4}
        assert (names[cut.labels] != truth).mean() < wrong


def test_borders_do_not_fray_in_noise() -> None:
    truth = things(700, 1001)
    found = segment.hierarchy(shown(700, 1001, noise=12.0)).cut(n_regions=4)
    contact = np.count_nonzero(found.boundaries())
    truly = np.count_nonzero(
        (truth[:-1, :-1] != truth[1:, :-1]) | (truth[:-1, :-1] != truth[:-1, 1:])
    )
    assert contact < 1.15 * truly
    names = majority(found.labels, truth)
    assert sorted(names[1:]) == [1, 2, 3, 4]
    assert (names[found.labels] != truth).mean() < 0.003


@pytest.mark.parametrize("times", [2, 3, 5])
def test_a_picture_blown_up_has_the_same_regions(times: int) -> None:
    image = shown(330, 490, noise=4.0)[:321, :481]
    small = segment.hierarchy(image)
    large = segment.hierarchy(image.repeat(times, 0).repeat(times, 1))
    for level in (0.3, 0.45, 0.6):
        a, b = small.cut(level), large.cut(level)
        inside = b.labels[times // 2 :: times, times // 2 :: times]
        assert abs(a.n_regions - b.n_regions) <= 1
        both = np.histogram2d(a.labels.ravel(), inside.ravel(), (a.n_regions, b.n_regions))[0]
        assert both.max(axis=1).sum() > 0.97 * inside.size


@pytest.fixture(scope="module")
def noisy() -> Any:
    return shown(500, 703, noise=6.0)


@pytest.fixture(scope="module")
def tree(noisy: Any) -> Any:
    return segment.hierarchy(noisy, n_threads=1)


def test_regions_are_connected_numbered_and_large_enough(tree: Any) -> None:
    from skimage.measure import label

    for cut in (tree.leaves, tree.cut(0.2), tree.cut(0.45), tree.cut(n_regions=3)):
        assert label(cut.labels, connectivity=1).max() == cut.n_regions == cut.labels.max()
        assert np.bincount(cut.labels.ravel())[1:].min() >= cut.params.min_size
        assert (np.diff(np.unique(cut.labels, return_index=True)[1]) > 0).all()


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_do_not_matter(noisy: Any, tree: Any, n_threads: int) -> None:
    other = segment.hierarchy(noisy, n_threads=n_threads)
    assert np.array_equal(other.leaves.labels, tree.leaves.labels)
    assert np.array_equal(other.parents, tree.parents)
    assert np.array_equal(other.levels, tree.levels)


@pytest.mark.parametrize("kind", ["uint16", "float32", "fortran", "channels first", "read-only"])
def test_the_same_values_in_any_array(noisy: Any, tree: Any, kind: str) -> None:
    image, axis = noisy.copy(), -1
    if kind == "uint16":
        image = image.astype(np.uint16) * 257
    elif kind == "float32":
        image = image / np.float32(255)
    elif kind == "fortran":
        image = np.asfortranarray(image)
    elif kind == "channels first":
        image, axis = np.ascontiguousarray(np.moveaxis(image, -1, 0)), 0
    image.flags.writeable = kind != "read-only"
    before = image.copy()
    other = segment.hierarchy(image, channel_axis=axis)
    assert np.array_equal(other.leaves.labels, tree.leaves.labels)
    assert np.array_equal(other.parents, tree.parents)
    assert np.array_equal(image, before)


def test_what_is_masked_touches_nothing(noisy: Any) -> None:
    mask = np.ones(noisy.shape[:2], bool)
    mask[100:300, 200:420] = False
    mask[::7, 500:] = False
    mask[400, :] = mask[:, 60] = False  # cuts the picture into parts
    one, two = noisy.copy(), noisy.copy()
    one[~mask] = 255
    two[~mask] = np.random.default_rng(1).integers(0, 255, (np.count_nonzero(~mask), 3))
    a, b = segment.hierarchy(one, mask=mask), segment.hierarchy(two, mask=mask)
    assert np.array_equal(a.leaves.labels, b.leaves.labels)
    assert np.array_equal(a.parents, b.parents)
    assert np.array_equal(a.leaves.labels == 0, ~mask)
    from skimage.measure import label

    parts = label(mask, connectivity=1).max()
    for cut in (a.leaves, a.cut(0.5), a.cut(1.0)):
        assert label(cut.labels, connectivity=1).max() == cut.n_regions
    assert a.cut(n_regions=1).n_regions == parts


def test_all_masked() -> None:
    tree = segment.hierarchy(np.zeros((500, 500), np.uint8), mask=np.zeros((500, 500), bool))
    assert tree.cut(0.5).n_regions == 0


def test_gray_and_bands() -> None:
    truth = things(500, 703)
    gray = shown(500, 703, noise=2.0)[..., 0]
    tree = segment.hierarchy(gray)
    assert sorted(majority(tree.cut(n_regions=4).labels, truth)[1:]) == [1, 2, 3, 4]
    deep = segment.hierarchy(gray.astype(np.uint16) * 257)
    assert np.array_equal(deep.cut(0.45).labels, tree.cut(0.45).labels)
    image = shown(500, 703, noise=3.0).astype(np.float64)
    bands = np.concatenate([image, image[..., :2]], axis=2)
    tree = segment.hierarchy(bands, color_space="none")
    offset = segment.hierarchy(bands + 2.0**20, color_space="none")
    assert np.array_equal(tree.cut(0.45).labels, offset.cut(0.45).labels)
    assert sorted(majority(tree.cut(n_regions=4).labels, truth)[1:]) == [1, 2, 3, 4]


def test_leaves_that_somebody_chose_merge_at_the_reference_size_too(noisy: Any, tree: Any) -> None:
    chosen = segment.mean_shift(noisy, spatial_bandwidth=8, range_bandwidth=6, min_size=60)
    found = chosen.hierarchy().cut(n_regions=4).labels
    other = tree.cut(n_regions=4).labels
    both = np.histogram2d(found.ravel(), other.ravel(), 4)[0]
    assert both.max(axis=1).sum() > 0.99 * found.size


@pytest.mark.parametrize(("min_size", "least"), [(3, 3), (20, 20), (4000, 4000)])
def test_smallest_leaves(noisy: Any, min_size: int, least: int) -> None:
    params = MeanShiftParams(spatial_bandwidth=5.0, range_bandwidth=4.0, min_size=min_size)
    leaves = find_leaves(check_image(noisy, color_space="luv"), params).segmentation
    areas = np.bincount(leaves.labels.ravel())[1:]
    assert areas.min() >= least
    assert leaves.params.min_size == min_size


def wired(height: int, width: int) -> tuple[Any, Any]:
    """A sky with two slanting wires two pixels thick, a dot, and grain; and which is which."""
    y, x = np.mgrid[:height, :width].astype(float)
    truth = np.ones((height, width), int)
    truth[abs(y - 0.3 * height - 0.21 * x) < 1.1] = 2
    truth[abs(y - 0.9 * height + 0.4 * x) < 1.1] = 3
    truth[(y - 0.15 * height) ** 2 + (x - 0.8 * width) ** 2 < 5**2] = 4
    sky = np.stack([110 + 60 * y / height, 150 + 40 * y / height, 220 + 0 * y], axis=2)
    image = np.where((truth > 1)[..., None], 40, sky)
    image += np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8), truth


@pytest.mark.parametrize("shape", [(900, 1300), (1700, 2500)])
def test_thin_and_small_things_are_leaves(shape: tuple[int, int]) -> None:
    from scipy.ndimage import binary_dilation

    image, truth = wired(*shape)
    tree = segment.hierarchy(image)
    near = binary_dilation(truth > 1, iterations=4)
    for cut in (tree.leaves, tree.cut(n_regions=5000), tree.cut(0.03)):
        areas = np.bincount(cut.labels.ravel())
        small = (areas < 0.01 * truth.size)[cut.labels]
        for thing in (2, 3, 4):
            assert small[truth == thing].mean() > 0.9
        assert near[small].mean() > 0.95
    assert tree.cut(0.45).n_regions < 8  # what people see is a sky


def test_noise_has_no_details() -> None:
    image = np.random.default_rng(0).normal(128, 10, (800, 1200)).clip(0, 255).astype(np.uint8)
    leaves = find_leaves(
        check_image(image, color_space="luv"),
        MeanShiftParams(spatial_bandwidth=5.0, range_bandwidth=4.0),
    )
    assert leaves.tones is not None
    assert np.isfinite(leaves.tones).all(axis=1).sum() < 3


def test_as_many_leaves_as_are_wanted() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    image = tiles.repeat(8, axis=0).repeat(8, axis=1)
    few, many = segment.hierarchy(image), segment.hierarchy(image, n_leaves=8_000)
    assert few.n_leaves < 8_000 < many.n_leaves
    assert many.cut(n_regions=8_000).n_regions == 8_000
    again = segment.hierarchy(image, n_leaves=100)
    assert again == few
    assert hash(again) == hash(few)
    assert few != many
    with pytest.raises(InputError, match="n_leaves=0"):
        segment.hierarchy(image, n_leaves=0)
