"""The kernels over points against their naive twins."""

from __future__ import annotations

import numpy as np
import pytest

from segment.kernels.points.climb import Cells, climb, deep_cells
from segment.kernels.points.columns import ball_sum, build_grid
from segment.kernels.points.gauss_grid import build_lattice, lattice_sum
from segment.kernels.points.tree import EPANECHNIKOV, FLAT, GAUSSIAN, build_tree, weighted_sum
from segment.points.basins import Basins, Rules
from segment.points.densities import field_sums, make_field
from tests.naive import points as naive

KINDS = {"flat": FLAT, "epanechnikov": EPANECHNIKOV, "gaussian": GAUSSIAN}


def cloud(d: int, n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return clumps, an outlier, repeated points and uneven weights."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 1, (n, d)) + 4 * rng.integers(0, 2, (n, 1))
    points[0] = 50
    points[1:6] = points[6]
    return points, rng.integers(1, 4, n).astype(float)


def lattice(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return integer points, so that many lie exactly on the sphere."""
    axes = np.meshgrid(*[np.arange(12 if d < 3 else 7)] * d)
    points = np.stack([axis.ravel() for axis in axes], axis=1).astype(float)
    return points, np.ones(len(points))


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("cell", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("make", [cloud, lattice])
def test_ball_sums_are_those_of_the_naive_twin(d: int, cell: float, make: object) -> None:
    points, weights = make(d)
    grid, order = build_grid(points, weights, cell)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(points)))
    centers = np.concatenate((points[::7], points[:9] + 0.4, np.full((1, d), 1e9)))
    total = np.empty(d + 1)
    for radius in (1.0, 2.0, 5.0, 100.0):
        for center in centers:
            ball_sum(grid, center, radius, total)
            numerator, mass = naive.sums(points, weights, "flat", radius, center)
            assert total[d] == mass
            np.testing.assert_allclose(total[:d], numerator, rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("kernel", ["flat", "epanechnikov"])
def test_long_columns_add_their_inside_at_once(d: int, kernel: str) -> None:
    """Columns with many more points than are tested one by one, unevenly spread along them."""
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal(0, s, (700, d)) for s in (0.01, 1.0, 8.0)])
    points[0] = 5e3
    weights = rng.uniform(0.5, 2, len(points))
    grid, _ = build_grid(points, weights, 0.7, moments=kernel == "epanechnikov")
    total = np.empty(d + 1)
    for center in points[::60]:
        for radius in (0.02, 1.0, 6.0):
            ball_sum(grid, center, radius, total)
            numerator, mass = naive.sums(points, weights, kernel, radius, center)
            close = 1e-11 if kernel == "flat" else 1e-8
            assert total[d] == pytest.approx(mass, rel=close)
            # At radius 0.02 the moments of columns 45 long have lost 10 digits of 16.
            close = 1e-9 if kernel == "flat" else 1e-5 * radius
            np.testing.assert_allclose(total[:d], numerator, rtol=1e-9, atol=close * mass)


def test_moments_start_anew_along_a_column() -> None:
    """Summed over 10^5 radii, third moments would have lost all their digits."""
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.uniform(0, 1e5, (3000, 1)), 7e4 + rng.normal(0, 1, (3000, 1))])
    grid, _ = build_grid(points, np.ones(6000), 1.0, moments=True)
    assert len(grid.keys) > 100
    total = np.empty(2)
    for center in points[3000::100]:
        ball_sum(grid, center, 1.0, total)
        numerator, mass = naive.sums(points, np.ones(6000), "epanechnikov", 1.0, center)
        assert total[1] == pytest.approx(mass, rel=1e-9)
        assert total[0] / total[1] == pytest.approx(numerator[0] / mass, abs=1e-9)


@pytest.mark.parametrize("d", [1, 2, 5, 9])
@pytest.mark.parametrize("kernel", KINDS)
@pytest.mark.parametrize("error", [1e-6, 1e-2])
def test_tree_sums_keep_their_error_bound(d: int, kernel: str, error: float) -> None:
    points, weights = cloud(d, 900)
    weights[20:40] = 0
    tree, order = build_tree(points, weights)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(points)))
    total = np.empty(d + 1)
    for radius in (0.5, 2.0, 30.0):
        for center in np.concatenate((points[::90], points[:5] + 0.3)):
            weighted_sum(tree, KINDS[kernel], radius, error, center, total)
            numerator, mass = naive.sums(points, weights, kernel, radius, center)
            if kernel == "flat":
                assert total[d] == mass
                np.testing.assert_allclose(total[:d], numerator, rtol=1e-11, atol=1e-9)
                continue
            bound = 2 * error + 1e-8
            assert abs(total[d] - mass) <= bound * max(mass, 1e-12)
            moved, expected = total[:d] - total[d] * center, numerator - mass * center
            assert np.linalg.norm(moved - expected) <= bound * mass * radius + 1e-9


@pytest.mark.parametrize("d", [1, 2, 3])
def test_lattice_sums_keep_their_error_bound(d: int) -> None:
    points, weights = cloud(d, 500)
    points[0] = 9
    radius, error = 0.6, 1e-4
    lattice = build_lattice(points, weights, radius, error)
    assert lattice.values.sum() == pytest.approx(weights.sum())
    total = np.empty(d + 1)
    for center in np.concatenate((points[::25], points[:5] + 0.1)):
        lattice_sum(lattice, radius, center, total)
        numerator, mass = naive.sums(points, weights, "gaussian", radius, center)
        assert abs(total[d] - mass) <= 2e-4 * mass
        shift = total[:d] / total[d] - numerator / mass
        assert np.linalg.norm(shift) <= (error + 2e-4) * radius


@pytest.mark.parametrize("kernel", KINDS)
@pytest.mark.parametrize("d", [1, 2, 4])
def test_climbs_end_where_the_naive_ones_do(kernel: str, d: int) -> None:
    points, weights = cloud(d, 160)
    rules = Rules(kernel, 1.5, 1e-3, 200, 1)
    ends = Basins(points, weights, rules).climb(points)
    for start, row in zip(points, ends.row, strict=True):
        place, mass, _ = naive.climb(points, weights, kernel, 1.5, start, 1e-3, 200)
        np.testing.assert_allclose(ends.places[row], place, atol=2e-3)
        assert ends.mass[row] == pytest.approx(mass, rel=1e-3)


def test_a_shared_flat_climb_counts_the_steps_of_both_parts() -> None:
    points, weights = cloud(2, 400)
    rules = Rules("flat", 1.0, 1e-3, 300, 1)
    basins = Basins(points, weights, rules)
    together = climb(basins.field, basins.cells, points, 1e-3, 300)
    for i in range(0, 400, 13):
        alone = climb(basins.field, basins.cells, points[i : i + 1].copy(), 1e-3, 300)
        np.testing.assert_allclose(together.ends[i], alone.ends[0], atol=1e-9)
        assert together.steps[i] == alone.steps[0]


def test_climbs_are_cut_at_max_iter_whatever_was_remembered() -> None:
    points, weights = cloud(2, 400)
    field = make_field(points, weights, "flat", 1.0)
    none = np.zeros(0, np.int64)
    cells = Cells(np.zeros(2), 1.0, np.ones(2, np.int64), np.ones(2, np.int64), none, none)
    for max_iter in (1, 4):
        for i, end in enumerate(climb(field, cells, points, 1e-3, max_iter).ends):
            expected, _, _ = naive.climb(points, weights, "flat", 1.0, points[i], 1e-3, max_iter)
            np.testing.assert_allclose(end, expected, atol=1e-9)


def test_a_start_far_from_everything_stays_with_mass_0() -> None:
    points, weights = cloud(2, 50)
    ends = Basins(points, weights, Rules("flat", 1.0, 1e-3, 50, 1)).climb(np.full((1, 2), 1e6))
    assert ends.mass[0] == 0
    np.testing.assert_array_equal(ends.places[0], [1e6, 1e6])


def test_deep_cells_have_only_neighbours_that_climb_to_the_same_place() -> None:
    # A row of 6 cells: the first three end at 0, the others at 9.
    extent = np.array([1, 6])
    cells = Cells(np.zeros(2), 1.0, np.array([6, 1]), extent, np.arange(6), np.full(6, -1))
    ends = np.array([[0.0, 0], [0, 0.01], [0, 0], [9, 0], [9, 0], [9, 0]])
    mass = np.array([10.0, 10, 10, 10, 10, 1])
    deep = deep_cells(cells, ends, mass, 0.1, 5.0)
    # 2 and 3 are at the border; 4 and 5 have, and are, a cell with too few points.
    np.testing.assert_array_equal(deep, [0, 1, -1, -1, -1, -1])


@pytest.mark.parametrize(("kernel", "d"), [("flat", 2), ("gaussian", 2), ("flat", 3)])
def test_sharing_basins_changes_no_label(kernel: str, d: int, monkeypatch: object) -> None:
    from segment.points import basins

    rng = np.random.default_rng(3)
    n = 6000
    points = rng.normal(0, 1, (n, d)) + 4 * rng.integers(0, 2, (n, 1))
    rules = Rules(kernel, 1.0 if kernel == "flat" else 0.6, 1e-3, 300, 2)
    shared = Basins(points, np.ones(n), rules)
    assert (shared.cells.end >= 0).any()
    monkeypatch.setattr(basins, "SHARE_FROM", n + 1)
    alone = Basins(points, np.ones(n), rules)
    assert alone.cells.keys.size == 0
    some = points[:: n // 500]
    found, expected = shared.climb(some), alone.climb(some)
    apart = np.linalg.norm(found.places[found.row] - expected.places[expected.row], axis=1)
    assert apart.max() <= basins.SPREAD[kernel] * rules.radius


@pytest.mark.parametrize("kernel", KINDS)
def test_kernel_sums_at_points(kernel: str) -> None:
    points, weights = cloud(2, 200)
    sums = field_sums(make_field(points, weights, kernel, 0.8), points + 0.1, 2)
    expected = [naive.sums(points, weights, kernel, 0.8, p)[1] for p in points + 0.1]
    np.testing.assert_allclose(sums, expected, rtol=3e-4, atol=1e-12)
