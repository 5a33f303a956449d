"""The learned cue: the network as OpenCV runs it against ONNX's own slow evaluation of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import segment
from segment.regions import affinities
from segment.regions.appearance import comparable_planes
from segment.regions.checks import check_image
from tests.pictures import landscape


def planes_of(image: Any) -> Any:
    return comparable_planes(check_image(image, color_space="luv"), "luv", 1)


def slow(planes: Any) -> Any:
    """Pad to multiples of 16 from 32 on, evaluate, enlarge, crop."""
    height, width = planes.shape[1:]
    lab = np.zeros((3, height, width))
    lab[: len(planes)] = planes
    seen = (lab - [[[50]], [[0]], [[0]]]) / [[[25]], [[15]], [[15]]]
    below, right = (max(-side % 16, 32 - side) for side in (height, width))
    seen = np.pad(seen, ((0, 0), (0, below), (0, right)), mode="edge")
    model = resources.files("segment.regions").joinpath("affinities.onnx").read_bytes()
    evaluator = ReferenceEvaluator(onnx.load_model_from_string(model))
    (found,) = evaluator.run(None, {"picture": seen[None].astype(np.float32)})
    shape = seen.shape[:0:-1]
    logits = np.stack([cv2.resize(plane, shape) for plane in found[0]])[:, :height, :width]
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


@pytest.mark.parametrize("shape", [(64, 96), (50, 61), (16, 16), (1, 1), (3, 40)])
@pytest.mark.parametrize("gray", [False, True])
def test_against_the_slow_evaluation(shape: tuple[int, int], gray: bool) -> None:
    image = cv2.resize(landscape(), shape[::-1])
    planes = planes_of(image[..., 0] if gray else image)
    found = affinities.parted(planes)
    assert found.shape == (2, *shape)
    assert found.dtype == np.float32
    assert found == pytest.approx(slow(planes), abs=1e-4)


def test_a_clear_border_is_seen_and_a_plane_is_not_parted() -> None:
    image = np.full((160, 240, 3), (200, 210, 220), np.uint8)
    image[:, 120:] = (30, 60, 20)
    found = affinities.parted(planes_of(image))
    border, plane = found[0, 40:-40, 119:121], found[:, 40:-40, 40:60]
    assert border.min() > 3 * plane.max()
    turned = affinities.parted(planes_of(image.transpose(1, 0, 2)))
    assert turned[1, 119:121, 40:-40].min() > 3 * turned[:, 40:60, 40:-40].max()


def test_any_number_of_threads_and_callers() -> None:
    pictures = [planes_of(np.roll(landscape(), 17 * k, axis=1)) for k in range(4)]
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = [affinities.parted(planes) for planes in pictures]
    finally:
        cv2.setNumThreads(before)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(affinities.parted, pictures))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_larger_pictures_are_looked_at_in_their_reference_size() -> None:
    image = landscape()
    small = cv2.resize(image, (480, 320), interpolation=cv2.INTER_AREA)
    large = small.repeat(4, 0).repeat(4, 1)
    found = affinities.parted(planes_of(large))[:, 2::4, 2::4]
    expected = affinities.parted(planes_of(small))
    assert np.abs(found - expected).mean() < 0.02


def test_extreme_values() -> None:
    for value in (-1e4, 0, 1e4):
        found = affinities.parted(np.full((3, 40, 50), value, np.float32))
        assert np.isfinite(found).all()
        assert ((found >= 0) & (found <= 1)).all()


def test_bands_without_a_colour_space_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    bands = np.dstack([landscape(), landscape()[..., :1]])
    monkeypatch.setattr(affinities, "parted", lambda _: pytest.fail("looked at bands"))
    assert segment.hierarchy(bands, color_space="none").n_leaves > 1
