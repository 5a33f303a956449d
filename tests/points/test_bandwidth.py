"""Bandwidths estimated from points."""

from __future__ import annotations

import numpy as np
import pytest

from segment import InputError, MeanShift, estimate_bandwidth


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
    whole = estimate_bandwidth(points, n_samples=3000, quantile=0.3)
    assert estimate_bandwidth(points, quantile=0.3) == pytest.approx(whole, rel=0.03)
    assert estimate_bandwidth(points) == estimate_bandwidth(points)
    some = {"n_samples": 500, "quantile": 0.3}
    assert estimate_bandwidth(points, **some) == pytest.approx(whole, rel=0.1)
    drawn = estimate_bandwidth(points, **some, random_state=1)
    assert drawn != estimate_bandwidth(points, **some, random_state=2)
    assert drawn == estimate_bandwidth(points, **some, random_state=np.random.default_rng(1))


def test_weights_count_as_repeated_points() -> None:
    rng = np.random.default_rng(0)
    points, weights = rng.normal(size=(80, 2)), rng.integers(0, 4, 80)
    repeated = estimate_bandwidth(points.repeat(weights, axis=0), quantile=0.3)
    assert estimate_bandwidth(points, sample_weight=weights, quantile=0.3) == pytest.approx(
        repeated
    )
    twice = estimate_bandwidth(points, sample_weight=np.full(80, 2), quantile=0.3)
    assert twice == pytest.approx(estimate_bandwidth(points.repeat(2, axis=0), quantile=0.3))


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
    assert estimate_bandwidth(points, quantile=0.3) == pytest.approx(4 / 3)
    assert estimate_bandwidth([[0.0], [2.0]], quantile=0.3) == pytest.approx(2)


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


def mixture(k: int, n: int, d: int, sigma: float, seed: int) -> np.ndarray:
    """Return n points around k centres that are at least 5 sigma apart."""
    rng = np.random.default_rng(seed)
    centers = np.zeros((0, d))
    while len(centers) < k:
        new = rng.uniform(0, 12, d)
        if not len(centers) or np.linalg.norm(centers - new, axis=1).min() > 5 * sigma:
            centers = np.vstack((centers, new))
    return centers[np.arange(n) % k] + rng.normal(0, sigma, (n, d))


@pytest.mark.parametrize(
    ("k", "n", "d", "sigma"),
    [(8, 100_000, 2, 0.5), (5, 600, 1, 0.1), (12, 3000, 3, 0.4), (3, 400, 5, 0.6), (1, 500, 2, 1)],
)
@pytest.mark.parametrize("kernel", ["gaussian", "flat"])
def test_as_many_clusters_as_there_are(k: int, n: int, d: int, sigma: float, kernel: str) -> None:
    points = mixture(k, n, d, sigma, seed=k)
    found = MeanShift(kernel=kernel).fit(points)
    share = np.bincount(found.labels_) / n
    assert (share > 0.01).sum() == k
    assert share[share > 0.01].sum() > 0.99


def test_one_cluster_of_rounded_numbers_is_one_and_outliers_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    ages = np.rint(rng.normal(45, 15, (5000, 1)))
    assert len(MeanShift().fit(ages).cluster_centers_) == 1
    points = mixture(3, 300, 2, 0.4, seed=3)
    expected = estimate_bandwidth(points)
    far = np.concatenate((points, rng.uniform(-1e6, 1e6, (5, 2))))
    assert estimate_bandwidth(far) == pytest.approx(expected, rel=0.5)
    assert (np.bincount(MeanShift().fit(far).labels_) > 50).sum() == 3


def test_it_scales_with_the_points() -> None:
    points = mixture(4, 400, 2, 0.4, seed=4)
    expected = estimate_bandwidth(points)
    for power in (-900, -30, 900):
        assert estimate_bandwidth(points * 2.0**power) == expected * 2.0**power
    assert estimate_bandwidth(points + 2.0**30) == pytest.approx(expected, rel=1e-3)
