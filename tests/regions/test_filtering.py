"""The exact filter against its naive twin, and `mean_shift_filter`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from segment.params import KERNELS, MeanShiftParams
from segment.regions.checks import check_image
from segment.regions.engines import find_modes
from tests.naive import regions as naive
from tests.pictures import slanted_edge

F = np.float32


def compare(
    image: NDArray[np.float32],
    *,
    keep: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float32] | None = None,
    **parameters: Any,
) -> NDArray[np.float32]:
    """Find modes with one and three threads and naively; return them, (H, W, 2 + C)."""
    params = MeanShiftParams(color_space="none", engine="exact", **parameters)
    pixels = check_image(image, color_space="none", mask=keep)
    modes = find_modes(pixels, params, weights, 1)
    threaded = find_modes(pixels, params, weights, 3)
    np.testing.assert_array_equal(threaded.owner, modes.owner)
    np.testing.assert_array_equal(threaded.table, modes.table)

    shape = image.shape[:2]
    inside = np.ones(shape, bool) if keep is None else keep
    np.testing.assert_array_equal(modes.owner >= 0, inside)
    expected, margins = naive.exact_modes(
        np.where(inside[..., None], pixels.values, 0).astype(float),
        inside,
        np.ones(shape) if weights is None else weights.astype(float),
        params.kernel, params.spatial_bandwidth, params.range_bandwidth,
        params.tol, params.max_iter,
    )  # fmt: skip
    found = modes.table[np.maximum(modes.owner, 0)] * inside[..., None]
    # A pixel on the edge of a window may fall on either side in float32: leave such climbs out.
    sure = margins > 1e-5
    assert sure.mean() > 0.8
    # Positions are kept to 1/256 of a pixel.
    gap = np.abs(found[sure] - expected[sure])
    assert gap[..., 2:].max() <= 2e-4
    assert gap[..., :2].max() <= 2e-4 + 1 / 512
    return found


@pytest.mark.parametrize("n_bands", [1, 3, 4, 6])
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_and_bands(kernel: str, n_bands: int) -> None:
    image = slanted_edge(np.random.default_rng(n_bands), (10, 12), n_bands)
    compare(image, kernel=kernel, spatial_bandwidth=3.3, range_bandwidth=2.5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_weights_and_masks(kernel: str) -> None:
    rng = np.random.default_rng(1)
    image = slanted_edge(rng, (10, 12), 3)
    weights = rng.random((10, 12), dtype=F)
    weights[2:5, 3:9] = 0
    keep = rng.random((10, 12)) > 0.3
    both = {"kernel": kernel, "spatial_bandwidth": 2.6, "range_bandwidth": 2.5}
    compare(image, weights=weights, **both)
    compare(image, keep=keep, **both)
    compare(image, keep=keep, weights=weights, **both)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 25), (25, 1), (2, 13)])
def test_thin_images(shape: tuple[int, int], kernel: str) -> None:
    image = slanted_edge(np.random.default_rng(2), shape, 2)
    compare(image, kernel=kernel, spatial_bandwidth=4.2, range_bandwidth=2.5)


@pytest.mark.parametrize("hs", [0.3, 1.0, 1.7, 6.0, 50.0])
def test_spatial_bandwidths(hs: float) -> None:
    compare(
        slanted_edge(np.random.default_rng(3), (9, 11), 1), spatial_bandwidth=hs, range_bandwidth=2
    )


@pytest.mark.parametrize("hr", [1e-3, 0.5, 9.0, 1e6])
def test_range_bandwidths(hr: float) -> None:
    compare(
        slanted_edge(np.random.default_rng(4), (9, 11), 3),
        spatial_bandwidth=3.1,
        range_bandwidth=hr,
    )


@pytest.mark.parametrize(
    ("tol", "max_iter"), [(0.1, 1), (0.1, 2), (1e-3, 7), (1e-3, 500), (3, 100)]
)
def test_ends_of_a_climb(tol: float, max_iter: int) -> None:
    image = slanted_edge(np.random.default_rng(5), (9, 11), 2)
    compare(image, spatial_bandwidth=3.1, range_bandwidth=2.5, tol=tol, max_iter=max_iter)


def test_every_mode_is_a_fixed_point() -> None:
    image = slanted_edge(np.random.default_rng(6), (9, 11), 2)
    hs, hr, tol = 3.1, 2.5, 1e-3
    modes = compare(image, spatial_bandwidth=hs, range_bandwidth=hr, tol=tol, max_iter=500)
    keep, weights = np.ones((9, 11), bool), np.ones((9, 11))
    for mode in modes.reshape(-1, 4).astype(float):
        sums, margin = naive.window_sums(image.astype(float), keep, weights, "flat", hs, hr, mode)
        if margin > 1e-5:
            assert np.linalg.norm(sums[1:] / sums[0]) < 2 * tol + 1 / 256  # as kept


def test_masked_pixels_do_not_matter() -> None:
    rng = np.random.default_rng(7)
    image = slanted_edge(rng, (9, 11), 3)
    keep = rng.random((9, 11)) > 0.4
    changed = np.where(keep[..., None], image, rng.normal(0, 99, image.shape).astype(F))
    options: dict[str, Any] = {
        "color_space": "none", "mask": keep, "spatial_bandwidth": 3, "range_bandwidth": 2
    }  # fmt: skip
    first = segment.mean_shift_filter(image, **options)
    second = segment.mean_shift_filter(changed, **options)
    np.testing.assert_array_equal(first[keep], second[keep])
    np.testing.assert_array_equal(first[~keep], image[~keep])
    np.testing.assert_array_equal(second[~keep], changed[~keep])
    changed[~keep] = np.nan
    third = segment.mean_shift_filter(changed, **options)
    np.testing.assert_array_equal(third[keep], first[keep])


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_weights_matter_only_by_their_ratios(engine: str) -> None:
    rng = np.random.default_rng(8)
    image = slanted_edge(rng, (9, 11), 3)
    options: dict[str, Any] = {
        "color_space": "none", "spatial_bandwidth": 3, "range_bandwidth": 2, "engine": engine
    }  # fmt: skip
    plain = segment.mean_shift_filter(image, **options)
    ones = segment.mean_shift_filter(image, weights=np.ones((9, 11), np.uint8), **options)
    # Rounding may send a pixel on a watershed, and its cell, the other way.
    close = np.isclose(ones, plain, atol=1e-4).all(axis=-1)
    assert close.mean() >= (1 if engine == "exact" else 0.95)
    weights = rng.random((9, 11))
    first = segment.mean_shift_filter(image, weights=weights, **options)
    np.testing.assert_allclose(
        segment.mean_shift_filter(image, weights=weights * 4, **options), first, atol=1e-5
    )


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("color_space", ["luv", "lab", "rgb", "none"])
def test_constant_images_stay_as_they_are(color_space: str, dtype: type) -> None:
    high = 1 if np.dtype(dtype).kind in "bf" else np.iinfo(dtype).max
    for value in (0, high):
        image = np.full((5, 7, 3), value, dtype)
        filtered = segment.mean_shift_filter(image, color_space=color_space, spatial_bandwidth=2)
        assert filtered.dtype == image.dtype
        np.testing.assert_allclose(filtered.astype(float), value, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("color_space", ["luv", "lab", "rgb"])
def test_a_tiny_range_bandwidth_gives_the_image_back(color_space: str) -> None:
    rng = np.random.default_rng(9)
    for shape in [(16, 17, 3), (16, 17)]:
        image = rng.integers(0, 256, shape, dtype=np.uint8)
        filtered = segment.mean_shift_filter(image, range_bandwidth=1e-3, color_space=color_space)
        np.testing.assert_array_equal(filtered, image)


def test_a_large_bandwidth_gives_the_mean() -> None:
    image = slanted_edge(np.random.default_rng(10), (8, 9), 3)
    filtered = segment.mean_shift_filter(
        image, color_space="none", spatial_bandwidth=1e6, range_bandwidth=1000
    )
    mean = image.mean(axis=(0, 1))
    np.testing.assert_allclose(filtered, np.broadcast_to(mean, image.shape), atol=1e-4)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [1e-15, 1e15])
def test_extreme_bandwidths(size: float, kernel: str) -> None:
    image = slanted_edge(np.random.default_rng(11), (3, 4), 3)
    options = {"kernel": kernel, "color_space": "none"}
    narrow = segment.mean_shift_filter(
        image, spatial_bandwidth=size, range_bandwidth=1e-15, **options
    )
    np.testing.assert_array_equal(narrow, image)
    wide = segment.mean_shift_filter(image, spatial_bandwidth=size, range_bandwidth=1e15, **options)
    mean = image if size < 1 else np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
    np.testing.assert_allclose(wide, mean, atol=1e-4)


def test_an_edge_stays_sharp() -> None:
    image = np.full((20, 20), 60, np.uint8)
    image[:, 9:] = 200
    np.testing.assert_array_equal(segment.mean_shift_filter(image), image)


def test_all_masked() -> None:
    image = np.full((4, 5, 3), 7, np.uint8)
    filtered = segment.mean_shift_filter(image, mask=np.zeros((4, 5), bool))
    np.testing.assert_array_equal(filtered, image)
