"""Log densities as splines: steps on them against sums over all points."""

from __future__ import annotations

import numpy as np
import pytest

from segment import MeanShift
from segment.kernels.points.climb import climb, kernel_sums
from segment.kernels.points.spline import no_surface, spline_room, surface_sum
from segment.points import basins, densities, splines
from segment.points.densities import make_field
from segment.points.splines import build_surface
from tests.naive import points as naive


def clumps(d: int, n: int = 6000, seed: int = 0) -> np.ndarray:
    """Return clumps from much narrower to wider than a bandwidth of 0.5, and a few lone points."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, 8, n)
    spread = np.geomspace(0.02, 1, 8)[which, None]
    points = rng.uniform(0, 8, (8, d))[which] + spread * rng.normal(size=(n, d))
    points[:5] = rng.uniform(20, 90, (5, d))
    points[5:9] = points[9]
    return points


def steps(
    points: np.ndarray, weights: np.ndarray, width: float, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for the starts the surface answers for, which, and errors of mean and sum."""
    surface = build_surface(points, weights, width, 2)
    assert surface is not None
    last, room, total = np.full(2, -1), spline_room(), np.empty(points.shape[1] + 1)
    answered, mean, mass = [], [], []
    for i, start in enumerate(starts):
        if surface_sum(surface, width, start, last, room, total):
            numerator, expected = naive.sums(points, weights, "gaussian", width, start)
            away = total[:-1] / total[-1] - numerator / expected
            answered.append(i)
            mean.append(np.linalg.norm(away) / width)
            mass.append(abs(total[-1] / expected - 1))
    return np.array(answered), np.array(mean), np.array(mass)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("width", [0.25, 0.5, 2.0])
def test_steps_are_as_exact_as_said(d: int, width: float) -> None:
    points = clumps(d)
    weights = np.random.default_rng(1).integers(1, 9, len(points)).astype(float)
    starts = points[5:205]
    answered, mean, mass = steps(points, weights, width, starts)
    assert len(answered) > 0.8 * len(starts)
    assert np.quantile(mean, 0.9) <= 6e-4
    assert mean.max() <= splines.ERROR
    assert mass.max() <= 2e-3


@pytest.mark.parametrize("d", [1, 2, 3])
def test_nothing_is_said_where_no_tile_is(d: int) -> None:
    points = clumps(d)
    starts = np.concatenate((points[:5], np.full((1, d), -1e9), np.full((1, d), 1e9)))
    answered, _, _ = steps(points, np.ones(len(points)), 0.5, starts)
    assert not len(answered)


def test_nothing_is_said_where_the_density_changes_too_fast() -> None:
    """Between two heavy places 7 bandwidths apart the mean leaps from one to the other."""
    points = np.concatenate((np.full((500, 1), 0.0), np.full((500, 1), 7.0)))
    starts = np.linspace(0, 7, 400)[:, None]
    answered, mean, _ = steps(points, np.ones(1000), 1.0, starts)
    assert mean.max() <= splines.ERROR
    assert {0, 399} <= set(answered)
    assert not {199, 200} & set(answered)


def test_points_far_apart_get_no_surface() -> None:
    points = np.random.default_rng(0).uniform(0, 1e4, (6000, 3))
    assert build_surface(points, np.ones(6000), 1.0, 1) is None
    assert build_surface(points * 1e12, np.ones(6000), 1.0, 1) is None
    assert build_surface(points, np.ones(6000), 1e-306, 1) is None


@pytest.mark.parametrize("unit", [1e-40, 1e40])
def test_weights_of_any_size(unit: float) -> None:
    points = clumps(2)
    answered, mean, mass = steps(points, np.full(len(points), unit), 0.5, points[5:105])
    assert len(answered) > 90
    assert mean.max() <= splines.ERROR
    assert mass.max() <= 2e-3


def test_very_many_equal_points_add_up() -> None:
    """In singles the sums would be off by almost a thousandth."""
    rng = np.random.default_rng(0)
    points = np.concatenate((np.full((1_000_000, 1), 0.3), rng.normal(1.5, 0.5, (1_000_000, 1))))
    _, mean, mass = steps(points, np.ones(2_000_000), 1.0, np.linspace(0, 2, 7)[:, None])
    assert mean.max() <= 6e-4
    assert mass.max() <= 1e-4


def test_the_surface_does_not_depend_on_threads() -> None:
    points = clumps(3)
    one = build_surface(points, np.ones(6000), 0.3, 1)
    two = build_surface(points, np.ones(6000), 0.3, 2)
    assert one is not None
    assert two is not None
    assert len(one.keys) > 20
    np.testing.assert_array_equal(one.coefficients, two.coefficients)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_sums_at_any_place_are_those_over_the_points(d: int) -> None:
    points = clumps(d)
    at = np.concatenate((points[:40], points[:40] + 0.3, points[:3] + 1e3))
    field = make_field(points, np.ones(len(points)), "gaussian", 0.5)
    assert field.surface.keys.size
    expected = [naive.sums(points, np.ones(len(points)), "gaussian", 0.5, x)[1] for x in at]
    np.testing.assert_allclose(kernel_sums(field, at), expected, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_climbs_end_where_they_end_without_it(d: int) -> None:
    points = clumps(d)
    field = make_field(points, np.ones(len(points)), "gaussian", 0.5)
    none = basins._no_cells(d)
    some = points[::40]
    found = climb(field, none, some, 1e-4, 300)
    expected = climb(field._replace(surface=no_surface(d)), none, some, 1e-4, 300)
    np.testing.assert_allclose(found.ends, expected.ends, atol=0.01)
    assert np.median(np.abs(found.ends - expected.ends)) <= 2e-4


@pytest.mark.parametrize("d", [2, 3])
def test_clusters_are_those_found_without_it(d: int, monkeypatch: pytest.MonkeyPatch) -> None:
    points = clumps(d)
    found = MeanShift(0.5).fit(points)
    assert found._basins.field.surface.keys.size
    monkeypatch.setattr(densities, "SURFACE_FROM", len(points) + 1)
    monkeypatch.setattr(basins, "SHARE_FROM", len(points) + 1)
    expected = MeanShift(0.5).fit(points)
    order = naive.nearest(found.cluster_centers_, expected.cluster_centers_)
    assert len(order) == len(expected.cluster_centers_)
    np.testing.assert_allclose(found.cluster_centers_, expected.cluster_centers_[order], atol=0.01)
    assert (order[found.labels_] == expected.labels_).mean() > 0.999
