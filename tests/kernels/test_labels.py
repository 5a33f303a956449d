"""Modes to regions, against the naive twin; on inputs whose sums are exact in float64."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from segment.params import MeanShiftParams
from segment.regions.engines import Modes
from segment.regions.labelling import label_modes
from tests.naive import regions as naive

HR = 5.0


def compare(
    owner: NDArray[np.int32],
    table: NDArray[np.float32],
    min_size: int,
    connectivity: int,
) -> NDArray[np.int32]:
    """Label with one and three threads and naively; return the labels of the exact engine."""
    _compare(owner, table, min_size, connectivity, "fast", 0.4)
    return _compare(owner, table, min_size, connectivity, "exact", 0.2)


def _compare(
    owner: NDArray[np.int32],
    table: NDArray[np.float32],
    min_size: int,
    connectivity: int,
    engine: str,
    link: float,
) -> NDArray[np.int32]:
    params = MeanShiftParams(
        range_bandwidth=HR, min_size=min_size, connectivity=connectivity, engine=engine
    )
    before = owner.copy(), table.copy()
    labels, modes = label_modes(Modes(owner, table), params, 1)
    threaded = label_modes(Modes(owner, table), params, 3)
    np.testing.assert_array_equal(threaded[0], labels)
    np.testing.assert_array_equal(threaded[1], modes)
    np.testing.assert_array_equal(owner, before[0])
    np.testing.assert_array_equal(table, before[1])

    expected = naive.regions(owner, table.astype(float), HR, min_size, connectivity, link)
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == np.int32
    assert modes.dtype == np.float32
    means = [table[owner[labels == k + 1]].astype(float).mean(axis=0) for k in range(len(modes))]
    np.testing.assert_allclose(modes, np.reshape(means, modes.shape), rtol=1e-6)
    return labels


def eighths(
    rng: np.random.Generator, n: int, spread: float, n_bands: int = 3
) -> NDArray[np.float32]:
    """A table of modes whose coordinates are multiples of an eighth."""
    return (np.round(rng.normal(0, spread, (n, 2 + n_bands)) * 8) / 8).astype(np.float32)


def own(shape: tuple[int, int]) -> NDArray[np.int32]:
    """Every pixel has a mode of its own."""
    return np.arange(shape[0] * shape[1], dtype=np.int32).reshape(shape)


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("min_size", [0, 1, 4, 30])
@pytest.mark.parametrize("spread", [0.3, 0.8, 2, 10])
@pytest.mark.parametrize("n_bands", [1, 3])
def test_noise(n_bands: int, spread: float, min_size: int, connectivity: int) -> None:
    rng = np.random.default_rng(0)
    compare(own((14, 17)), eighths(rng, 14 * 17, spread, n_bands), min_size, connectivity)


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 19), (19, 2)])
def test_thin_images(shape: tuple[int, int], connectivity: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        compare(own(shape), eighths(rng, shape[0] * shape[1], 1), 3, connectivity)


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("masked", [0.1, 0.5, 0.9, 1.0])
def test_masks_and_islands(masked: float, connectivity: int) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        owner = own((12, 15))
        owner[rng.random(owner.shape) < masked] = -1
        labels = compare(owner, eighths(rng, owner.size, 1.5), 4, connectivity)
        np.testing.assert_array_equal(labels == 0, owner < 0)


@pytest.mark.parametrize("connectivity", [1, 2])
def test_shared_modes(connectivity: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 12, (7, 9)).astype(np.int32)
        owner = np.kron(coarse, np.ones((2, 3), np.int32)).astype(np.int32)
        compare(owner, eighths(rng, 12, 2, n_bands=1), 10, connectivity)


def test_more_rows_than_a_band_of_work() -> None:
    rng = np.random.default_rng(0)
    owner = rng.integers(0, 5, (300, 3)).astype(np.int32)
    compare(owner, eighths(rng, 5, 2, n_bands=2), 0, 1)
    compare(owner, eighths(rng, 5, 2, n_bands=2), 6, 2)


def test_a_checkerboard_is_cut_by_edges_and_joined_by_corners() -> None:
    board = (np.indices((8, 8)).sum(axis=0) % 2).astype(np.int32)
    table = np.array([[0, 0, 0], [0, 0, 50]], np.float32)
    assert compare(board, table, 0, 1).max() == 64
    np.testing.assert_array_equal(compare(board, table, 0, 2), board + 1)
    assert compare(board, table, 33, 2).max() == 1


def test_a_ramp_is_one_component_though_its_ends_are_far() -> None:
    steps = np.arange(40, dtype=np.float32)
    table = np.stack([0 * steps, steps, 0.875 * steps, 0 * steps], axis=1)  # 0.2 * HR is 1
    assert compare(own((1, 40)), table, 0, 1).max() == 1
    table[:, 2] = steps  # steps as long as the limit do not link, nor do they fuse in pairs...
    labels = compare(own((1, 40)), table, 0, 1)
    assert labels.max() == 1  # ...but fusion (below half of HR) is transitive as well


def test_a_ramp_in_one_band_is_cut_into_parts_as_long_as_the_bandwidth() -> None:
    steps = np.arange(64, dtype=np.float32)
    table = np.stack([0 * steps, steps, 0.875 * steps], axis=1)
    labels = compare(own((1, 64)), table, 0, 1)
    means = [table[labels[0] == k, 2].mean() for k in range(1, labels.max() + 1)]
    assert (np.diff(means) >= HR).all()
    spreads = [np.ptp(table[labels[0] == k, 2]) for k in range(1, labels.max() + 1)]
    assert max(spreads) < 4 * HR


@pytest.mark.parametrize(("color_space", "link"), [("luv", 3.2 / 20), ("none", 0.4)])
def test_links_are_no_longer_than_people_can_just_tell(color_space: str, link: float) -> None:
    rng = np.random.default_rng(4)
    params = MeanShiftParams(range_bandwidth=20, min_size=3, color_space=color_space)
    owner, table = own((9, 12)), eighths(rng, 9 * 12, 7)
    labels = label_modes(Modes(owner, table), params, 1)[0]
    expected = naive.regions(owner, table.astype(float), 20, 3, 1, link)
    np.testing.assert_array_equal(labels, expected)


def test_small_regions_join_the_nearest_color_and_ties_the_lower_number() -> None:
    table = np.array([[0, 0, 0], [0, 0, 40], [0, 0, 20], [0, 0, 24]], np.float32)
    left, right, middle, nearer_right = range(4)
    row = np.array([[left] * 6 + [middle] * 2 + [right] * 6], np.int32)
    assert compare(row, table, 3, 1)[0].tolist() == [1] * 8 + [2] * 6
    row[row == middle] = nearer_right
    assert compare(row, table, 3, 1)[0].tolist() == [1] * 6 + [2] * 8


def test_labels_follow_raster_order() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        labels = compare(own((15, 15)), eighths(rng, 225, 2), 3, 1)
        first = np.unique(labels, return_index=True)
        assert first[0].tolist() == list(range(1, len(first[0]) + 1))
        assert (np.diff(first[1]) > 0).all()


@pytest.mark.parametrize("min_size", [0, 20])
def test_every_pixel_a_region(min_size: int) -> None:
    side = 40
    table = np.random.default_rng(0).normal(0, 1000, (side * side, 5)).astype(np.float32)
    modes = Modes(own((side, side)), table)
    labels, found = label_modes(modes, MeanShiftParams(min_size=min_size), 1)
    areas = np.bincount(labels.ravel())[1:]
    assert len(areas) == len(found)
    assert areas.min() >= max(min_size, 1)
    assert min_size > 0 or len(found) == side * side
