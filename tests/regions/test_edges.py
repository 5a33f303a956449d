"""`edge_confidence`."""

from __future__ import annotations

import numpy as np
import pytest

import segment
from segment.regions.edges import ORIENTATIONS, edge_confidence


def step(height: int = 30, width: int = 40, low: int = 90, high: int = 130) -> np.ndarray:
    image = np.full((height, width), low, np.uint8)
    image[:, width // 2 :] = high
    return image


def test_a_step_is_an_edge_and_the_rest_is_none() -> None:
    confidence = edge_confidence(step())
    assert confidence.dtype == np.float32
    assert (confidence[:, 19:21] > 0.8).all()
    assert (confidence[:, :16] == 0).all()
    assert (confidence[:, 24:] == 0).all()


def test_confidence_does_not_depend_on_contrast() -> None:
    weak, strong = edge_confidence(step(high=96)), edge_confidence(step(high=250))
    assert weak == pytest.approx(strong, abs=0.02)


@pytest.mark.parametrize("angle", np.arange(8) * np.pi / 8)
def test_every_direction_is_seen_alike(angle: float) -> None:
    y, x = np.mgrid[-20:21, -20:21]
    image = (np.clip(np.cos(angle) * x + np.sin(angle) * y, -1, 1) * 60 + 120).astype(np.uint8)
    confidence = edge_confidence(image)
    assert confidence[20, 20] > 0.9
    assert ORIENTATIONS == 8


def test_an_edge_stands_out_of_noise() -> None:
    image = step(low=90, high=150) + np.random.default_rng(0).normal(0, 8, (30, 40))
    confidence = edge_confidence(np.clip(image, 0, 255).astype(np.uint8))
    assert np.median(confidence[:, 19:21]) > 2.5 * np.median(confidence[:, :16])
    assert (confidence >= 0).all()
    assert (confidence <= 1).all()


def test_colors_count_where_the_lightness_is_the_same() -> None:
    image = np.full((20, 20, 3), (200, 90, 60), np.uint8)
    image[:, 10:] = (60, 130, 200)
    assert (edge_confidence(image)[:, 9:11] > 0.7).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 8), (6, 7), (6, 7, 3)])
def test_constant_images_have_no_edges(shape: tuple[int, ...]) -> None:
    assert not edge_confidence(np.full(shape, 77, np.uint8)).any()


def test_masked_pixels_have_none_and_change_nothing() -> None:
    image, mask = step(), np.ones((30, 40), bool)
    mask[:, 5:9] = False
    image[:, 5:9] = 255
    confidence = edge_confidence(image, mask=mask)
    assert not confidence[~mask].any()
    assert not confidence[:, :16].any()
    assert not edge_confidence(image, mask=np.zeros((30, 40), bool)).any()


def test_bands_without_a_color_space() -> None:
    bands = np.repeat(step()[..., None].astype(np.float64) * 1e4, 5, axis=2)
    confidence = edge_confidence(bands, color_space="none")
    assert (confidence[:, 19:21] > 0.8).all()


def test_weights_from_it_keep_means_off_a_blurred_border() -> None:
    ramp = np.clip((np.arange(40) - 18) * 20, 0, 100) + 80
    image = np.repeat(ramp[None].astype(np.uint8), 20, axis=0)
    options = {"spatial_bandwidth": 6.0, "range_bandwidth": 25.0}
    plain = segment.mean_shift_filter(image, **options)
    weighted = segment.mean_shift_filter(image, weights=1 - edge_confidence(image), **options)

    def error(filtered: np.ndarray) -> float:
        sides = np.where(np.abs(image.astype(int) - 80) < 50, 80, 180)
        return float(np.abs(filtered[:, 14:27].astype(int) - sides[:, 14:27]).mean())

    assert error(weighted) < error(plain)
