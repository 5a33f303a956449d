"""From points to attractors: where starts climb to, and which ends are one mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segment.points.densities import CHUNK, make_field
from segment.threads import chunks, run

if TYPE_CHECKING:
    from segment.kernels.points.climb import Cells, Climb, Field

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Ends within so many bandwidths are one mode. Flat: as in scikit-learn; its windows stop at many
# places around one mode, whereas smooth kernels stop at the mode itself.
MERGE = {"flat": 1.0, "epanechnikov": 0.5, "gaussian": 0.2}

# Shared basins, for many points in up to 3 dimensions (see `share_basins`).
SHARE_FROM = 5_000
POINTS_PER_CELL = 3
# Side of the cells (in 1, 2 and 3 dimensions) and spread allowed among the ends around a deep one,
# in bandwidths.
CELL = {"flat": (0.25, 0.25, 0.5), "epanechnikov": (0.5, 0.5, 0.5), "gaussian": (0.5, 0.5, 0.5)}
SPREAD = {"flat": 0.25, "epanechnikov": 0.1, "gaussian": 0.1}
# Points that the windows around a deep cell hold at least: fewer, and single points decide.
CROWD = {"flat": 200, "epanechnikov": 100, "gaussian": 50}


@dataclass(frozen=True)
class Rules:
    """How to climb: the kernel, its radius, when to stop, and with how many threads."""

    kernel: str
    radius: float
    tol: float
    max_iter: int
    n_threads: int


@dataclass(frozen=True)
class Ends:
    """Where starts ended; those that share a basin share a row."""

    places: Floats  # (m, d)
    mass: Floats  # (m,) kernel sums there
    row: Ints  # (n,) the end of each start
    most_steps: int

    def of(self, starts: NDArray[np.bool_]) -> Ends:
        """Return the ends of some of the starts only."""
        rows, row = np.unique(self.row[starts], return_inverse=True)
        return Ends(self.places[rows], self.mass[rows], row, self.most_steps)


class Basins:
    """The landscape of a set of weighted points, ready to be climbed from anywhere.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_features)
        Points, scaled so that `rules.radius` is the bandwidth along every axis.
    weights : ndarray of shape (n_samples,)
        Weights; points of weight 0 do not count.
    rules : Rules
        How to climb.
    """

    def __init__(self, points: Floats, weights: Floats, rules: Rules) -> None:
        self.rules = rules
        self.field: Field = make_field(
            points, weights, rules.kernel, rules.radius, n_threads=rules.n_threads
        )
        self.cells: Cells = _no_cells(points.shape[1])
        self.cell_ends: Climb | None = None
        if len(points) >= SHARE_FROM and points.shape[1] <= 3:
            self._share(points, float(weights.max()))

    def climb(self, starts: Floats) -> Ends:
        """Climb from every row of `starts`."""
        climbed = self._climb(starts)
        linked = climbed.link >= 0
        if self.cell_ends is None or not linked.any():
            row = np.arange(len(starts))
            return Ends(climbed.ends, climbed.mass, row, int(climbed.steps.max()))
        cells, row_of_linked = np.unique(climbed.link[linked], return_inverse=True)
        own = ~linked
        row = np.empty(len(starts), np.int64)
        row[linked] = row_of_linked
        row[own] = len(cells) + np.arange(int(own.sum()))
        steps = climbed.steps
        steps[linked] += self.cell_ends.steps[climbed.link[linked]]
        return Ends(
            np.concatenate((self.cell_ends.ends[cells], climbed.ends[own])),
            np.concatenate((self.cell_ends.mass[cells], climbed.mass[own])),
            row,
            min(int(steps.max()), self.rules.max_iter),
        )

    def _climb(self, starts: Floats) -> Climb:
        from segment.kernels.points.climb import Climb, climb

        starts = np.ascontiguousarray(starts)
        rules = self.rules

        def one(chunk: tuple[int, int]) -> Climb:
            part = starts[slice(*chunk)]
            return climb(self.field, self.cells, part, rules.tol, rules.max_iter)

        parts = run(one, chunks(len(starts), CHUNK), rules.n_threads)
        return Climb(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _share(self, points: Floats, unit: float) -> None:
        """Climb from the middle of each occupied cell, and mark cells deep inside a basin.

        A cell is deep where it and all its neighbours climb to the same place, from windows that
        hold many points. Trajectories that enter it end there, whatever their order.
        """
        from segment.kernels.points.climb import Cells, deep_cells

        rules = self.rules
        side = CELL[rules.kernel][points.shape[1] - 1] * rules.radius
        origin = points.min(axis=0)
        index = np.floor((points - origin) / side)
        extent = index.max(axis=0).astype(np.int64) + 1
        if np.prod(extent.astype(float)) > 2**62:
            return
        strides = np.ones(points.shape[1], np.int64)
        for j in range(len(extent) - 2, -1, -1):
            strides[j] = strides[j + 1] * extent[j + 1]
        keys, which, count = np.unique(
            index.astype(np.int64) @ strides, return_inverse=True, return_counts=True
        )
        if len(keys) * POINTS_PER_CELL > len(points):
            return
        middles = np.stack(
            [np.bincount(which, points[:, j]) / count for j in range(points.shape[1])], axis=1
        )
        found = self._climb(middles)
        cells = Cells(origin, side, strides, extent, keys, np.full(len(keys), -1))
        reach = SPREAD[rules.kernel] * rules.radius
        deep = deep_cells(cells, found.ends, found.first_mass, reach, CROWD[rules.kernel] * unit)
        self.cells = cells._replace(end=deep)
        self.cell_ends = found


def _no_cells(d: int) -> Cells:
    from segment.kernels.points.climb import Cells

    none = np.zeros(0, np.int64)
    zeros = np.zeros(d, np.int64)
    return Cells(np.zeros(d), 1.0, zeros, zeros.copy(), none, none.copy())


def merge_ends(ends: Ends, radius: float) -> Floats:
    """Return the modes: by falling mass, each end takes the others within `radius` with it.

    Ends of mass 0, where nothing was in reach, are left out.
    """
    from scipy.spatial import cKDTree

    reached = ends.mass > 0
    # Flat trajectories end at the same places many times over.
    rows = np.unique(np.column_stack((ends.mass, ends.places))[reached], axis=0)[::-1]
    places = np.ascontiguousarray(rows[:, 1:])
    alone = np.ones(len(places), bool)
    kept = []
    tree = cKDTree(places) if len(places) else None
    for i in range(len(places)):
        if alone[i] and tree is not None:
            alone[tree.query_ball_point(places[i], radius)] = False
            kept.append(i)
    return places[kept]


def nearest(points: Floats, centers: Floats) -> tuple[Ints, Floats]:
    """Return the nearest centre of each point, and its distance; ties go to the lower number."""
    from scipy.spatial import cKDTree

    distance, label = cKDTree(centers).query(points, k=min(2, len(centers)))
    if len(centers) > 1:
        first = np.where(distance[:, 1] > distance[:, 0], label[:, 0], label.min(axis=1))
        return first.astype(np.int64), distance[:, 0]
    return label.reshape(-1).astype(np.int64), distance.reshape(-1)
