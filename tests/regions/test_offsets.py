"""Bands in their own units: adding a constant changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import segment
from segment.params import MeanShiftParams
from segment.regions.checks import check_image, find_origin
from segment.regions.climbing import climb_window
from tests.naive import regions as naive
from tests.pictures import landscape

OPTIONS: dict[str, Any] = {"color_space": "none", "spatial_bandwidth": 4.0, "range_bandwidth": 9.0}


def whole_numbers(n_bands: int) -> NDArray[np.int64]:
    values = np.random.default_rng(n_bands).normal(0, 40, (50, 60, n_bands))
    return np.rint(ndimage.gaussian_filter(values, (3, 3, 0)) * 9).astype(np.int64) + 300


@pytest.mark.parametrize("dtype", ["f8", "i8", "u8"])
@pytest.mark.parametrize("offset", [10**5, 10**7, 1_700_000_000, 10**12])
@pytest.mark.parametrize("engine", ["fast", "exact"])
def test_whole_numbers(offset: int, dtype: str, engine: str) -> None:
    image = whole_numbers(2)
    image[..., 0] -= image[..., 0].min()
    options = {**OPTIONS, "engine": engine}
    plain = segment.mean_shift(image, **options)
    assert 5 < plain.n_regions < 500
    lift = np.array([offset, 0])
    moved = (image + lift).astype(dtype)
    found = segment.mean_shift(moved, **options)
    np.testing.assert_array_equal(found.labels, plain.labels)
    np.testing.assert_allclose(found.modes[:, 2:] - lift, plain.modes[:, 2:], atol=1e-3)
    np.testing.assert_allclose(found.colors - lift, plain.colors, atol=1e-3)
    filtered = segment.mean_shift_filter(moved, **options)
    expected = segment.mean_shift_filter(image.astype(dtype), **options)
    difference = filtered.astype(np.float64) - lift - expected
    assert abs(difference).max() <= (1e-3 if dtype == "f8" else 0)


@pytest.mark.parametrize("kind", ["whole", "fractions", "below zero"])
def test_a_photograph(kind: str) -> None:
    """By the fast engine; the exact one climbs in float32, whose last bits know large values."""
    image = landscape().astype(np.float64) + 3
    image = {"whole": image, "fractions": image / 3 + 0.37, "below zero": image - 100}[kind]
    plain = segment.mean_shift(image, color_space="none")
    assert plain.n_regions > 2
    for offset in (1, 100, 1000, 1e5, 1e9):
        found = segment.mean_shift(image + offset, color_space="none")
        np.testing.assert_array_equal(found.labels, plain.labels)


def test_the_largest_integers() -> None:
    image = whole_numbers(1)[..., 0]
    image -= image.min()
    plain = segment.mean_shift(image, **OPTIONS)
    for dtype in ("i8", "u8"):
        end = np.iinfo(dtype).max - int(image.max())
        moved = image.astype(dtype) + np.array(end, dtype)
        np.testing.assert_array_equal(segment.mean_shift(moved, **OPTIONS).labels, plain.labels)
        filtered = segment.mean_shift_filter(moved, **OPTIONS) - np.array(end, dtype)
        np.testing.assert_array_equal(filtered, segment.mean_shift_filter(image, **OPTIONS))
    low = image.astype("i8") + np.iinfo("i8").min
    np.testing.assert_array_equal(segment.mean_shift(low, **OPTIONS).labels, plain.labels)


@pytest.mark.parametrize("n_bands", [1, 3])
def test_hierarchies(n_bands: int) -> None:
    image = whole_numbers(n_bands).astype(np.float64)
    tree = segment.hierarchy(image, color_space="none")
    assert tree.n_leaves > 20
    for lift in (1e6, np.array([1e7, 0, -1e5][:n_bands])):
        moved = segment.hierarchy(image + lift, color_space="none")
        np.testing.assert_array_equal(moved.leaves.labels, tree.leaves.labels)
        np.testing.assert_array_equal(moved.parents, tree.parents)
        np.testing.assert_array_equal(moved.levels, tree.levels)


def test_fractions_and_masks() -> None:
    image = whole_numbers(3) / 1024
    mask = np.random.default_rng(0).random(image.shape[:2]) > 0.2
    options = {**OPTIONS, "range_bandwidth": 9 / 1024}
    lows = np.where(mask[..., None], image, np.inf).min(axis=(0, 1))
    plain = segment.mean_shift(image - lows, mask=mask, **options)
    moved = np.where(mask[..., None], image + 2.0**20, -1e30)
    found = segment.mean_shift(moved, mask=mask, **options)
    np.testing.assert_array_equal(found.labels, plain.labels)
    assert segment.estimate_bandwidths(moved, mask=mask, color_space="none") == (
        segment.estimate_bandwidths(image - lows, mask=mask, color_space="none")
    )
    filtered = segment.mean_shift_filter(moved, mask=mask, **options)
    assert abs(filtered - moved)[mask].max() < 1
    np.testing.assert_array_equal(filtered[~mask], moved[~mask])


def test_the_exact_engine_climbs_as_its_twin_far_from_zero() -> None:
    image = np.random.default_rng(0).normal(1.7e9, 20, (9, 11, 1))
    found = segment.mean_shift_filter(image, **{**OPTIONS, "engine": "exact"})
    low = image.min()
    modes, margins = naive.exact_modes(
        image - low, np.ones((9, 11), bool), np.ones((9, 11)), "flat", 4.0, 9.0, 0.1, 100
    )
    sure = margins > 1e-4
    assert sure.mean() > 0.8
    np.testing.assert_allclose((found - low)[sure], modes[sure][:, 2:], atol=1e-3)


def test_bands_get_an_origin_where_float32_needs_it() -> None:
    ramp = np.linspace(0, 1, 500).reshape(20, 25)
    image = np.stack([ramp, ramp + 1e6, ramp * 1e6, 7 + ramp / 1e4, 0 * ramp + 1e9 + 1], axis=2)
    assert find_origin(image, None) == (0, 1e6, 0, 7.0, 1e9 + 1)
    mask = image[..., 0] > 0.5
    assert find_origin(image[..., [1]], mask) == (image[mask][:, 1].min(),)
    assert find_origin((255 - ramp[..., None]).astype(np.uint8), None) is None
    assert find_origin((100 * ramp[..., None]).astype(np.uint16), None) is None
    assert check_image(image, color_space="none").origin == find_origin(image, None)
    assert check_image(ramp, color_space="luv").origin is None


def test_a_window_counts_from_the_origin_of_the_whole() -> None:
    image = whole_numbers(1).astype(np.float64) + 1e8
    params = MeanShiftParams(**OPTIONS)
    origin = find_origin(image, None)
    assert origin == (image.min(),)
    whole = climb_window(image, params, (0, 50), (0, 60), origin=origin).modes
    part = climb_window(image[:, :], params, (0, 50), (0, 60), origin=origin)
    np.testing.assert_array_equal(part.modes.planes(), whole.planes())
    assert part.pixels.origin == origin
    assert abs(whole.table[:, 2]).max() < 1e4


@pytest.mark.parametrize("engine", ["fast", "exact"])
def test_a_range_bandwidth_a_band_is_that_of_scaled_bands(engine: str) -> None:
    image = whole_numbers(3)
    options = {**OPTIONS, "engine": engine}
    one = segment.mean_shift(image, **options)
    same = segment.mean_shift(image, **{**options, "range_bandwidth": [9, 9.0, 9]})
    np.testing.assert_array_equal(same.labels, one.labels)
    np.testing.assert_array_equal(same.modes, one.modes)
    assert same.params.range_bandwidth == (9.0, 9.0, 9.0)

    scales = np.array([1, 64, 1 / 16])
    stretched = image * scales
    found = segment.mean_shift(stretched, **{**options, "range_bandwidth": tuple(9 * scales)})
    tight = {**options, "range_bandwidth": 9 * 64.0, "tol": options.get("tol", 0.1)}
    expected = segment.mean_shift(image * 64.0, **tight)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_allclose(
        found.modes[:, 2:] / scales, expected.modes[:, 2:] / 64, rtol=1e-6, atol=1e-4
    )
    filtered = segment.mean_shift_filter(
        stretched, **{**options, "range_bandwidth": tuple(9 * scales)}
    )
    np.testing.assert_allclose(
        filtered / scales, segment.mean_shift_filter(image * 64.0, **tight) / 64, rtol=1e-6
    )
    again = segment.mean_shift(stretched, **found.params.as_dict())
    np.testing.assert_array_equal(again.labels, found.labels)


def test_wrong_numbers_of_bandwidths_are_refused() -> None:
    image = whole_numbers(3)
    for value, words in [
        ((3.0, 4.0), "2 numbers and the image 3 bands"),
        ((), "is empty"),
        ((3.0, -1.0, 2.0), "above 0"),
        ((3.0, "auto", 2.0), "type str"),
    ]:
        with pytest.raises(segment.InputError, match=words):
            segment.mean_shift(image, **{**OPTIONS, "range_bandwidth": value})
    with pytest.raises(segment.InputError, match="color_space='none'"):
        segment.mean_shift(image.astype(np.uint8), range_bandwidth=(3.0, 4.0, 5.0))


@pytest.mark.parametrize("bands", [1, 2])
def test_differences_whose_squares_are_beyond_single_precision(bands: int) -> None:
    image = np.zeros((20, 30, bands), np.uint64)
    image[:, 15:] = 2**64 - 1
    found = segment.mean_shift(image, color_space="none", range_bandwidth=1e3, min_size=10)
    assert found.n_regions == 2
    assert (found.labels[:, 15:] == 2).all()
