"""Cells, the start points of the fast engine: the colours of the blocks of a tile.

Cells of one block are neighbours in memory, so that a trajectory meets them all with a few vector
instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from segment.kernels.arrays import Float32Array, Int32Array
from segment.kernels.jit import kernel
from segment.kernels.regions.window import LANES, BandTuple, count_bands
from segment.kernels.vectors import F32, I32, Vectors

MAX_CELLS = 16


def _nearest_leader(
    typingctx: Any, leaders: Any, n: Any, features: Any, band_tuple: Any, at: Any
) -> Any:
    returned = types.Tuple((types.intp, types.float32))
    signature = returned(leaders, types.intp, features, band_tuple, types.intp)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        leaders, features = (
            context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 2)
        )
        n, at = args[1], args[4]
        b, v = builder, Vectors(builder, LANES)

        def number(value: int) -> Any:
            return ir.Constant(n.type, value)

        _, height, width = cgutils.unpack_tuple(b, features.shape, 3)
        plane = b.mul(height, width)
        colors = [
            v.splat(b.load(b.gep(features.data, [b.add(at, b.mul(plane, number(band)))])))
            for band in range(len(signature.args[3]))
        ]
        best, least = v.variable(number(-1)), v.variable(ir.Constant(F32, float("inf")))
        with cgutils.for_range_slice(b, number(0), n, number(LANES), inc=True) as (first, _):
            distance = v.floats(0.0)
            for band, color in enumerate(colors):
                d = b.fsub(v.load(leaders.data, b.add(first, number(band * MAX_CELLS))), color)
                distance = v.fma(d, d, distance)
            nearest = v.least(distance)
            with b.if_then(b.fcmp_ordered("<", nearest, b.load(least))):
                b.store(nearest, least)
                b.store(b.add(first, v.first_lane(distance, nearest)), best)
        return context.make_tuple(b, returned, [b.load(best), b.load(least)])

    return signature, codegen


def _plain_nearest_leader(
    leaders: Float32Array, n: int, features: Float32Array, _: BandTuple, at: int
) -> tuple[int, np.float32]:
    """Return the first of the nearest leaders of a pixel, and its squared distance.

    Parameters
    ----------
    leaders : ndarray, shape (C, MAX_CELLS), float32
        Colours; infinite where there is no leader.
    n : int
        Leaders to look at, all of them or more.
    features : ndarray, shape (C, h, w), float32
        The tile.
    at : int
        Row of the pixel times w, plus its column.
    """
    color = features.reshape(len(features), -1)[:, at, None]
    distance = ((leaders[:, :n] - color) ** 2).sum(axis=0)
    return (int(distance.argmin()), distance.min()) if n else (-1, np.float32(np.inf))


# The plain functions say what the vector instructions do, and run where the JIT is disabled.
_VECTORS = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
nearest_leader: Any = intrinsic(_nearest_leader) if _VECTORS else _plain_nearest_leader


@kernel(bare=True)
def cluster_block(
    features: Float32Array, band_tuple: BandTuple, top: int, left: int, bottom: int, right: int,
    limit2: np.float32, first_cell: int, cell_of: Int32Array, leaders: Float32Array,
    cells: Float32Array,
) -> int:  # fmt: skip
    """Cut one block of a tile into cells; return one past the last cell used.

    Parameters
    ----------
    features : ndarray, shape (C, h, w), float32
        The tile; infinite where masked.
    band_tuple : tuple
        `band_tuple_of(C)`.
    top, left, bottom, right : int
        The block.
    limit2 : float32
        A pixel whose squared distance from every leader is at least this becomes a leader, up to
        `MAX_CELLS`; the others join the nearest.
    first_cell : int
        Number of the block's first cell.
    cell_of : ndarray, shape (h, w), int32
        Receives the cell of each pixel, -1 where masked.
    leaders : ndarray, shape (C, MAX_CELLS), float32
        Scratch.
    cells : ndarray, shape (3 + C, n), float32
        Receives pixels, mean row, mean column and mean features of each cell.
    """
    n_bands = count_bands(band_tuple, features)
    width = features.shape[2]
    for band in range(n_bands):
        for k in range(MAX_CELLS):
            leaders[band, k] = np.inf
    n = 0
    for i in range(top, bottom):
        for j in range(left, right):
            if features[0, i, j] == np.inf:
                cell_of[i, j] = -1
                continue
            if len(band_tuple) > 0:
                best, nearest = nearest_leader(leaders, n, features, band_tuple, i * width + j)
            else:
                best, nearest = -1, np.float32(np.inf)
                for k in range(n):
                    d2 = np.float32(0)
                    for band in range(n_bands):
                        d = leaders[band, k] - features[band, i, j]
                        d2 += d * d
                    if d2 < nearest:
                        best, nearest = k, d2
            if nearest >= limit2 and n < MAX_CELLS:
                best = n
                n += 1
                for band in range(n_bands):
                    leaders[band, best] = features[band, i, j]
                    cells[3 + band, first_cell + best] = 0
                for k in range(3):
                    cells[k, first_cell + best] = 0
            cell = first_cell + best
            cell_of[i, j] = cell
            cells[0, cell] += 1
            cells[1, cell] += np.float32(i)
            cells[2, cell] += np.float32(j)
            for band in range(n_bands):
                cells[3 + band, cell] += features[band, i, j] - leaders[band, best]
    for k in range(n):
        cell = first_cell + k
        scale = np.float32(1) / cells[0, cell]
        cells[1, cell] *= scale
        cells[2, cell] *= scale
        for band in range(n_bands):
            cells[3 + band, cell] = leaders[band, k] + cells[3 + band, cell] * scale
    return first_cell + n


@kernel(bare=True)
def cluster_tile(
    features: Float32Array, band_tuple: BandTuple, block: int, limit2: np.float32,
    cell_of: Int32Array, leaders: Float32Array, cells: Float32Array, first: Int32Array,
) -> int:  # fmt: skip
    """Cut the blocks of a tile into cells; ``first[b]`` is the first cell of block b."""
    height, width = cell_of.shape
    first[0] = 0
    b = 0
    for i in range(0, height, block):
        for j in range(0, width, block):
            first[b + 1] = cluster_block(
                features, band_tuple, i, j, min(i + block, height), min(j + block, width), limit2,
                first[b], cell_of, leaders, cells,
            )  # fmt: skip
            b += 1
    return int(first[b])


class _Meeting:
    """Emits `meet_cells`: `LANES` cells at a time."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        cells, owned, center = (
            context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 2, 7)
        )
        self.b, self.v = builder, Vectors(builder, LANES)
        self.begin, self.end, self.y, self.x = args[3:7]
        self.per_s2, self.per_r2, self.join2, self.claim2, here = args[8:]
        self.here = self.v.splat(here)
        self.index = self.begin.type
        n_rows, self.stride = cgutils.unpack_tuple(builder, cells.shape, 2)
        self.n_bands = builder.sub(n_rows, self.number(3))
        self.cells, self.owned, self.center = cells.data, owned.data, center.data
        self.static = range(len(signature.args[1]))

    def number(self, value: int) -> Any:
        return ir.Constant(self.index, value)

    def each_band(self, do: Callable[[Any, Any], None]) -> None:
        """Emit what `do` does with the row of `cells` and the centre's value of each band."""

        def one(band: Any) -> None:
            do(self.b.add(band, self.number(3)), self.b.load(self.b.gep(self.center, [band])))

        if self.static:
            for k in self.static:
                one(self.number(k))
        else:
            with cgutils.for_range(self.b, self.n_bands) as loop:
                one(loop.index)

    def emit(self) -> Any:
        b, v = self.b, self.v
        result, least = v.variable(self.number(-1)), v.variable(self.join2)
        lanes = (self.begin, self.end, self.number(LANES))
        with cgutils.for_range_slice(b, *lanes, inc=True) as (first, _):
            left = v.splat(b.trunc(b.sub(self.end, first), I32))
            exists = b.icmp_signed("<", ir.Constant(v.ints_type, list(range(LANES))), left)
            distance = b.select(exists, self.distance(first), v.floats(float("inf")))
            owners = v.load(self.owned, first)
            free = b.icmp_signed("<", owners, v.ints(0))
            claimed = b.and_(free, b.fcmp_ordered("<", distance, v.splat(self.claim2)))
            with b.if_then(v.any_lane(claimed)):
                self.claim(first, claimed)
            own = b.or_(free, b.icmp_signed("==", owners, self.here))
            distance = b.select(own, v.floats(float("inf")), distance)
            nearest = v.least(distance)
            with b.if_then(b.fcmp_ordered("<", nearest, b.load(least))):
                b.store(nearest, least)
                b.store(b.add(first, v.first_lane(distance, nearest)), result)
        return b.load(result)

    def distance(self, first: Any) -> Any:
        b, v = self.b, self.v
        space, color = v.variable(v.floats(0.0)), v.variable(v.floats(0.0))

        def add_square(slot: Any, row: Any, value: Any) -> None:
            at = b.add(b.mul(row, self.stride), first)
            d = b.fsub(v.load(self.cells, at), v.splat(value))
            b.store(v.fma(d, d, b.load(slot)), slot)

        add_square(space, self.number(1), self.y)
        add_square(space, self.number(2), self.x)
        self.each_band(lambda row, value: add_square(color, row, value))
        distance = b.fmul(b.load(space), v.splat(self.per_s2))
        return v.fma(b.load(color), v.splat(self.per_r2), distance)

    def claim(self, first: Any, claimed: Any) -> None:
        b, v = self.b, self.v

        def put(data: Any, at: Any, value: Any) -> None:
            found = v.load(data, at)
            v.save(b.select(claimed, value, found), data, at)

        def move(row: Any, value: Any) -> None:
            put(self.cells, b.add(b.mul(row, self.stride), first), v.splat(value))

        put(self.owned, first, self.here)
        move(self.number(1), self.y)
        move(self.number(2), self.x)
        self.each_band(move)


