"""What may pass for an image: Pillow's, xarray's, masked arrays beside it, and what may not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segment
from segment.regions.arrays import nodata_of


def halves() -> Any:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 180
    return image


class Attributed:
    """An array that has attributes, as one of xarray's."""

    def __init__(self, values: Any, **attrs: Any) -> None:
        self.values, self.attrs = values, attrs

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.values, dtype)


@pytest.mark.parametrize("mode", ["P", "CMYK", "YCbCr", "HSV", "LAB"])
def test_pillow_modes_whose_numbers_are_no_colours_are_refused(mode: str) -> None:
    picture = Image.fromarray(halves()).convert("RGB")
    other = Image.new("LAB", picture.size) if mode == "LAB" else picture.convert(mode)
    with pytest.raises(segment.InputError, match=rf"mode '{mode}'.*convert\('RGB'\)"):
        segment.mean_shift(other)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "I", "F"])
def test_other_pillow_modes_are_arrays(mode: str) -> None:
    dark = Image.fromarray(halves() // 180 * 255).convert(mode)
    found = segment.mean_shift(dark, value_range=None if mode == "1" else (0, 255))
    assert found.n_regions == 2


@pytest.mark.parametrize("bad", [[[1, 2], [3]], SimpleNamespace(), {"a": 1}, None])
def test_what_is_no_array_is_refused_in_one_line(bad: Any) -> None:
    with pytest.raises(segment.InputError) as caught:
        segment.mean_shift(bad)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["_FillValue", "missing_value", "nodata"])
def test_nodata_in_attributes_is_hidden(key: str) -> None:
    values = halves()[..., 0].astype(np.int16)
    values[:, :10] = -9999
    options: dict[str, Any] = {"color_space": "none", "range_bandwidth": 20}
    found = segment.mean_shift(Attributed(values, **{key: np.int16(-9999)}), **options)
    expected = segment.mean_shift(values, mask=values != -9999, **options)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.n_regions == 2


def test_attributes_that_name_no_number_are_no_nodata() -> None:
    assert nodata_of(Attributed(halves(), nodata="none")) is None
    assert nodata_of(Attributed(halves(), nodata=True)) is None
    assert nodata_of(SimpleNamespace(attrs=3)) is None
    assert nodata_of(Attributed(halves(), nodata=np.float32(7))) == 7


def test_what_masks_of_masks_and_weights_hide_is_left_out() -> None:
    image, left = halves(), np.zeros((40, 60), bool)
    left[:, :30] = True
    mask = np.ma.array(np.ones((40, 60), bool), mask=~left)
    np.testing.assert_array_equal(
        segment.mean_shift(image, mask=mask).labels, segment.mean_shift(image, mask=left).labels
    )
    weights = np.ma.array(np.ones((40, 60)), mask=left)
    np.testing.assert_array_equal(
        segment.mean_shift_filter(image, weights=weights),
        segment.mean_shift_filter(image, weights=np.where(left, 0.0, 1.0)),
    )


def test_one_number_in_an_array_is_a_number() -> None:
    found = segment.mean_shift(halves(), range_bandwidth=np.array(6.5))
    assert found.params.range_bandwidth == 6.5


@pytest.mark.parametrize("name", ["min_size", "max_iter"])
def test_numbers_beyond_64_bits_are_refused(name: str) -> None:
    with pytest.raises(segment.InputError, match=f"{name}=1000000.*too large"):
        segment.mean_shift(halves(), **{name: 10**30})
