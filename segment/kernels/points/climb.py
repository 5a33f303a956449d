"""Mean shift over points in any dimension: every start climbs to where its steps end.

Trajectories that meet are shared, never in a way that depends on the order of the points: under the
flat kernel two that reach the same place are one from there on; and a trajectory that enters a cell
known to be deep inside a basin (`Cells`) ends there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.jit import kernel
from segment.kernels.points.columns import Grid, ball_sum
from segment.kernels.points.gauss_grid import Lattice, lattice_sum
from segment.kernels.points.spline import Surface, find_key, spline_room, surface_sum
from segment.kernels.points.tree import FLAT, Tree, weighted_sum

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Flat trajectories less than this many bandwidths apart are at the same place: what separates them
# is the rounding of sums.
SAME = 1e-9
MEMO = 1 << 16
# Steps of one trajectory that are remembered.
LONGEST = 1000

TREE, GRID, LATTICE = 0, 1, 2


class Field(NamedTuple):
    """The points to climb over, held in one of three ways; the other two hold a single point.

    Where the surface has tiles, they are asked first.
    """

    kind: int
    radius: float
    error: float
    how: int
    tree: Tree
    grid: Grid
    lattice: Lattice
    surface: Surface


class Cells(NamedTuple):
    """Cubes of space; `end` numbers the attractor of those deep inside a basin, or is -1."""

    origin: Floats  # (d,)
    side: float
    strides: Ints  # (d,)
    extent: Ints  # (d,)
    keys: Ints  # (m,) ascending
    end: Ints  # (m,)


class Climb(NamedTuple):
    """What became of each start."""

    ends: Floats  # (n, d)
    mass: Floats  # (n,) kernel sum of the last step; 0 where no point was in reach
    first_mass: Floats  # (n,) kernel sum of the first step
    steps: Ints  # (n,)
    link: Ints  # (n,) the attractor of the cell entered, or -1


@kernel()
def cell_of(cells: Cells, center: Floats) -> int:
    """Return the number of the cell that `center` lies in, or -1 if it holds no point."""
    key = 0
    for j in range(center.size):
        index = np.floor((center[j] - cells.origin[j]) / cells.side)
        if not 0 <= index < cells.extent[j]:
            return -1
        key += int(index) * cells.strides[j]
    return find_key(cells.keys, key)


@kernel(inline="always")
def _move(center: Floats, total: Floats) -> float:
    """Move `center` (d,) to the mean of a window of sums (d + 1,); return the distance squared."""
    d = center.size
    moved = 0.0
    for j in range(d):
        mean = total[j] / total[d]
        moved += (mean - center[j]) ** 2
        center[j] = mean
    return moved


@kernel()
def climb(field: Field, cells: Cells, starts: Floats, tol: float, max_iter: int) -> Climb:
    """Climb from every row of `starts` until a step is at most `tol` bandwidths long."""
    # Taken out once: handing the whole field on at each step would cost more than the step.
    tree, grid, lattice, radius = field.tree, field.grid, field.lattice, field.radius
    surface = field.surface
    spanned = surface.keys.size > 0
    last = np.full(2, -1)
    room = spline_room()
    n, d = starts.shape
    ends = starts.copy()
    mass = np.zeros(n)
    first_mass = np.zeros(n)
    steps = np.zeros(n, np.int64)
    link = np.full(n, -1)
    total = np.empty(d + 1)
    longest = min(max_iter, LONGEST)
    path = np.empty((longest, d))
    # The memo: places (entry -> rounded position, trajectory, step), found through a hash table.
    remember = field.kind == FLAT and n > 1
    capacity = min(MEMO, n * longest) if remember else 1
    table = np.full(2 * capacity, -1)
    place = np.empty((capacity, d))
    trail = np.empty(capacity, np.int64)
    left = np.empty(capacity, np.int64)
    used = 0
    limit = (tol * radius) ** 2
    for i in range(n):
        center = ends[i]
        known = -1
        for step in range(max_iter):
            if cells.keys.size > 0:
                cell = cell_of(cells, center)
                if cell >= 0 and cells.end[cell] >= 0:
                    link[i] = cells.end[cell]
                    break
            if spanned and surface_sum(surface, radius, center, last, room, total):
                pass
            elif field.how == GRID:
                ball_sum(grid, center, radius, total)
            elif field.how == LATTICE:
                lattice_sum(lattice, radius, center, total)
            else:
                weighted_sum(tree, field.kind, radius, field.error, center, total)
            mass[i] = total[d]
            steps[i] = step + 1
            if step == 0:
                first_mass[i] = mass[i]
            if mass[i] == 0 or _move(center, total) <= limit:
                break
            if remember and step < longest:
                for j in range(d):
                    path[step, j] = np.rint(center[j] / (SAME * radius))
                known = _find_place(table, place, path[step])
                # A remembered climb is taken over only where it would have been finished.
                if known >= 0 and step + 1 + left[known] <= max_iter:
                    steps[i] = step + 1 + left[known]
                    mass[i] = mass[trail[known]]
                    link[i] = link[trail[known]]
                    for j in range(d):
                        center[j] = ends[trail[known], j]
                    break
                known = -1
        if not remember or (known < 0 and steps[i] == max_iter):
            continue
        n_places = min(steps[i] - 1, longest)
        used = _keep_trail(table, place, trail, left, used, path, n_places, i, steps[i])
    return Climb(ends, mass, first_mass, steps, link)


@kernel()
def _keep_trail(
    table: Ints, place: Floats, trail: Ints, left: Ints, used: int, path: Floats, n_places: int,
    number: int, n_steps: int,
) -> int:  # fmt: skip
    """Remember the places of a trajectory up to one that is known; return how many are known."""
    for step in range(n_places):
        if used == len(trail) or _find_place(table, place, path[step]) >= 0:
            break
        slot = _free_slot(table, path[step])
        table[slot] = used
        for j in range(path.shape[1]):  # to assign rows takes 2 s to compile
            place[used, j] = path[step, j]
        trail[used] = number
        left[used] = n_steps - step - 1
        used += 1
    return used


@kernel()
def _slot(size: int, position: Floats) -> int:
    """Return where to look for a rounded position: its halves times irrational numbers, mod 1."""
    mixed = 0.0
    for j in range(position.size):
        high = np.floor(position[j] / 134217728.0)
        low = position[j] - high * 134217728.0
        mixed += low * (0.6180339887498949 / (j + 1.3)) + high * (0.7548776662466927 / (j + 1.7))
        mixed -= np.floor(mixed)
    return int(mixed * size) % size


@kernel()
def _find_place(table: Ints, place: Floats, position: Floats) -> int:
    slot = _slot(table.size, position)
    while table[slot] >= 0:
        same = True
        for j in range(position.size):
            same = same and place[table[slot], j] == position[j]
        if same:
            return table[slot]
        slot = (slot + 1) % table.size
    return -1


@kernel()
def _free_slot(table: Ints, position: Floats) -> int:
    slot = _slot(table.size, position)
    while table[slot] >= 0:
        slot = (slot + 1) % table.size
    return slot


@kernel()
def kernel_sums(field: Field, at: Floats) -> Floats:
    """Return the kernel sum (k = 1 at distance 0) around every row of `at`."""
    sums = np.empty(at.shape[0])
    total = np.empty(at.shape[1] + 1)
    tree, grid, lattice, surface = field.tree, field.grid, field.lattice, field.surface
    last = np.full(2, -1)
    room = spline_room()
    for i in range(at.shape[0]):
        if surface.keys.size > 0 and surface_sum(surface, field.radius, at[i], last, room, total):
            pass
        elif field.how == GRID:
            ball_sum(grid, at[i], field.radius, total)
        elif field.how == LATTICE:
            lattice_sum(lattice, field.radius, at[i], total)
        else:
            weighted_sum(tree, field.kind, field.radius, field.error, at[i], total)
        sums[i] = total[-1]
    return sums


@kernel()
def deep_cells(cells: Cells, ends: Floats, mass: Floats, reach: float, crowd: float) -> Ints:
    """Return, for each cell, its own number if all cells around it climb to the same place.

    The same place: the ends are at most `reach` apart. Cells whose first window weighs less than
    `crowd` are never deep: there a few points decide where a trajectory goes.
    """
    m, d = ends.shape
    deep = np.full(m, -1)
    around = 3**d
    for c in range(m):
        if mass[c] < crowd:
            continue
        agree = True
        for k in range(around):
            key = cells.keys[c]
            rest = k
            inside = True
            remainder = cells.keys[c]
            for j in range(d):
                index = remainder // cells.strides[j]
                remainder -= index * cells.strides[j]
                move = rest % 3 - 1
                rest //= 3
                inside = inside and 0 <= index + move < cells.extent[j]
                key += move * cells.strides[j]
            if not inside:
                continue
            other = find_key(cells.keys, key)
            if other < 0:
                continue
            apart = 0.0
            for j in range(d):
                apart += (ends[other, j] - ends[c, j]) ** 2
            if apart > reach * reach or mass[other] < crowd:
                agree = False
                break
        if agree:
            deep[c] = c
    return deep
