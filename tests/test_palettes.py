"""Palettes of images."""

from __future__ import annotations

import numpy as np
import pytest

import segment
from segment import InputError
from segment.cli.palette import draw


def flag() -> np.ndarray:
    """Return 60% blue, 30% yellow and 10% dark red, with a little noise."""
    image = np.empty((40, 50, 3))
    image[:24] = (20, 60, 200)
    image[24:36] = (240, 220, 40)
    image[36:] = (120, 10, 20)
    noise = np.random.default_rng(0).integers(-3, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("color_space", ["lab", "luv", "rgb"])
def test_the_colours_and_their_shares(color_space: str) -> None:
    width = 20.0 if color_space == "rgb" else 5.0
    colors, shares = segment.palette(flag(), color_space=color_space, bandwidth=width)
    assert colors.dtype == np.uint8
    np.testing.assert_allclose(shares, [0.6, 0.3, 0.1])
    expected = [(20, 60, 200), (240, 220, 40), (120, 10, 20)]
    np.testing.assert_allclose(colors.astype(int), expected, atol=4)


def test_masks_depths_gray_and_the_number_of_colours() -> None:
    image = flag()
    keep = np.ones(image.shape[:2], bool)
    keep[:24] = False
    _, shares = segment.palette(image, mask=keep)
    np.testing.assert_allclose(shares, [0.75, 0.25])
    deep, _ = segment.palette(image.astype(np.uint16) * 257)
    np.testing.assert_allclose(deep // 257, segment.palette(image)[0], atol=1)
    first, share = segment.palette(image, n_colors=1)
    assert first.shape == (1, 3)
    np.testing.assert_allclose(share, [0.6])
    gray, shares = segment.palette(np.repeat(np.uint8([[40], [200]]), 9, axis=1))
    assert sorted(gray.tolist()) == [40, 200]
    np.testing.assert_allclose(shares, [0.5, 0.5])
    planes = segment.palette(np.moveaxis(image, -1, 0), channel_axis=0)
    np.testing.assert_array_equal(planes[0], segment.palette(image)[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"bandwidth": 0}, "bandwidth=0"),
        ({"n_colors": 0}, "n_colors=0"),
        ({"color_space": "hsv"}, "color_space='hsv'"),
        ({"mask": np.zeros((40, 50), bool)}, "mask"),
        ({"image": np.zeros(4)}, "shape"),
    ],
)
def test_bad_input(call: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        segment.palette(**{"image": flag(), **call})


def test_the_strip_shows_every_colour_by_its_share() -> None:
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    strip = draw(colors, np.array([0.7, 0.2999, 0.0001]))
    assert strip.shape == (160, 960, 3)
    columns = [(strip[0] == color).all(axis=1).sum() for color in colors]
    assert sum(columns) == 960
    assert columns[2] >= 8
    assert columns[0] == pytest.approx(0.7 * 960, abs=20)


def test_modes_within_a_bandwidth_are_one_colour() -> None:
    from segment.palettes import _joined

    modes = np.array([[0.0], [1.0], [9.0], [1.9], [10.5]])
    shares = np.array([0.1, 0.3, 0.2, 0.15, 0.25])
    places, parts = _joined(modes, shares, 1.0)
    # 0 and 1.9 join 1; 9 and 10.5 are farther apart than 1.
    np.testing.assert_allclose(places, [[1], [10.5], [9]])
    np.testing.assert_allclose(parts, [0.55, 0.25, 0.2])


def test_colours_of_a_few_pixels_join_the_nearest() -> None:
    from segment.palettes import _joined

    modes = np.array([[0.0], [50.0], [90.0]])
    places, parts = _joined(modes, np.array([0.4995, 0.4998, 0.0007]), 1.0)
    np.testing.assert_allclose(places, [[50], [0]])
    np.testing.assert_allclose(parts, [0.5005, 0.4995])


def test_low_contrast_gets_a_narrower_kernel() -> None:
    """Five grays 8 units of L apart are fewer at bandwidth 5, but not by default."""
    light = np.repeat(np.array([90, 108, 127, 147, 167], np.uint8), 8)
    image = np.repeat(np.tile(light, (40, 1))[..., None], 3, axis=-1)
    wide, _ = segment.palette(image, bandwidth=5)
    assert len(wide) < 5
    colors, shares = segment.palette(image)
    assert sorted(colors[:, 0].tolist()) == pytest.approx([90, 108, 127, 147, 167], abs=1)
    np.testing.assert_allclose(shares, 0.2)


def test_of_very_many_pixels_some_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    from segment import palettes

    colors, shares = segment.palette(flag())
    monkeypatch.setattr(palettes, "MOST_PIXELS", 500)
    fewer, parts = segment.palette(flag())
    np.testing.assert_allclose(fewer.astype(int), colors.astype(int), atol=4)
    np.testing.assert_allclose(parts, shares, atol=0.01)
