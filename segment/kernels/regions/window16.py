"""The flat window over 16-bit planes, sixteen pixels at a time, in integers.

Colours are stored as ``round((colour - offset) * scale)``. Differences from the centre, doubled if
that makes them finer, are saturated, squared and cut to their upper 16 bits; their sum over the
bands is compared with the squared range bandwidth in the same unit. The cut makes the window's edge
in colour about one part in forty soft, and its centre is rounded to one part in sixteen of a pixel;
sums are exact, so nothing depends on the order of additions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from segment.kernels.arrays import Int16Array
from segment.kernels.jit import kernel
from segment.kernels.regions.window import BandTuple
from segment.kernels.vectors import F32, I16, I32, Vectors

LANES16 = 16
MISSING = -(2**15)
PLACES = 16  # in a pixel, along each axis, for the centre of a window
MAX_BANDWIDTH = 2**14 / PLACES
MAX_BANDS = 8  # beyond these, sums and differences do not stay in registers
MOST_UNITS, LEAST_UNITS = 1640, 700  # of a plane in the range bandwidth
FINE_RADIUS = 1600  # from here on the squares of undoubled differences are fine enough


class Discs(NamedTuple):
    """A disc about each place in a pixel, cut into groups of `LANES16` columns.

    A pixel is inside where the depth of its row is less than the height of its column, both in
    units of ``1 / PLACES`` pixels. Rows and columns count from the centre's pixel.

    depths : ndarray, shape (PLACES + 1, 2 * far + 2), int16
        Distance from the centre of the rows ``-far .. far + 1``, by the place of the centre.
    heights : ndarray, shape (PLACES + 1, groups, LANES16), int16
        Half the height of the disc in each column, by place; 0 where it has no pixels.
    lefts : ndarray, shape (PLACES + 1,), int16
        First column of the first group, by place.
    tops : ndarray, shape (PLACES + 1, groups), int16
        First row of each group, by place.
    n_rows : ndarray, shape (groups,), int16
        Rows of each group, an even number. It is the same at every place, for processors guess how
        long a loop will be.
    limit : int
        What the squared distance in colour must be below.
    doubled : bool
        Whether differences are doubled before they are squared.
    flush : int
        Rows, an even number, whose sums stay within 16 bits.
    """

    depths: Int16Array
    heights: Int16Array
    lefts: Int16Array
    tops: Int16Array
    n_rows: Int16Array
    limit: int
    doubled: bool
    flush: int


class _Window16:
    """Emits `flat_sums16`: columns of `LANES16` pixels, walked downwards."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        planes, center = (
            context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 3)
        )
        discs = cgutils.unpack_tuple(builder, args[2], len(Discs._fields))
        depths, heights, lefts, tops, n_rows = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[2].types[:5], discs, strict=False)
        )
        limit, doubled, self.flush = discs[5:]
        self.b, self.v = builder, Vectors(builder, LANES16)
        self.at, place_y, place_x = args[4:]
        self.index = self.at.type
        self.limit, self.doubled = self.splat(limit), builder.trunc(doubled, ir.IntType(1))
        _, rows, self.row_stride = cgutils.unpack_tuple(builder, planes.shape, 3)
        stride = builder.mul(rows, self.row_stride)
        self.bands = range(len(signature.args[1]))
        self.planes = [
            builder.gep(planes.data, [builder.mul(stride, self.number(k))]) for k in self.bands
        ]
        self.centers = [
            self.v.splat(builder.load(builder.gep(center.data, [self.number(k)])))
            for k in self.bands
        ]
        _, self.n_groups, lanes = cgutils.unpack_tuple(builder, heights.shape, 3)
        _, n_depths = cgutils.unpack_tuple(builder, depths.shape, 2)
        # From here on, depths are counted from the row of the centre's pixel.
        middle = builder.sub(builder.lshr(n_depths, self.number(1)), self.number(1))
        row = builder.add(builder.mul(place_y, n_depths), middle)
        self.depths = builder.gep(depths.data, [row])
        column = builder.mul(place_x, builder.mul(self.n_groups, lanes))
        self.heights = builder.gep(heights.data, [column])
        self.tops = builder.gep(tops.data, [builder.mul(place_y, self.n_groups)])
        self.n_rows = n_rows.data
        self.left = self.short(lefts.data, place_x)

    def number(self, value: int) -> Any:
        return ir.Constant(self.index, value)

    def short(self, pointer: Any, k: Any) -> Any:
        """Load a short as an index."""
        return self.b.sext(self.b.load(self.b.gep(pointer, [k])), self.index)

    def emit(self) -> list[Any]:
        """Return the sums: pixels, rows, columns, bands."""
        b, v = self.b, self.v
        none = ir.Constant(ir.VectorType(I32, LANES16 // 2), None)
        self.weight, self.y, self.x = (v.variable(none) for _ in range(3))
        self.band_sums = [v.variable(none) for _ in self.bands]
        with cgutils.for_range(b, self.n_groups) as loop:
            self.emit_group(loop.index)
        slots = (self.weight, self.y, self.x, *self.band_sums)
        return [b.sitofp(total, F32) for total in v.totals([b.load(slot) for slot in slots])]

    def emit_group(self, group: Any) -> None:
        b = self.b
        column = b.mul(group, self.number(LANES16))
        left = b.add(self.left, column)
        height = self.v.load(self.heights, column)
        top = self.short(self.tops, group)
        end = b.add(top, self.short(self.n_rows, group))
        with cgutils.for_range_slice(b, top, end, self.flush, inc=True) as (first, _):
            stop = b.add(first, self.flush)
            stop = b.select(b.icmp_signed("<", stop, end), stop, end)
            self.emit_chunk(first, stop, left, height)

    def emit_chunk(self, top: Any, end: Any, left: Any, height: Any) -> None:
        """Add up rows whose 16-bit sums cannot overflow, then widen them."""
        b, v = self.b, self.v
        hits, running = v.variable(v.shorts(0)), v.variable(v.shorts(0))
        sums = [v.variable(v.shorts(0)) for _ in self.bands]
        start = b.add(b.add(self.at, b.mul(top, self.row_stride)), left)
        row_slot = v.variable(top)
        with b.if_else(self.doubled) as branches:
            for doubled, branch in zip((True, False), branches, strict=True):
                with branch, v.rows(start, b.sub(end, top), self.row_stride) as pair:
                    for k, at in enumerate(pair):
                        row = b.add(b.load(row_slot), self.number(k))
                        depth = v.splat(b.load(b.gep(self.depths, [row])))
                        inside = b.icmp_signed("<", depth, height)
                        hit = self.emit_hits(at, inside, doubled, sums)
                        b.store(b.sub(b.load(hits), b.sext(hit, v.shorts_type)), hits)
                        v.increase(running, b.load(hits))
                    b.store(b.add(b.load(row_slot), self.number(2)), row_slot)
        for total, slot in zip(self.band_sums, sums, strict=True):
            b.store(b.sub(b.load(total), v.pair_sums(b.load(slot))), total)
        # `running` counts each hit once for its row and once for each row below it in the chunk.
        weight = b.load(hits)
        v.increase(self.weight, v.pair_sums(weight))
        v.increase(self.y, v.pair_sums(weight, self.splat(end)))
        b.store(b.sub(b.load(self.y), v.pair_sums(b.load(running))), self.y)
        columns = ir.Constant(v.shorts_type, list(range(LANES16)))
        v.increase(self.x, v.pair_sums(weight, b.add(self.splat(left), columns)))

    def splat(self, value: Any) -> Any:
        return self.v.splat(self.b.trunc(value, I16))

    def emit_hits(self, at: Any, inside: Any, doubled: bool, sums: list[Any]) -> Any:
        """Add the hits at `at` to the sums, with their sign turned; return where they are."""
        b, v = self.b, self.v
        differences, distance = [], None
        for plane, center in zip(self.planes, self.centers, strict=True):
            d = v.llvm("ssub.sat", center, v.load(plane, at))
            differences.append(d)
            square = self.upper_square(v.llvm("sadd.sat", d, d) if doubled else d)
            distance = square if distance is None else v.llvm("sadd.sat", distance, square)
        hit = b.and_(inside, b.icmp_signed("<", distance, self.limit))
        for slot, d in zip(sums, differences, strict=True):
            v.increase(slot, b.select(hit, d, v.shorts(0)))
        return hit

    def upper_square(self, d: Any) -> Any:
        """Return d * d >> 16, one multiplication on most processors."""
        b, v = self.b, self.v
        wide = b.sext(d, v.ints_type)
        return b.trunc(b.ashr(b.mul(wide, wide), v.ints(16)), v.shorts_type)


def _flat_sums16(
    typingctx: Any, planes: Any, band_tuple: Any, discs: Any, center: Any, at: Any, place_y: Any,
    place_x: Any,
) -> Any:  # fmt: skip
    returned = types.UniTuple(types.float32, 3 + len(band_tuple))
    signature = returned(planes, band_tuple, discs, center, *[types.intp] * 3)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        sums = [ir.Constant(F32, 0.0)] * 3
        if len(signature.args[1]):
            sums = _Window16(context, builder, signature, args).emit()
        return context.make_tuple(builder, returned, sums)

    return signature, codegen


def _plain_sums16(
    planes: Int16Array, _: BandTuple, discs: Discs, center: Int16Array, at: int, place_y: int,
    place_x: int,
) -> tuple[np.float32, ...]:  # fmt: skip
    """What `flat_sums16` computes, in NumPy, for runs without the JIT."""
    sums = np.zeros(3 + len(center))
    row, column = divmod(at, planes.shape[2])
    depth = discs.depths[place_y]
    for group, (top, n) in enumerate(zip(discs.tops[place_y], discs.n_rows, strict=True)):
        y = top + np.arange(n)[:, None]
        x = discs.lefts[place_x] + LANES16 * group + np.arange(LANES16)[None]
        d = planes[:, row + y, column + x].astype(np.int64) - center[:, None, None]
        d = np.clip(d, -(2**15), 2**15 - 1)
        root = np.clip(2 * d, -(2**15), 2**15 - 1) if discs.doubled else d
        inside = depth[y + depth.size // 2 - 1] < discs.heights[place_x, group]
        hit = inside & ((root * root >> 16).sum(axis=0) < discs.limit)
        for k, value in enumerate([1 + 0 * d[0], y + 0 * x, x + 0 * y, *d]):
            sums[k] += value[hit].sum()
    return tuple(sums.astype(np.float32))


flat_sums16: Any = _plain_sums16 if numba.config.DISABLE_JIT else intrinsic(_flat_sums16)  # type: ignore[attr-defined]


@kernel(inline="always")
def window_sums16(
    planes: Int16Array, band_tuple: BandTuple, discs: Discs, row: int, column: int, y: np.float32,
    x: np.float32, center: Int16Array,
) -> tuple[np.float32, ...]:  # fmt: skip
    """Sum position and colour over the flat window about one centre.

    Parameters
    ----------
    planes : ndarray, shape (C, PH, PW), int16
        Padded features.
    band_tuple : tuple
        `band_tuple_of(C)`.
    discs : Discs
        From `make_discs`.
    row, column, y, x
        As in `window_sums`. The disc is drawn about the nearest place in a pixel.
    center : ndarray, shape (C,), int16
        The centre's colour.

    Returns
    -------
    sums : tuple of 3 + C float32
        Number of pixels; sums of their differences from the centre: rows, columns, bands.
    """
    whole_y, whole_x = np.rint(y), np.rint(x)
    dy, dx = y - whole_y, x - whole_x
    place_y = int(np.rint(dy * np.float32(PLACES))) + PLACES // 2
    place_x = int(np.rint(dx * np.float32(PLACES))) + PLACES // 2
    at = (row + int(whole_y)) * planes.shape[2] + column + int(whole_x)
    sums = flat_sums16(planes, band_tuple, discs, center, at, place_y, place_x)
    return (sums[0], sums[1] - sums[0] * dy, sums[2] - sums[0] * dx, *sums[3:])


def window_scale16(
    spatial_bandwidth: float, range_bandwidth: float, span: float, first_span: float
) -> float:
    """Return the units of a 16-bit plane in one unit of colour, or 0 where 16 bits do not do.

    Parameters
    ----------
    spatial_bandwidth, range_bandwidth : float
        Pixels, colour units.
    span, first_span : float
        Largest size of a colour, after its offset is taken off, in any band and in the first one,
        where it must stay out of reach of `MISSING`.

    Notes
    -----
    The range bandwidth becomes `MOST_UNITS` if it can, and `LEAST_UNITS` at least: enough to square
    it, after doubling where need be, with one part in forty of error, and few enough to add up the
    rows of a window of radius 8 without widening them.
    """
    scale = min(
        MOST_UNITS / range_bandwidth,
        32500 / max(span, 1e-30),
        32000 / (first_span + 1.1 * range_bandwidth),
    )
    return scale if range_bandwidth * scale >= LEAST_UNITS else 0.0


def make_discs(
    spatial_bandwidth: float, range_bandwidth: float, scale: float, n_bands: int
) -> Discs:
    """Return the discs that `window_sums16` takes.

    `scale` is from `window_scale16`. The cut of a square loses half a unit on average, which the
    limit makes up for.
    """
    radius = range_bandwidth * scale
    doubled = radius < FINE_RADIUS
    unit = 2**14 if doubled else 2**16
    limit = np.ceil(radius**2 / unit - n_bands / 2)
    flush = int(32767 // (np.sqrt((limit + n_bands) * unit) + 1)) // 2 * 2
    places = np.arange(-PLACES // 2, PLACES // 2 + 1)
    far = int(np.ceil(spatial_bandwidth + 0.5))
    n_groups = -(-int(np.ceil(2 * spatial_bandwidth)) // LANES16)
    lefts = np.floor(places / PLACES - spatial_bandwidth).astype(np.int16) + np.int16(1)
    x = lefts[:, None] - places[:, None] / PLACES + np.arange(n_groups * LANES16)
    heights = PLACES * np.sqrt(np.maximum(spatial_bandwidth**2 - x**2, 0))
    heights = np.ceil(heights).astype(np.int16).reshape(-1, n_groups, LANES16)
    depths = np.abs(PLACES * np.arange(-far, far + 2) - places[:, None]).astype(np.int16)
    inside = depths[:, None] < heights.max(axis=(0, 2))[:, None]
    tops = (inside.argmax(axis=2) - far).astype(np.int16)
    n_rows = inside.sum(axis=2).max(axis=0).astype(np.int16)
    n_rows += n_rows % 2
    return Discs(depths, heights, lefts, tops, n_rows, int(limit), doubled, flush)
