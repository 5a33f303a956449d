"""Cells, the start points of the fast engine: the colours of the blocks of a tile.

Cells of one block are neighbours in memory, so that a trajectory meets them all with a few vector
instructions.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from segment.kernels.jit import kernel
from segment.kernels.vectors import I32, Vectors
from segment.kernels.window import LANES

MAX_CELLS = 16


@kernel()
def cluster_block(
    features: Any, top: int, left: int, bottom: int, right: int, limit2: Any, first_cell: int,
    cell_of: Any, leaders: Any, cells: Any,
) -> int:  # fmt: skip
    """Cut one block of a tile into cells; return one past the last cell used.

    Parameters
    ----------
    features : ndarray, shape (C, h, w), float32
        The tile; infinite where masked.
    top, left, bottom, right : int
        The block.
    limit2 : float32
        A pixel whose squared distance from every leader is at least this becomes a leader, up to
        `MAX_CELLS`; the others join the nearest.
    first_cell : int
        Number of the block's first cell.
    cell_of : ndarray, shape (h, w), int32
        Receives the cell of each pixel, -1 where masked.
    leaders : ndarray, shape (MAX_CELLS, C), float32
        Scratch.
    cells : ndarray, shape (3 + C, n), float32
        Receives pixels, mean row, mean column and mean features of each cell.
    """
    n_bands = features.shape[0]
    n = 0
    for i in range(top, bottom):
        for j in range(left, right):
            if features[0, i, j] == np.inf:
                cell_of[i, j] = -1
                continue
            best = -1
            nearest = np.float32(np.inf)
            for k in range(n):
                d2 = np.float32(0)
                for band in range(n_bands):
                    d = features[band, i, j] - leaders[k, band]
                    d2 += d * d
                if d2 < nearest:
                    nearest = d2
                    best = k
            if best < 0 or (nearest >= limit2 and n < MAX_CELLS):
                best = n
                n += 1
                for band in range(n_bands):
                    leaders[best, band] = features[band, i, j]
                cells[:, first_cell + best] = 0
            cell = first_cell + best
            cell_of[i, j] = cell
            cells[0, cell] += 1
            cells[1, cell] += np.float32(i)
            cells[2, cell] += np.float32(j)
            for band in range(n_bands):
                cells[3 + band, cell] += features[band, i, j] - leaders[best, band]
    for k in range(n):
        cell = first_cell + k
        scale = np.float32(1) / cells[0, cell]
        cells[1, cell] *= scale
        cells[2, cell] *= scale
        for band in range(n_bands):
            cells[3 + band, cell] = leaders[k, band] + cells[3 + band, cell] * scale
    return first_cell + n


@kernel()
def cluster_tile(
    features: Any, block: int, limit2: Any, cell_of: Any, cells: Any, first: Any
) -> int:
    """Cut the blocks of a tile into cells; ``first[b]`` is the first cell of block b."""
    height, width = cell_of.shape
    leaders = np.empty((MAX_CELLS, features.shape[0]), np.float32)
    n = 0
    b = 0
    for i in range(0, height, block):
        for j in range(0, width, block):
            first[b] = n
            b += 1
            n = cluster_block(
                features, i, j, min(i + block, height), min(j + block, width), limit2, n,
                cell_of, leaders, cells,
            )  # fmt: skip
    first[b] = n
    return n


def _meet_cells(
    typingctx: Any, cells: Any, owned: Any, begin: Any, end: Any, y: Any, x: Any, center: Any,
    per_s2: Any, per_r2: Any, join2: Any, claim2: Any, here: Any,
) -> Any:  # fmt: skip
    floats = [types.float32] * 4
    signature = types.intp(
        cells, owned, types.intp, types.intp, *floats[:2], center, *floats, types.int32
    )

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        cells, owned, center = (
            context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 1, 6)
        )
        b, v = builder, Vectors(builder, LANES)
        begin, end, y, x = args[2:6]
        per_s2, per_r2, join2, claim2, here = args[7:]
        n_rows, stride = cgutils.unpack_tuple(b, cells.shape, 2)

        def number(value: int) -> Any:
            return ir.Constant(begin.type, value)

        result = v.variable(number(-1))
        least = v.variable(join2)
        with cgutils.for_range_slice(b, begin, end, number(LANES), inc=True) as (first, _):
            space, color = v.variable(v.floats(0.0)), v.variable(v.floats(0.0))

            def add_square(slot: Any, row: Any, value: Any) -> None:
                at = b.add(b.mul(row, stride), first)
                d = b.fsub(v.load(cells.data, at), v.splat(value))
                b.store(v.fma(d, d, b.load(slot)), slot)

            add_square(space, number(1), y)
            add_square(space, number(2), x)
            with cgutils.for_range(b, b.sub(n_rows, number(3))) as band:
                value = b.load(b.gep(center.data, [band.index]))
                add_square(color, b.add(band.index, number(3)), value)
            distance = b.fmul(b.load(space), v.splat(per_s2))
            distance = v.fma(b.load(color), v.splat(per_r2), distance)
            lanes = ir.Constant(v.ints_type, list(range(LANES)))
            left = v.splat(b.trunc(b.sub(end, first), I32))
            beyond = b.icmp_signed(">=", lanes, left)
            distance = b.select(beyond, v.floats(float("inf")), distance)

            owners = v.load(owned.data, first)
            free = b.icmp_signed("<", owners, v.ints(0))
            claimed = b.and_(free, b.fcmp_ordered("<", distance, v.splat(claim2)))
            slot = b.bitcast(b.gep(owned.data, [first]), v.ints_type.as_pointer())
            here_v = v.splat(here)
            b.store(b.select(claimed, here_v, owners), slot, align=4)

            own = b.or_(free, b.icmp_signed("==", owners, here_v))
            distance = b.select(own, v.floats(float("inf")), distance)
            met = b.fcmp_ordered("<", distance, v.splat(b.load(least)))
            bits = ir.IntType(LANES)
            with b.if_then(b.icmp_unsigned("!=", b.bitcast(met, bits), ir.Constant(bits, 0))):
                nearest = v.least(distance)
                b.store(nearest, least)
                equal = b.fcmp_ordered("==", distance, v.splat(nearest))
                lane = b.cttz(b.bitcast(equal, bits), ir.Constant(ir.IntType(1), 1))
                b.store(b.add(first, b.zext(lane, begin.type)), result)
        return b.load(result)

    return signature, codegen


def _plain_meet_cells(
    cells: Any, owned: Any, begin: int, end: int, y: Any, x: Any, center: Any, per_s2: Any,
    per_r2: Any, join2: Any, claim2: Any, here: int,
) -> int:  # fmt: skip
    """Claim the free cells of a block close to a trajectory; return the nearest owned, or -1.

    Parameters
    ----------
    cells : ndarray, shape (3 + C, n + MAX_CELLS), float32
        Cells as from `cluster_tile`.
    owned : ndarray, shape (n + MAX_CELLS,), int32
        Trajectory that owns each cell, -1 where free.
    begin, end : int
        The cells of the block, `MAX_CELLS` at most.
    y, x, center, here
        Where the trajectory is, and its number.
    per_s2, per_r2, join2, claim2 : float32
        As in `tiles.shift_tile`.
    """
    some = cells[:, begin:end]
    space = (some[1] - y) ** 2 + (some[2] - x) ** 2
    distance = ((some[3:] - center[:, None]) ** 2).sum(axis=0) * per_r2 + space * per_s2
    owners = owned[begin:end].copy()
    owned[begin:end][(owners < 0) & (distance < claim2)] = here
    distance[(owners < 0) | (owners == here) | ~(distance < join2)] = np.inf
    return begin + int(distance.argmin()) if (distance < np.inf).any() else -1


# `_plain_meet_cells` says what the vector instructions do, and runs where the JIT is disabled.
meet_cells: Any = _plain_meet_cells if numba.config.DISABLE_JIT else intrinsic(_meet_cells)  # type: ignore[attr-defined]


@kernel()
def largest_first(sizes: Any, largest: int) -> Any:
    """Return the order, int32 (n,), of sizes from `largest` down to 1; equal ones as they stand."""
    start = np.zeros(largest + 1, np.int32)
    for cell in range(sizes.size):
        start[largest - int(sizes[cell]) + 1] += 1
    for k in range(largest):
        start[k + 1] += start[k]
    order = np.empty(sizes.size, np.int32)
    for cell in range(sizes.size):
        k = largest - int(sizes[cell])
        order[start[k]] = cell
        start[k] += 1
    return order
