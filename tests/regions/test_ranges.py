"""Black and white: what the dtype, the values, the caller or the file say of it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

import segment
from segment.regions.checks import check_image
from segment.regions.features import feature_planes
from segment.regions.ranges import band_extremes, extremes, find_range

HALVES = np.full((60, 80), 60)
HALVES[:, 40:] = 190
DEEP = ["u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


def found(values: Any, wanted: Any = None) -> tuple[tuple[float, float], str | None]:
    array = np.asarray(values)[None, :, None]
    return find_range(array, None, wanted, extremes(array, None))


def quiet(image: Any, **options: Any) -> segment.Segmentation:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", segment.InputWarning)
        return segment.mean_shift(image, **options)


@pytest.mark.parametrize("dtype", DEEP)
@pytest.mark.parametrize(("top", "white"), [(190, 255), (760, 1023), (3040, 4095)])
def test_few_bits_in_a_large_dtype_are_found_and_said(dtype: str, top: int, white: int) -> None:
    image = (HALVES * (top / 190)).astype(dtype)
    with pytest.warns(segment.InputWarning, match=f"taken to be {white} .* value_range settles it"):
        assert segment.mean_shift(image).n_regions == 2


@pytest.mark.parametrize("dtype", DEEP)
def test_8_bits_give_the_same_labels_in_any_dtype(dtype: str) -> None:
    image = skimage.data.astronaut()[60:150, 150:260]
    expected = segment.mean_shift(image)
    seen = quiet(image.astype(dtype))
    np.testing.assert_array_equal(seen.labels, expected.labels)
    np.testing.assert_array_equal(seen.posterized, np.asarray(seen.posterized).astype(dtype))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 65535], "u2"), (0, 65535)),
        (np.array([0, 40000], "u2"), (0, 65535)),
        (np.array([0, 20000], "i2"), (0, 32767)),
        (np.array([0, 200], "u1"), (0, 255)),
        (np.array([0, 3], "u1"), (0, 255)),
        (np.array([0, 100], "i1"), (0, 127)),
        (np.array([0, 2**31 - 1], "i4"), (0, 2**31 - 1)),
        (np.array([0, 2**32 - 1], "u4"), (0, 2**32 - 1)),
        (np.array([0, 0], "u2"), (0, 65535)),
        (np.array([0.0, 1.0]), (0, 1)),
        (np.array([0.1, 0.2]), (0, 1)),
        (np.array([False, True]), (0, 1)),
    ],
)
def test_what_a_dtype_says_goes_without_a_word(values: Any, expected: Any) -> None:
    assert found(values) == (expected, None)


def test_what_may_be_14_bits_or_a_dark_picture_is_said_and_not_touched() -> None:
    scale, word = found(np.array([0, 12000], "u2"))
    assert scale == (0, 65535)
    assert word == "the image is uint16 with values up to 12000, dark at its scale"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 65535], "i4"), (0, 65535)),
        (np.array([0, 1000000], "u4"), (0, 2**20 - 1)),
        (np.array([0.0, 17.0, 254.0]), (0, 255)),
        (np.array([0.5, 17.3, 254.9]), (0, 255)),
        (np.array([0.5, 17.3, 3900.1]), (0, 4095)),
        (np.array([-0.02, 0.5, 1.03]), (0, 1)),
        (np.array([-1024, 0, 3071], "i2"), (-1024, 3071)),
        (np.array([271.5, 280.25, 310.25]), (271.5, 310.25)),  # kelvins
        (np.array([-1.0, 0.25, 1.0]), (-1, 1)),
        (np.array([0.5, 3.0, 9.5]), (0.5, 9.5)),
    ],
)
def test_what_the_values_say_is_said(values: Any, expected: Any) -> None:
    (low, high), word = found(values)
    assert (low, high) == pytest.approx(expected, rel=2e-2)
    assert word is not None


def test_rare_values_do_not_stretch_the_range() -> None:
    values = np.linspace(-100, 100, 100_000)
    values[:50] = 1e9
    (low, high), _ = found(values)
    assert low == pytest.approx(-99.8, abs=0.2)
    assert high == pytest.approx(99.9, abs=0.2)


@pytest.mark.parametrize("space", ["luv", "lab", "rgb"])
@pytest.mark.parametrize("dtype", ["u2", "i4", "f8"])
def test_a_range_given_is_taken_without_a_word(dtype: str, space: str) -> None:
    image = skimage.data.astronaut()[:40, :50]
    expected = feature_planes(check_image(image, color_space=space), space)
    moved = (image.astype("i4") * 3 + 400).astype(dtype)
    pixels = check_image(moved, color_space=space, value_range=(400, 400 + 3 * 255))
    np.testing.assert_allclose(feature_planes(pixels, space), expected, atol=2e-3)


def test_values_beyond_the_range_are_black_and_white() -> None:
    image = np.array([[0, 50, 100, 200, 250, 255]], np.uint8)
    planes = feature_planes(check_image(image, color_space="rgb", value_range=(100, 200)), "rgb")
    np.testing.assert_allclose(planes[0, 0], [0, 0, 0, 255, 255, 255])


def test_auto_stretches() -> None:
    image = np.full((40, 60), 100, np.uint8)
    image[:, 30:] = 103
    with_range = segment.mean_shift(image, value_range="auto")
    assert with_range.n_regions == 2
    assert with_range.colors.ravel().tolist() == [100, 103]


@pytest.mark.parametrize(
    "function",
    [
        segment.mean_shift_filter,
        segment.estimate_bandwidths,
        segment.edge_confidence,
        segment.palette,
    ],
)
def test_every_function_takes_a_range(function: Any) -> None:
    image = (skimage.data.astronaut()[60:90, 150:190].astype(np.uint16)) * 16
    full = function(image * 16 + image // 16)
    got = function(image, value_range=(0, 255 * 16))
    if function is segment.mean_shift_filter:
        np.testing.assert_allclose(got / (255 * 16), full / 65535, atol=2e-3)
    elif function is segment.palette:
        np.testing.assert_allclose(got[0] / (255 * 16), full[0] / 65535, atol=2e-3)
    else:
        np.testing.assert_allclose(got, full, rtol=2e-2, atol=1e-3)


def test_the_bands_as_they_are_have_no_black_and_white() -> None:
    image = HALVES.astype("u2")
    assert segment.mean_shift(image, color_space="none").n_regions == 2


# What is hidden.


def split(value: float, dtype: Any = float) -> NDArray[Any]:
    image = np.zeros((40, 60), dtype)
    image[:, 30:] = value
    return image


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g"])
def test_what_is_no_number_gets_label_0(bad: float, dtype: str) -> None:
    image = split(0.5, dtype)
    keep = np.ones(image.shape, bool)
    keep[:5] = False
    expected = segment.mean_shift(image, mask=keep)
    image[:5] = bad
    got = segment.mean_shift(image)
    np.testing.assert_array_equal(got.labels, expected.labels)
    np.testing.assert_array_equal(got.colors, expected.colors)
    assert got.posterized.dtype == image.dtype
    assert (got.posterized[:5] == 0).all()
    tree, wanted = got.hierarchy(), expected.hierarchy()
    np.testing.assert_array_equal(tree.levels, wanted.levels)
    assert segment.estimate_bandwidths(image) == segment.estimate_bandwidths(image, mask=keep)


def test_one_bad_band_hides_a_pixel() -> None:
    image = np.random.default_rng(0).random((20, 20, 3))
    image[3, 4, 1] = np.nan
    assert (segment.mean_shift(image).labels == 0).sum() == 1


def test_an_image_of_nothing_has_no_region() -> None:
    assert segment.mean_shift(np.full((5, 5), np.nan)).n_regions == 0


@pytest.mark.parametrize("bands", [0, 3])
def test_a_masked_array_hides_what_it_masks(bands: int) -> None:
    image = split(90, np.uint8)
    hidden = np.zeros(image.shape, bool)
    hidden[5:15, 5:15] = True
    image[hidden] = 255
    off = hidden
    if bands:
        image = np.stack([image] * bands, axis=-1)
        off = np.zeros(image.shape, bool)
        off[..., 1] = hidden  # one band is enough
    masked = np.ma.array(image, mask=off)
    expected = segment.mean_shift(image, mask=~hidden)
    np.testing.assert_array_equal(segment.mean_shift(masked).labels, expected.labels)
    other = np.ones(hidden.shape, bool)
    other[0] = False
    both = segment.mean_shift(masked, mask=other).labels == 0
    np.testing.assert_array_equal(both, hidden | ~other)


# What is said of a result.


def test_one_region_of_much_to_be_seen_is_said() -> None:
    dark = (HALVES * 20).astype("u2")
    with pytest.warns(segment.InputWarning, match="all is one region.*value_range 'auto'"):
        segment.mean_shift(dark, value_range=(0, 65535))
    with pytest.warns(segment.InputWarning, match="all is one region.*smaller range_bandwidth"):
        segment.mean_shift(split(0.5), color_space="none")
    with pytest.warns(segment.InputWarning, match="all is one region"):
        segment.mean_shift((HALVES // 12).astype("u1"))  # in 8 bits, at the edge of what is seen


@pytest.mark.parametrize("space", ["luv", "none"])
def test_one_region_of_noise_is_nothing_to_say(space: str) -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(100, 2, (60, 60)).astype(np.uint8)
    assert segment.mean_shift(image, color_space=space, range_bandwidth=20).n_regions == 1


def test_bands_of_unlike_units_are_said() -> None:
    rng = np.random.default_rng(2)
    image = np.stack([rng.normal(0, 1000, (40, 40)), rng.normal(0, 0.1, (40, 40))], axis=-1)
    with pytest.warns(segment.InputWarning, match=r"band 0 varies by .* and band 1 by"):
        segment.mean_shift(image, color_space="none", range_bandwidth=800)


def test_a_bandwidth_far_below_the_noise_is_said() -> None:
    image = np.random.default_rng(3).normal(0, 1000, (40, 40))
    with pytest.warns(segment.InputWarning, match=r"range_bandwidth 6.5 is far below the noise"):
        segment.mean_shift(image, color_space="none")


def test_warnings_name_the_line_that_called() -> None:
    with pytest.warns(segment.InputWarning) as caught:
        segment.mean_shift(HALVES)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("dtype", [bool, "f2", "f4", "f8", "g", *DEEP])
@pytest.mark.parametrize("wanted", [None, "auto"])
def test_any_dtype_has_a_range(dtype: Any, wanted: Any) -> None:
    values = np.array([0, 1, 0, 1, 1]).astype(dtype)
    (low, high), _ = found(values, wanted)
    assert low < high
    assert type(low) is type(high) is float


def test_the_largest_half_floats_do_not_overflow() -> None:
    (low, high), _ = found(np.array([-60000, 0, 60000], "f2"))
    assert (low, high) == pytest.approx((-60000, 60000), rel=1e-2)
    assert found(np.array([0, 60000], "f2"))[0] == (0, 65535)


@pytest.mark.parametrize("dtype", ["int16", "uint64", "float32", "float64"])
@pytest.mark.parametrize("masked", [False, True])
def test_extremes_of_bands(dtype: str, masked: bool) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 9999, (13, 17, 4)).astype(dtype)
    if dtype == "uint64":
        values += np.uint64(2**60)
    mask = rng.random((13, 17)) < 0.5 if masked else None
    found = band_extremes(values, mask)
    for k, ends in enumerate(zip(*found, strict=True)):
        assert ends == extremes(values[..., k], mask)
    assert found[0].dtype == dtype
    nothing = band_extremes(values, np.zeros((13, 17), bool))
    assert not np.any(nothing)


def test_auto_of_values_that_are_one_in_double_precision() -> None:
    image = np.full((20, 30), 2**64 - 5, np.uint64)
    image[:, 15:] += np.uint64(1)
    assert segment.mean_shift(image, value_range="auto").n_regions == 1
