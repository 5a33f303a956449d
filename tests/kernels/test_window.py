"""The sums over one window, against the naive twin."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from segment.kernels.regions import window
from segment.params import KERNELS
from tests.naive import regions as naive

F = np.float32


def fast_sums(
    features: NDArray[np.float32],
    keep: NDArray[np.bool_],
    weights: NDArray[np.float32] | None,
    kernel: str,
    hs: float,
    hr: float,
    center: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Lay the image out as the kernel wants it and call it; parameters as `naive.window_sums`."""
    kind = KERNELS.index(kernel)
    pad = window.window_reach(kind, hs) + 1
    n_bands = features.shape[2]
    around = ((pad, pad), (pad, pad + window.LANES))
    planes = np.stack(
        [
            np.pad(np.where(keep, features[..., k], np.inf), around, constant_values=np.inf)
            for k in range(n_bands)
        ]
    ).astype(F)
    padded = None if weights is None else np.pad(weights, around)
    row, column = (round(float(value)) for value in center[:2])
    sums = np.full((n_bands + 3, window.LANES), np.nan, F)
    window.window_sums(
        kind, planes, padded, window.band_tuple_of(n_bands), window.window_shape(kind, hs, hr),
        row + pad, column + pad, F(center[0] - F(row)), F(center[1] - F(column)),
        center[2:], sums,
    )  # fmt: skip
    return sums[:, 0].copy()


def agree(
    rng: np.random.Generator,
    shape: tuple[int, int],
    n_bands: int,
    kernel: str,
    hs: float,
    *,
    weighted: bool = False,
    masked: float = 0.0,
) -> None:
    """Compare twenty windows about random centres."""
    hr = 2.0
    features = rng.normal(0, 1.2 / np.sqrt(n_bands), (*shape, n_bands)).astype(F)
    keep = rng.random(shape) >= masked
    weights = rng.random(shape, dtype=F) if weighted else None
    compared = 0
    for _ in range(20):
        center = np.concatenate(
            [rng.random(2) * (np.array(shape) - 1), rng.normal(0, 0.5, n_bands)]
        ).astype(F)
        expected, margin = naive.window_sums(
            features.astype(float), keep, np.ones(shape) if weights is None else weights,
            kernel, hs, hr, center.astype(float),
        )  # fmt: skip
        if margin < 1e-5:  # a pixel on the edge of the window may fall on either side
            continue
        compared += 1
        found = fast_sums(features, keep, weights, kernel, hs, hr, center)
        size = max(expected[0], 1) * max(hs, hr)
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-6 * size)
    assert compared >= 10


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_bands", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("kernel", KERNELS)
def test_bands_and_weights(kernel: str, n_bands: int, weighted: bool) -> None:
    rng = np.random.default_rng(n_bands)
    agree(rng, (11, 23), n_bands, kernel, 3.7, weighted=weighted, masked=0.2)


@pytest.mark.parametrize("hs", [0.4, 1.0, 1.5, 4.0, 7.0, 16.3, 60.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (9, 40)])
@pytest.mark.parametrize("kernel", KERNELS)
def test_bandwidths_and_shapes(kernel: str, shape: tuple[int, int], hs: float) -> None:
    agree(np.random.default_rng(round(hs)), shape, 3, kernel, hs)


@pytest.mark.parametrize("hs", [1, 2, 5, 6.5, 7, 10, 13])
def test_pixels_on_the_circle_are_outside(hs: float) -> None:
    features = np.zeros((31, 31, 1), F)
    found = fast_sums(
        features, np.ones((31, 31), bool), None, "flat", hs, 1.0, np.array([15, 15, 0], F)
    )
    y, x = np.mgrid[-15:16, -15:16]
    np.testing.assert_array_equal(found, [(y**2 + x**2 < hs**2).sum(), 0, 0, 0])


def test_colors_on_the_sphere_are_outside() -> None:
    features = np.array([[[0, 0], [3, 4], [3, 3.5], [-5, 0], [0, 4.75]]], F)
    found = fast_sums(
        features, np.ones((1, 5), bool), None, "flat", 9, 5, np.array([0, 2, 0, 0], F)
    )
    np.testing.assert_array_equal(found, [3, 0, -2 + 0 + 2, 3, 3.5 + 4.75])


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_window_without_pixels_sums_to_zero(kernel: str) -> None:
    features = np.full((5, 5, 3), 100, F)
    keep = np.ones((5, 5), bool)
    found = fast_sums(features, keep, None, kernel, 2, 1, np.array([2, 2, 0, 0, 0], F))
    np.testing.assert_array_equal(found, 0)
    found = fast_sums(features, ~keep, None, kernel, 2, 1, np.array([2, 2, 100, 100, 100], F))
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_pixel_beyond_the_reach_counts(kernel: str) -> None:
    reach = window.window_reach(KERNELS.index(kernel), 2.3)
    y, x = np.mgrid[-9:10, -9:10]
    far = np.maximum(abs(y), abs(x)) > reach
    center = np.array([9, 9, 0], F)
    near_only = fast_sums(np.zeros((19, 19, 1), F), ~far, None, kernel, 2.3, 1, center)
    everything = fast_sums(np.zeros((19, 19, 1), F), far | ~far, None, kernel, 2.3, 1, center)
    np.testing.assert_array_equal(near_only, everything)
    assert near_only[0] > 1
