"""`estimate_bandwidths` and the value "auto"."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import segment
from segment.errors import InputError
from tests.pictures import squares


def test_spatial_bandwidth_grows_with_the_side() -> None:
    assert segment.estimate_bandwidths(np.zeros((321, 481)))[0] == 7
    one, two = (segment.estimate_bandwidths(squares(scale)) for scale in (2, 4))
    assert two[0] == pytest.approx(2 * one[0], rel=0.01)
    assert two[1] == pytest.approx(one[1], rel=0.01)


def test_range_bandwidth_follows_contrast() -> None:
    plain = segment.estimate_bandwidths(squares(), color_space="rgb")[1]
    low = segment.estimate_bandwidths(squares(contrast=0.4), color_space="rgb")[1]
    assert low == pytest.approx(0.4 * plain, rel=0.03)


@pytest.mark.parametrize("sigma", [5.0, 15.0])
def test_range_bandwidth_adds_the_noise(sigma: float) -> None:
    plain = segment.estimate_bandwidths(squares(2), color_space="rgb")[1]
    noisy = segment.estimate_bandwidths(squares(2, noise=sigma), color_space="rgb")[1]
    assert noisy == pytest.approx(np.hypot(plain, np.sqrt(3) * sigma), rel=0.1)


@pytest.mark.parametrize("change", [{}, {"noise": 15.0}, {"contrast": 0.4}, {"scale": 2}])
def test_auto_finds_the_squares_whatever_was_done_to_the_picture(change: dict[str, Any]) -> None:
    found = segment.mean_shift(
        squares(**change), spatial_bandwidth="auto", range_bandwidth="auto", min_size=100
    )
    assert found.n_regions == 5


def test_fixed_bandwidths_do_not() -> None:
    assert segment.mean_shift(squares(noise=15.0), min_size=100).n_regions > 5


def test_auto_uses_what_is_estimated() -> None:
    image = squares(noise=4)
    spatial, color = segment.estimate_bandwidths(image, color_space="lab")
    params = segment.mean_shift(
        image, spatial_bandwidth="auto", range_bandwidth="auto", color_space="lab"
    ).params
    assert (params.spatial_bandwidth, params.range_bandwidth) == (spatial, color)
    one = segment.mean_shift(image, range_bandwidth="auto", spatial_bandwidth=3.0).params
    assert one.spatial_bandwidth == 3
    gaussian = segment.mean_shift(
        image, kernel="gaussian", color_space="lab", spatial_bandwidth="auto", range_bandwidth=5.0
    ).params
    assert gaussian.spatial_bandwidth == spatial / 2
    filtered = segment.mean_shift_filter(image, spatial_bandwidth="auto", range_bandwidth="auto")
    spatial, color = segment.estimate_bandwidths(image)
    expected = segment.mean_shift_filter(image, spatial_bandwidth=spatial, range_bandwidth=color)
    assert np.array_equal(filtered, expected)


def test_depth_layout_and_masked_values_do_not_matter() -> None:
    image = squares(noise=6)
    expected = segment.estimate_bandwidths(image)
    assert segment.estimate_bandwidths(image.astype(np.uint16) * 257) == expected
    assert segment.estimate_bandwidths(image / 255) == expected
    assert segment.estimate_bandwidths(np.moveaxis(image, -1, 0), channel_axis=0) == expected
    mask = np.ones(image.shape[:2], bool)
    mask[::3] = False
    other = np.where(mask[..., None], image, 255 - image)
    assert segment.estimate_bandwidths(other, mask=mask) == segment.estimate_bandwidths(
        image, mask=mask
    )


@pytest.mark.parametrize("space", ["luv", "none"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (30, 40, 3)])
def test_constant_and_tiny_images_get_usable_bandwidths(shape: tuple[int, ...], space: str) -> None:
    for pair in (
        segment.estimate_bandwidths(np.full(shape, 7, np.uint8), color_space=space),
        segment.estimate_bandwidths(
            np.zeros(shape), color_space=space, mask=np.zeros(shape[:2], bool)
        ),
    ):
        assert pair[0] >= 1
        assert pair[1] > 0
    found = segment.mean_shift(
        np.full(shape, 7, np.uint8),
        spatial_bandwidth="auto",
        range_bandwidth="auto",
        color_space=space,
    )
    assert found.n_regions == 1


@pytest.mark.parametrize("name", ["spatial_bandwidth", "range_bandwidth"])
def test_other_words_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}='automatic'.*'auto'"):
        segment.mean_shift(squares(), **{name: "automatic"})
    with pytest.raises(InputError, match="color_space"):
        segment.estimate_bandwidths(squares(), color_space="hsv")


@pytest.mark.parametrize(("shape", "size"), [((321, 481), 20), ((642, 962), 80), ((10, 12), 1)])
def test_smallest_region_grows_with_the_image(shape: tuple[int, int], size: int) -> None:
    from segment.params import MeanShiftOptions, MeanShiftParams
    from segment.regions.bandwidths import resolve_bandwidths
    from segment.regions.checks import check_image

    pixels = check_image(np.zeros(shape, np.uint8), color_space="luv")
    assert resolve_bandwidths(MeanShiftOptions(min_size="auto"), pixels).min_size == size
    with pytest.raises(InputError, match="min_size"):
        MeanShiftOptions(min_size="some")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="min_size"):
        MeanShiftParams(min_size="auto")  # type: ignore[arg-type]
