"""The fast engine: its kernels against slow twins, and its promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import segment
from segment.kernels.regions import cells, window, window16
from segment.params import MeanShiftParams
from segment.regions import engines, fields
from segment.regions.checks import check_image
from segment.regions.features import color_range, feature_planes, short_planes
from tests.naive import cells as naive_cells
from tests.pictures import patches

F = np.float32


@pytest.mark.parametrize("bandwidths", [(7.0, 6.5), (5.5, 4.0), (16.0, 8.0), (18.0, 40.0)])
@pytest.mark.parametrize("n_bands", [1, 3])
def test_window_sums16(bandwidths: tuple[float, float], n_bands: int) -> None:
    hs, hr = bandwidths
    scale = window16.window_scale16(hs, hr, 129.1, 50.0)
    assert scale > 0
    rng = np.random.default_rng(1)
    side = 2 * int(hs) + 9
    pad = window.window_reach(window.FLAT, hs) + 1
    inner = np.rint(rng.normal(0, hr / 2, (n_bands, side, side)) * scale).astype(np.int16)
    inner[:, 3, 4] = window16.MISSING
    planes = np.full(
        (n_bands, side + 2 * pad, side + 2 * pad + window16.LANES16), window16.MISSING, np.int16
    )
    planes[:, pad : pad + side, pad : pad + side] = inner
    discs = window16.make_discs(hs, hr, scale, n_bands)
    for y, x in [(0.0, 0.0), (0.25, -0.5), (3.3, -2.7)]:
        row, column = pad + side // 2, pad + side // 2 - 2
        center = planes[:, row, column + 1]
        sums = window16.window_sums16(
            planes, window.band_tuple_of(n_bands), discs, row, column, F(y), F(x),
            np.ascontiguousarray(center),
        )  # fmt: skip
        expected = naive_cells.window_sums16(
            planes, hs, discs.limit, discs.doubled, row, column, float(F(y)), float(F(x)), center
        )
        assert expected[0] > 10
        np.testing.assert_allclose(sums, expected, rtol=1e-6, atol=2e-2)
        np.testing.assert_array_equal(sums[3:], F(expected[3:]))


def test_largest_colors_do_not_overflow() -> None:
    """A window full of pixels that are all as far from the centre as a hit can be."""
    hs, hr = 40.0, 6.0
    scale = window16.window_scale16(hs, hr, 129.1, 50.0)
    discs = window16.make_discs(hs, hr, scale, 1)
    pad = 42
    side = 2 * pad + 1
    planes = np.full((1, side, side + window16.LANES16), int(hr * scale) - 4, np.int16)
    sums = window16.window_sums16(planes, (0,), discs, pad, pad, F(0), F(0), np.zeros(1, np.int16))
    i, j = np.mgrid[-40:41, -40:41]
    n = int((i * i + j * j < hs * hs).sum())
    assert sums[0] == n
    assert sums[3] == n * (int(hr * scale) - 4)


@pytest.mark.parametrize("color_space", ["luv", "lab", "rgb"])
@pytest.mark.parametrize("gray", [False, True])
def test_short_planes_hold_the_features(color_space: str, gray: bool) -> None:
    rng = np.random.default_rng(2)
    corners = np.array(np.meshgrid(*[[0, 255]] * 3)).reshape(3, -1).T[None].astype(np.uint8)
    image = np.concatenate([corners, rng.integers(0, 256, (1, 92, 3)).astype(np.uint8)], axis=1)
    pixels = check_image(image[..., 0] if gray else image, color_space=color_space)
    offsets, spans = color_range(color_space, pixels.values.shape[2])
    scale = window16.window_scale16(7.0, 6.5, max(spans), spans[0])
    short = short_planes(pixels, color_space, scale, pad=2, pad_right=5)
    assert short.shape[2] >= 100 + 2 * 2 + 5
    assert short.shape[2] * 2 % 128 == 64  # an odd number of cache lines
    assert (short[:, :2] == window16.MISSING).all()
    assert (short[:, :, 102:] == window16.MISSING).all()
    found = short[:, 2, 2:102].T.astype(F) / F(scale) + np.array(offsets, F)
    expected = feature_planes(pixels, color_space)[:, 0].T
    np.testing.assert_allclose(found, expected, atol=0.51 / scale)
    # Out of reach of every colour, so that padding is in no window.
    assert short[0, 2, 2:102].min() - window16.MISSING > 6.5 * scale


@pytest.mark.parametrize("bands", [(0, 0, 0), ()])
def test_cluster_tile(bands: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(0, 4, (3, 13, 17)).astype(F)
    features[:, 5, 6:9] = np.inf
    features[:, :4, :4] = np.inf
    for block, radius in [(4, 3.0), (5, 0.1), (1, 3.0), (20, 2.0)]:
        cell_of = np.empty((13, 17), np.int32)
        table = np.empty((6, 13 * 17 + cells.MAX_CELLS), F)
        first = np.empty(-(-13 // block) * -(-17 // block) + 1, np.int32)
        leaders = np.empty((3, cells.MAX_CELLS), F)
        n = cells.cluster_tile(features, bands, block, F(radius**2), cell_of, leaders, table, first)
        expected_of, expected = naive_cells.cluster(features, block, radius, cells.MAX_CELLS)
        assert n == len(expected) == first[-1]
        np.testing.assert_array_equal(cell_of, expected_of)
        np.testing.assert_allclose(table[:, :n].T, expected, atol=1e-4)


def test_largest_first() -> None:
    sizes = np.array([3, 16, 1, 3, 16, 2], F)
    order = np.empty(6, np.int32)
    cells.largest_first(sizes[None], 6, np.empty(17, np.int32), order)
    assert order.tolist() == [1, 4, 0, 3, 5, 2]


@pytest.mark.parametrize("seed", range(4))
def test_shift_tile(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "field_for", fields.Wide)
    rng = np.random.default_rng(seed)
    image = np.kron(rng.normal(0, 10, (3, 4, 2)), np.ones((6, 5, 1)))
    image += rng.normal(0, 1, image.shape)
    mask = rng.random(image.shape[:2]) > 0.05
    params = MeanShiftParams(spatial_bandwidth=5.3, range_bandwidth=4.1, color_space="none")
    pixels = check_image(image, color_space="none", mask=mask)
    found = engines.find_modes(pixels, params, None, 1)
    owner, table = naive_cells.shift_tile(
        feature_planes(pixels, "none").astype(float), 5.3, 4.1, block=3,
        cell_radius=engines.CELL_RADIUS, join=engines.JOIN_RADIUS, claim=engines.CLAIM_RADIUS,
        smooth=engines.SMOOTH_RADIUS,
        space_share=engines.SPACE_SHARE, most=cells.MAX_CELLS, max_iter=params.max_iter,
        tol=params.tol, max_travel=fields.MAX_TRAVEL * 5.3,
    )  # fmt: skip
    np.testing.assert_array_equal(found.owner, owner)
    np.testing.assert_allclose(found.table, table, atol=5e-3)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"spatial_bandwidth": 16.0, "range_bandwidth": 8.0},
        {"spatial_bandwidth": 3.0},
        {"kernel": "epanechnikov", "spatial_bandwidth": 10.0, "range_bandwidth": 10.0},
        {"kernel": "gaussian", "spatial_bandwidth": 2.5, "range_bandwidth": 3.0},
        {"color_space": "lab"},
        {"color_space": "rgb", "range_bandwidth": 20.0},
        {"color_space": "none", "range_bandwidth": 20.0},
    ],
)
def test_agrees_with_the_exact_engine(options: dict[str, Any]) -> None:
    image = patches(70, 90)
    fast = segment.mean_shift(image, engine="fast", **options)
    exact = segment.mean_shift(image, engine="exact", **options)
    both = [s.posterized.astype(float) for s in (fast, exact)]
    assert np.median(np.abs(both[0] - both[1])) <= 2
    near = (np.abs(both[0] - both[1]) < 16).all(axis=-1).mean()
    assert near > 0.93
    assert exact.n_regions / 1.5 < fast.n_regions < exact.n_regions * 1.5


def test_reach_of_the_exact_engine() -> None:
    params = MeanShiftParams(spatial_bandwidth=2.0, engine="exact", max_iter=5)
    assert fields.reach(params) == (15, 1)


def test_tiles_do_not_show() -> None:
    """A picture of one smooth colour is one region, whatever tiles it is cut into."""
    margin, grid = fields.reach(MeanShiftParams(spatial_bandwidth=2.0))
    assert margin > 0
    image = np.full((3 * grid, 2 * grid + 5, 3), 90, np.uint8)
    image += np.random.default_rng(5).integers(0, 3, image.shape).astype(np.uint8)
    assert segment.mean_shift(image, spatial_bandwidth=2.0).n_regions == 1


@pytest.mark.parametrize("n_bands", [2, 5])
def test_masks_weights_and_bands(n_bands: int) -> None:
    rng = np.random.default_rng(6)
    image = np.repeat(patches(40, 50)[..., :1], n_bands, axis=2)
    mask = rng.random((40, 50)) > 0.2
    weights = rng.random((40, 50))
    found = segment.mean_shift(
        image, color_space="none", range_bandwidth=20.0, mask=mask, weights=weights, min_size=3
    )
    assert ((found.labels > 0) == mask).all()
    exact = segment.mean_shift(
        image, color_space="none", range_bandwidth=20.0, mask=mask, weights=weights, min_size=3,
        engine="exact",
    )  # fmt: skip
    gap = np.abs(found.posterized[mask].astype(float) - exact.posterized[mask])
    assert np.median(gap) <= 2
