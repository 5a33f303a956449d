"""Bandwidths estimated from points."""

from __future__ import annotations

import numpy as np
import pytest

from segment import InputError, estimate_bandwidth


@pytest.mark.parametrize("quantile", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("d", [1, 4])
def test_it_is_scikit_learns_estimate(quantile: float, d: int) -> None:
    from sklearn import cluster

    points = np.random.default_rng(0).normal(size=(700, d))
    expected = cluster.estimate_bandwidth(points, quantile=quantile)
    assert estimate_bandwidth(points, quantile=quantile) == pytest.approx(expected)


def test_many_points_are_sampled_and_the_estimate_stays_close() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(c, 1, (1500, 2)) for c in (0, 5)])
    whole = estimate_bandwidth(points, n_samples=3000)
    assert estimate_bandwidth(points) == pytest.approx(whole, rel=0.03)
    assert estimate_bandwidth(points) == estimate_bandwidth(points)
    assert estimate_bandwidth(points, n_samples=500) == pytest.approx(whole, rel=0.1)
    drawn = estimate_bandwidth(points, n_samples=500, random_state=1)
    assert drawn != estimate_bandwidth(points, n_samples=500, random_state=2)
    assert drawn == estimate_bandwidth(points, n_samples=500, random_state=np.random.default_rng(1))


def test_weights_count_as_repeated_points() -> None:
    rng = np.random.default_rng(0)
    points, weights = rng.normal(size=(80, 2)), rng.integers(0, 4, 80)
    repeated = estimate_bandwidth(points.repeat(weights, axis=0))
    assert estimate_bandwidth(points, sample_weight=weights) == pytest.approx(repeated)
    twice = estimate_bandwidth(points, sample_weight=np.full(80, 2))
    assert twice == pytest.approx(estimate_bandwidth(points.repeat(2, axis=0)))


def test_kernels_of_equal_variance() -> None:
    """The variances per axis of the densities that the three kernels climb are the same."""
    points = np.random.default_rng(0).normal(size=(200, 3))
    flat = estimate_bandwidth(points)
    d = 3
    # Flat weights climb the density of 1 - u^2, Epanechnikov weights that of (1 - u^2)^2.
    assert estimate_bandwidth(points, kernel="gaussian") ** 2 == pytest.approx(flat**2 / (d + 4))
    wide = estimate_bandwidth(points, kernel="epanechnikov")
    assert wide**2 / (d + 6) == pytest.approx(flat**2 / (d + 4))


def test_repeated_points_do_not_bring_it_to_zero() -> None:
    points = np.array([[0.0]] * 50 + [[1.0]] * 50 + [[3.0]] * 50)
    # Distinct points 0, 1 and 3; each reaches its nearest other: 1, 1 and 2.
    assert estimate_bandwidth(points) == pytest.approx(4 / 3)
    assert estimate_bandwidth([[0.0], [2.0]]) == pytest.approx(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"X": np.ones((5, 2))}, "all 5 points are equal"),
        ({"X": [[1.0]]}, "no bandwidth follows"),
        ({"quantile": 1.5}, "quantile=1.5"),
        ({"quantile": True}, "quantile=True"),
        ({"n_samples": 0}, "n_samples=0"),
        ({"random_state": "seed"}, "random_state='seed'"),
        ({"kernel": "cubic"}, "kernel='cubic'"),
    ],
)
def test_bad_input(call: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        estimate_bandwidth(**{"X": [[0.0], [1.0], [3.0]], **call})