def _meet_cells(
    typingctx: Any, cells: Any, band_tuple: Any, owned: Any, begin: Any, end: Any, y: Any, x: Any,
    center: Any, per_s2: Any, per_r2: Any, join2: Any, claim2: Any, here: Any,
) -> Any:  # fmt: skip
    floats = [types.float32] * 4
    signature = types.intp(
        cells, band_tuple, owned, types.intp, types.intp, *floats[:2], center, *floats, types.int32
    )

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _Meeting(context, builder, signature, args).emit()

    return signature, codegen


def _plain_meet_cells(
    cells: Float32Array, band_tuple: BandTuple, owned: Int32Array, begin: int, end: int,
    y: np.float32, x: np.float32, center: Float32Array, per_s2: np.float32, per_r2: np.float32,
    join2: np.float32, claim2: np.float32, here: int,
) -> int:  # fmt: skip
    """Claim the free cells of a block close to a trajectory; return the nearest owned, or -1.

    Cells that are claimed move to where the trajectory is: whoever meets them meets it.

    Parameters
    ----------
    cells : ndarray, shape (3 + C, n + MAX_CELLS), float32
        Cells as from `cluster_tile`.
    band_tuple : tuple
        `band_tuple_of(C)`.
    owned : ndarray, shape (n + MAX_CELLS,), int32
        Trajectory that owns each cell, -1 where free.
    begin, end : int
        The cells of the block, `MAX_CELLS` at most.
    y, x, center, here
        Where the trajectory is, and its number.
    per_s2, per_r2, join2, claim2 : float32
        As in `fast.shift_tile`.
    """
    some = cells[:, begin:end]
    space = (some[1] - y) ** 2 + (some[2] - x) ** 2
    distance = ((some[3:] - center[:, None]) ** 2).sum(axis=0) * per_r2 + space * per_s2
    owners = owned[begin:end].copy()
    claimed = (owners < 0) & (distance < claim2)
    owned[begin:end][claimed] = here
    some[1:, claimed] = np.array([y, x, *center], np.float32)[:, None]
    distance[(owners < 0) | (owners == here) | ~(distance < join2)] = np.inf
    return begin + int(distance.argmin()) if (distance < np.inf).any() else -1


meet_cells: Any = intrinsic(_meet_cells) if _VECTORS else _plain_meet_cells


@kernel(bare=True)
def largest_first(cells: Float32Array, n: int, start: Int32Array, order: Int32Array) -> None:
    """Put the first `n` cells in the order of their sizes, the largest first, equal ones as before.

    Parameters
    ----------
    cells : ndarray, float32
        Row 0 has the sizes, from 1 to ``len(start) - 1``.
    start : ndarray, int32
        Room.
    order : ndarray, shape (n,) or longer, int32
        Receives the cells.
    """
    largest = len(start) - 1
    for k in range(largest + 1):
        start[k] = 0
    for cell in range(n):
        start[largest - int(cells[0, cell]) + 1] += 1
    for k in range(largest):
        start[k + 1] += start[k]
    for cell in range(n):
        k = largest - int(cells[0, cell])
        order[start[k]] = cell
        start[k] += 1
