"""Densities on grids."""

from __future__ import annotations

import math

import numpy as np
import pytest

from segment import InputError, density
from segment.points.densities import log_normaliser
from tests.naive import points as naive


@pytest.mark.parametrize("kernel", ["flat", "epanechnikov", "gaussian"])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_it_is_the_naive_density_and_integrates_to_one(kernel: str, d: int) -> None:
    points = np.random.default_rng(0).normal(size=(60, d))
    nodes = {1: 400, 2: 90, 3: 40}[d]
    found = density(points, 0.9, kernel=kernel, grid=nodes)
    assert found.values.shape == (nodes,) * d
    mesh = np.stack(np.meshgrid(*found.axes, indexing="ij"), axis=-1).reshape(-1, d)
    some = slice(None, None, 97)
    expected = naive.density(points, kernel, 0.9, mesh[some]) * np.exp(
        log_normaliser(kernel, 0.9, d)
    )
    peak = found.values.max()
    np.testing.assert_allclose(found.values.ravel()[some], expected, rtol=1e-3, atol=1e-6 * peak)
    volume = math.prod(axis[1] - axis[0] for axis in found.axes)
    assert found.values.sum() * volume == pytest.approx(1, abs=0.02)


def test_axes_weights_and_bandwidths_of_ones_own() -> None:
    points = np.array([[0.0, 0.0], [4.0, 40.0]])
    axes = (np.array([0.0, 4.0]), np.array([0.0, 40.0, 80.0]))
    found = density(points, [1.0, 10.0], grid=axes, sample_weight=[3, 1])
    assert found.values.shape == (2, 3)
    peak = 1 / (2 * math.pi * 10)
    far = math.exp(-16)
    assert found.values[0, 0] == pytest.approx(peak * (0.75 + 0.25 * far), rel=1e-4)
    assert found.values[1, 1] == pytest.approx(peak * 0.25, rel=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"X": np.zeros((5, 4))}, "a grid serves at most 3"),
        ({"bandwidth": 0}, "above 0"),
        ({"bandwidth": None}, "bandwidth=None"),
        ({"grid": 1}, "grid=1"),
        ({"grid": [[0.0, 1.0]]}, "grid holds 1 axes but X has 2"),
        ({"grid": [[0.0], [np.nan]]}, "finite"),
        ({"kernel": "x"}, "kernel='x'"),
    ],
)
def test_bad_input(call: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        density(**{"X": [[0.0, 0.0], [1.0, 1.0]], "bandwidth": 1.0, **call})
