"""Bands in their own units climb in 16 bits where they fit, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segment
from segment.params import MeanShiftParams
from segment.regions import engines, fields
from segment.regions.checks import check_image
from segment.regions.climbing import climb_window
from segment.regions.engines import find_modes
from segment.regions.fields import Short, Shortened, Wide, reach

IMAGES = Path(__file__).parents[2] / "images"

PARAMS = MeanShiftParams(spatial_bandwidth=4.5, range_bandwidth=800.0, color_space="none")


@pytest.fixture(scope="module")
def bands() -> Any:
    """A photograph as five bands of 16 bits, and a pixel that is far beyond all others."""
    pixels = np.asarray(segment.read_image(IMAGES / "chelsea.png").pixels)[:300, :330]
    five = np.dstack([pixels, pixels[..., 0] // 2 + 40, pixels[..., 1:2]])
    values = five.astype(np.uint16) * 40
    values[20, 30] = 65_535
    return values


def test_shorts_are_taken_where_values_fit(bands: Any) -> None:
    field = fields.field_for(check_image(bands, color_space="none"), PARAMS, None, 1)
    assert isinstance(field, Shortened)
    assert isinstance(field.around(0, 0, 100, 100), Short)
    narrow = replace(PARAMS, range_bandwidth=300.0)
    field = fields.field_for(check_image(bands, color_space="none"), narrow, None, 1)
    assert isinstance(field, Shortened)
    margin = reach(narrow)[0]
    assert isinstance(field.around(0, 0, 100, 100), Wide)  # 65,535 is beyond 90 bandwidths
    assert isinstance(field.around(21 + margin, 0, 50, 50), Short)
    assert isinstance(field.around(20 + margin, 0, 50, 50), Wide)


@pytest.mark.parametrize(
    "change",
    [
        {"kernel": "gaussian"},
        {"spatial_bandwidth": 4.0},  # eight lanes of floats hold its rows
        {"spatial_bandwidth": 60.0},  # too large a part
    ],
)
def test_floats_are_taken_elsewhere(change: dict[str, Any], bands: Any) -> None:
    pixels = check_image(bands, color_space="none")
    assert isinstance(fields.field_for(pixels, replace(PARAMS, **change), None, 1), Wide)
    weights = np.ones(bands.shape[:2], np.float32)
    assert isinstance(fields.field_for(pixels, PARAMS, weights, 1), Wide)
    many = check_image(np.dstack([bands, bands]), color_space="none")
    assert isinstance(fields.field_for(many, PARAMS, None, 1), Wide)


@pytest.mark.parametrize("n_bands", [1, 4, 8])
def test_modes_are_as_near_to_the_exact_ones(
    n_bands: int, bands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.dstack([bands, bands[..., :3]])[30:150, 30:170, :n_bands]
    params = replace(PARAMS, range_bandwidth=250.0 * np.sqrt(n_bands), spatial_bandwidth=5.0)
    pixels = check_image(values, color_space="none")
    exact = find_modes(pixels, replace(params, engine="exact"), None, 2).planes()
    short = find_modes(pixels, params, None, 1).planes()
    monkeypatch.setattr(engines, "field_for", Wide)
    wide = find_modes(pixels, params, None, 1).planes()
    assert not np.array_equal(short, wide)
    apart, usual = (np.linalg.norm(each - exact, axis=0) / params.radius for each in (short, wide))
    assert np.median(apart) < 0.1
    assert (apart < 0.46).mean() > (usual < 0.46).mean() - 0.02
    assert (apart < 0.46).mean() > 0.88


def options_of(params: MeanShiftParams) -> dict[str, Any]:
    return {
        "spatial_bandwidth": params.spatial_bandwidth,
        "range_bandwidth": params.range_bandwidth,
        "color_space": "none",
    }


@pytest.mark.parametrize("radius", [300.0, 800.0])
@pytest.mark.parametrize("masked", [False, True])
def test_windows_are_those_of_the_whole(radius: float, masked: bool, bands: Any) -> None:
    params = replace(PARAMS, range_bandwidth=radius)
    mask = np.ones(bands.shape[:2], bool)
    if masked:
        mask[100:190, 60:150] = mask[:, 200] = False
    margin, grid = reach(params)
    assert grid == 2 * fields.tiling(params)[1]
    whole = find_modes(check_image(bands, color_space="none", mask=mask), params, None, 2)
    planes = whole.planes()
    height, width = mask.shape
    for top in range(0, height, grid):
        for left in range(0, width, grid):
            rows, columns = (top, min(top + grid, height)), (left, min(left + grid, width))
            y, x = max(top - margin, 0), max(left - margin, 0)
            around = slice(y, rows[1] + margin), slice(x, columns[1] + margin)
            found = climb_window(
                bands[around], params, (rows[0] - y, rows[1] - y), (columns[0] - x, columns[1] - x),
                mask=mask[around],
            )  # fmt: skip
            expected = planes[:, slice(*rows), slice(*columns)]
            np.testing.assert_array_equal(found.modes.planes(), expected)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "float32", "float64", "int64"])
def test_any_dtype_and_order(dtype: str, bands: Any) -> None:
    values = bands[:150, :160]
    for radius in (300.0, 800.0):
        options = options_of(replace(PARAMS, range_bandwidth=radius))
        expected = segment.mean_shift(values, **options).labels
        other = np.asfortranarray(values.astype(dtype))
        np.testing.assert_array_equal(segment.mean_shift(other, **options).labels, expected)


def test_constant_and_hidden_pictures() -> None:
    flat = np.full((60, 70, 4), 3000, np.uint16)
    options = options_of(PARAMS)
    assert segment.mean_shift(flat, **options).n_regions == 1
    mask = np.zeros(flat.shape[:2], bool)
    assert segment.mean_shift(flat, mask=mask, **options).n_regions == 0
    mask[5, 5] = True
    assert segment.mean_shift(flat, mask=mask, **options).n_regions == 1
