"""Equal inputs, equal results: the same picture in another guise has the same regions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from tests.pictures import photograph

GUISES: dict[str, tuple[Any, dict[str, Any]]] = {
    "float32": (lambda v: (v / 255).astype(np.float32), {}),
    "float64": (lambda v: v / 255, {}),
    "uint16": (lambda v: v.astype(np.uint16) * 257, {}),
    "big-endian": (lambda v: v.astype(">u2") * 257, {}),
    "int64 in a range": (lambda v: v.astype(np.int64) - 7, {"value_range": (-7, 248)}),
    "float in a range": (lambda v: v * np.float32(4), {"value_range": (0, 1020)}),
    "weights that are all one": (lambda v: v, {"weights": 2.5}),
    "a mask that hides nothing": (lambda v: v, {"mask": True}),
    "columns first in memory": (np.asfortranarray, {}),
}


def regions(image: Any, engine: str = "fast", **options: Any) -> segment.Segmentation:
    chosen = {name: options.pop(name) for name in ("weights", "mask") if name in options}
    planes = {name: np.full(image.shape[:2], value) for name, value in chosen.items()}
    return segment.mean_shift(image, engine=engine, **planes, **options)


@pytest.mark.parametrize("space", ["luv", "lab", "rgb"])
@pytest.mark.parametrize("guise", GUISES)
def test_other_dtypes_and_layouts(guise: str, space: str) -> None:
    image = photograph(90, 110)
    change, options = GUISES[guise]
    found = regions(change(image), color_space=space, **options)
    np.testing.assert_array_equal(found.labels, regions(image, color_space=space).labels)


@pytest.mark.parametrize("dtype", ["u2", "i2", "i8", "f4", "f8"])
def test_bands_in_their_own_units_in_any_dtype(dtype: str) -> None:
    image, options = photograph(90, 110), {"color_space": "none", "range_bandwidth": 20}
    found = regions(image.astype(dtype), **options)
    np.testing.assert_array_equal(found.labels, regions(image, **options).labels)


@pytest.mark.parametrize("range_bandwidth", [1, 9, 20, 90])
@pytest.mark.parametrize("spatial_bandwidth", [3, 7, 32])
@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_rgb_and_the_same_values_as_they_are(
    dtype: str, spatial_bandwidth: int, range_bandwidth: int
) -> None:
    """Also where a picture is more than one tile, and at its dark and bright ends."""
    image = photograph(150, 170)
    options = {"spatial_bandwidth": spatial_bandwidth, "range_bandwidth": range_bandwidth}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "all is one region|range_bandwidth .* far below")
        for values in (image, image[..., 1]):
            one = regions(values, color_space="rgb", **options)
            other = regions(values.astype(dtype), color_space="none", **options)
            np.testing.assert_array_equal(other.labels, one.labels)
            np.testing.assert_allclose(other.modes, one.modes, atol=1e-4)


@pytest.mark.parametrize("engine", ["fast", "exact"])
@pytest.mark.parametrize("space", ["luv", "lab"])
def test_gray_and_the_same_gray_as_rgb(space: str, engine: str) -> None:
    gray = photograph(90, 110)[..., 1]
    thrice = np.repeat(gray[..., None], 3, axis=2)
    one = regions(gray, engine, color_space=space)
    three = regions(thrice, engine, color_space=space)
    np.testing.assert_array_equal(three.labels, one.labels)
    np.testing.assert_array_equal(three.colors, np.repeat(one.colors, 3, axis=1))
    np.testing.assert_array_equal(three.modes[:, :3], one.modes)
    assert three.modes.shape == (one.n_regions, 5)
    assert not three.modes[:, 3:].any()
    options = {"color_space": space, "engine": engine}
    np.testing.assert_array_equal(
        segment.mean_shift_filter(thrice, **options)[..., 2],
        segment.mean_shift_filter(gray, **options),
    )


def test_gray_as_rgb_where_the_mask_hides_colour() -> None:
    gray = photograph(90, 110)[..., 1]
    thrice: NDArray[np.uint8] = np.repeat(gray[..., None], 3, axis=2)
    keep = np.ones(gray.shape, bool)
    keep[20:50, 30:70] = False
    thrice[~keep, 0] = 9
    one, three = (segment.mean_shift(v, mask=keep) for v in (gray, thrice))
    np.testing.assert_array_equal(three.labels, one.labels)


def test_gray_as_rgb_has_the_same_leaves_in_a_large_picture() -> None:
    gray = np.kron(photograph(120, 130)[..., 1], np.ones((5, 5), np.uint8))
    one, three = (
        segment.hierarchy(v).cut(level=0) for v in (gray, np.repeat(gray[..., None], 3, axis=2))
    )
    np.testing.assert_array_equal(three.labels, one.labels)


def test_gray_in_rgb_is_compared_by_three_bands_that_are_the_same() -> None:
    """There a distance is that of one band times the root of three, which a bandwidth follows."""
    gray = photograph(90, 110)[..., 1]
    thrice = np.repeat(gray[..., None], 3, axis=2)
    options = {"color_space": "rgb", "engine": "exact", "max_iter": 1, "tol": 1e-3}
    one = segment.mean_shift_filter(gray, range_bandwidth=20.5, **options)
    three = segment.mean_shift_filter(thrice, range_bandwidth=20.5 * 3**0.5, **options)
    np.testing.assert_array_equal(three[..., 0], one)


@pytest.mark.parametrize("corner", [(13, 22), (64, 0), (1, 45)])
@pytest.mark.parametrize(
    "options",
    [
        {"engine": "exact", "spatial_bandwidth": 4},
        {"spatial_bandwidth": 4},
        {"spatial_bandwidth": 9, "color_space": "none", "range_bandwidth": 15},
        {"spatial_bandwidth": "auto", "range_bandwidth": "auto", "min_size": "auto"},
    ],
)
def test_a_box_that_a_mask_leaves_and_the_same_box_cropped(
    options: dict[str, Any], corner: tuple[int, int]
) -> None:
    """The grid of the fast engine, sizes and bandwidths are those of the box."""
    image = photograph(100, 90)
    box = slice(corner[0], 97), slice(corner[1], 71)
    keep = np.zeros(image.shape[:2], bool)
    keep[box] = True
    masked = segment.mean_shift(image, mask=keep, **options)
    cropped = segment.mean_shift(image[box], **options)
    np.testing.assert_array_equal(masked.labels[box], cropped.labels)
    np.testing.assert_allclose(masked.modes[:, :2] - corner, cropped.modes[:, :2], atol=1e-4)
    np.testing.assert_array_equal(masked.modes[:, 2:], cropped.modes[:, 2:])
    assert masked.params == cropped.params
    assert masked.n_regions > 5


def test_what_a_mask_leaves_of_a_box_and_the_same_of_the_cropped_box() -> None:
    image, keep = photograph(100, 90), np.zeros((100, 90), bool)
    box = np.s_[13:97, 5:71]
    keep[box] = True
    keep[20:40, 30:50] = False
    masked = segment.mean_shift(image, mask=keep, spatial_bandwidth=4)
    cropped = segment.mean_shift(image[box], mask=keep[box], spatial_bandwidth=4)
    np.testing.assert_array_equal(masked.labels[box], cropped.labels)


@pytest.mark.parametrize("times", [1, 7])
def test_the_tree_of_a_box_that_a_mask_leaves_and_of_the_same_box_cropped(times: int) -> None:
    """Enlarged, it is looked at in fewer pixels, whose grid is that of the box."""
    image = np.kron(photograph(100, 90), np.ones((times, times, 1), np.uint8))
    box = np.s_[13 * times + 1 : 97 * times, 5 * times : 71 * times - 2]
    keep = np.zeros(image.shape[:2], bool)
    keep[box] = True
    masked, cropped = segment.hierarchy(image, mask=keep), segment.hierarchy(image[box])
    np.testing.assert_array_equal(masked.parents, cropped.parents)
    np.testing.assert_array_equal(masked.levels, cropped.levels)
    np.testing.assert_array_equal(masked.leaves.labels[box], cropped.leaves.labels)
    assert not masked.leaves.labels[~keep].any()
    assert masked.n_leaves > 5
    again = segment.mean_shift(image, mask=keep).hierarchy()
    np.testing.assert_array_equal(again.levels, segment.mean_shift(image[box]).hierarchy().levels)
