"""The flat window over 16-bit planes, sixteen pixels at a time, in integers.

Colours are stored as ``round((colour - offset) * scale)``. Twice a difference from the centre,
saturated, is squared and cut to its upper 16 bits; their sum over the bands is compared with the
squared range bandwidth in the same unit. The cut makes the window's edge in colour up to one part
in a hundred soft; positions and sums are exact, so nothing depends on the order of additions.
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
from segment.kernels.vectors import F32, I16, Vectors

LANES16 = 16
MISSING = -(2**15)
MAX_BANDWIDTH = 10_000  # rows are counted in 16 bits


class _Window16:
    """Emits `flat_sums16`: columns of `LANES16` pixels, walked downwards."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        planes, center, sums = (
            context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 2, 3)
        )
        self.b, self.v = builder, Vectors(builder, LANES16)
        self.row, self.column, self.n_rows, self.n_columns, self.flush = args[4:9]
        self.y_first, self.x_first, self.s_limit, self.r_limit = args[9:]
        self.index = self.row.type
        _, rows, self.row_stride = cgutils.unpack_tuple(builder, planes.shape, 3)
        stride = builder.mul(rows, self.row_stride)
        self.sums = sums.data
        self.bands = range(len(signature.args[1]))
        self.planes = [
            builder.gep(planes.data, [builder.mul(stride, self.number(k))]) for k in self.bands
        ]
        self.centers = [
            self.v.splat(builder.load(builder.gep(center.data, [self.number(k)])))
            for k in self.bands
        ]

    def number(self, value: int) -> Any:
        return ir.Constant(self.index, value)

    def emit(self) -> None:
        b, v = self.b, self.v
        self.weight, self.y, self.x = (v.variable(v.floats(0.0)) for _ in range(3))
        self.band_sums = [v.variable(v.ints(0)) for _ in self.bands]
        self.limit = v.splat(b.fptosi(self.r_limit, I16))
        lanes = self.number(LANES16)
        columns = (self.number(0), self.n_columns, lanes)
        with cgutils.for_range_slice(b, *columns, inc=True) as (left, _):
            self.emit_column(left)
        totals = [v.total(b.load(slot)) for slot in (self.weight, self.y, self.x)]
        totals += [b.sitofp(v.total(b.load(slot)), F32) for slot in self.band_sums]
        for k, total in enumerate(totals):
            b.store(total, b.gep(self.sums, [self.number(8 * k)]))

    def emit_column(self, left: Any) -> None:
        b, v = self.b, self.v
        x_left = b.fadd(self.x_first, b.sitofp(left, F32))
        x = b.fadd(v.splat(x_left), v.ramp())
        top, end = v.rows_of_disc(x_left, self.y_first, self.s_limit, self.n_rows)
        y_top = v.splat(b.fadd(self.y_first, b.sitofp(top, F32)))
        room = b.fsub(v.splat(self.s_limit), b.fmul(x, x))
        room = b.select(b.fcmp_ordered(">", room, v.floats(0.0)), room, v.floats(0.0))
        # Rows `low` to below `high` are inside. One signed comparison: rows before the disc count
        # up from the smallest short, wrap, and are large.
        half = v.llvm("sqrt", room)
        low = b.fadd(v.llvm("floor", b.fsub(b.fneg(half), y_top)), v.floats(1.0))
        high = v.llvm("ceil", b.fsub(half, y_top))
        rows = b.select(b.fcmp_ordered(">", high, low), b.fsub(high, low), v.floats(0.0))
        low, rows = (b.trunc(b.fptosi(f, v.ints_type), v.shorts_type) for f in (low, rows))
        lowest = v.shorts(-(2**15))
        place = v.variable(b.sub(lowest, low))
        inside = b.add(lowest, rows)
        start = b.add(b.mul(self.row, self.row_stride), b.add(self.column, left))
        with cgutils.for_range_slice(b, top, end, self.flush, inc=True) as (first, _):
            last = b.add(first, self.flush)
            last = b.select(b.icmp_signed("<", last, end), last, end)
            self.emit_chunk(start, first, last, place, inside, x)

    def emit_chunk(self, start: Any, first: Any, end: Any, place: Any, inside: Any, x: Any) -> None:
        """Add up rows whose 16-bit sums cannot overflow, then widen them."""
        b, v = self.b, self.v
        hits, running = v.variable(v.shorts(0)), v.variable(v.shorts(0))
        sums = [v.variable(v.shorts(0)) for _ in self.bands]
        n_rows = v.even(b.sub(end, first))
        top = b.add(start, b.mul(first, self.row_stride))
        with v.rows(top, n_rows, self.row_stride) as pair:
            for at in pair:
                hit = self.emit_hits(at, place, inside, sums)
                b.store(b.sub(b.load(hits), b.sext(hit, v.shorts_type)), hits)
                v.increase(running, b.load(hits))
        for total, slot in zip(self.band_sums, sums, strict=True):
            b.store(b.sub(b.load(total), b.sext(b.load(slot), v.ints_type)), total)
        # `running` counts each hit once for its row and once for each row below it in the chunk.
        weight = b.sitofp(b.load(hits), v.floats_type)
        y_end = v.splat(b.fadd(self.y_first, b.sitofp(b.add(first, n_rows), F32)))
        below = b.sitofp(b.load(running), v.floats_type)
        v.increase(self.y, b.fsub(b.fmul(weight, y_end), below))
        v.increase(self.weight, weight)
        v.increase(self.x, b.fmul(weight, x))

    def emit_hits(self, at: Any, place: Any, inside: Any, sums: list[Any]) -> Any:
        """Add the hits at `at` to the sums, with their sign turned; return where they are."""
        b, v = self.b, self.v
        differences, distance = [], None
        for plane, center in zip(self.planes, self.centers, strict=True):
            d = v.llvm("ssub.sat", center, v.load(plane, at))
            differences.append(d)
            square = self.upper_square(v.llvm("sadd.sat", d, d))
            distance = square if distance is None else v.llvm("sadd.sat", distance, square)
        hit = b.and_(
            b.icmp_signed("<", b.load(place), inside), b.icmp_signed("<", distance, self.limit)
        )
        b.store(b.sub(b.load(place), v.shorts(-1)), place)
        for slot, d in zip(sums, differences, strict=True):
            v.increase(slot, b.select(hit, d, v.shorts(0)))
        return hit

    def upper_square(self, d: Any) -> Any:
        """Return d * d >> 16, one multiplication on most processors."""
        b, v = self.b, self.v
        wide = b.sext(d, v.ints_type)
        return b.trunc(b.ashr(b.mul(wide, wide), v.ints(16)), v.shorts_type)


def _flat_sums16(
    typingctx: Any, planes: Any, bands: Any, center: Any, sums: Any, row: Any, column: Any,
    n_rows: Any, n_columns: Any, flush: Any, y_first: Any, x_first: Any, s_limit: Any, r_limit: Any,
) -> Any:  # fmt: skip
    scalars = (*[types.intp] * 5, *[types.float32] * 4)
    signature = types.none(planes, bands, center, sums, *scalars)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if len(signature.args[1]):  # 16 bits are for colour spaces, of four bands at most
            _Window16(context, builder, signature, args).emit()
        return context.get_dummy_value()

    return signature, codegen


def _plain_sums16(
    planes: Any, _: Any, center: Any, sums: Any, row: int, column: int, n_rows: int,
    n_columns: int, flush: int, y_first: float, x_first: float, s_limit: float, r_limit: float,
) -> None:  # fmt: skip
    """What `flat_sums16` computes, in NumPy, for runs without the JIT."""
    block = planes[:, row : row + n_rows, column : column + n_columns].astype(np.int64)
    y = (np.float32(y_first) + np.arange(n_rows, dtype=np.float32))[:, None]
    x = (np.float32(x_first) + np.arange(n_columns, dtype=np.float32))[None]
    d = np.clip(block - center[:, None, None], -(2**15), 2**15 - 1)
    doubled = np.clip(2 * d, -(2**15), 2**15 - 1)
    hit = (y * y + x * x < s_limit) & ((doubled * doubled >> 16).sum(axis=0) < r_limit)
    for k, value in enumerate([1 + 0 * d[0], y + 0 * x, x + 0 * y, *d]):
        sums[k, 0] = value[hit].sum()


flat_sums16: Any = _plain_sums16 if numba.config.DISABLE_JIT else intrinsic(_flat_sums16)  # type: ignore[attr-defined]


@kernel(inline="always")
def window_sums16(
    planes: Any, bands: Any, radius: Any, flush: int, row: int, column: int,
    y: Any, x: Any, center: Any, sums: Any,
) -> None:  # fmt: skip
    """Sum position and colour over the flat window about one centre, as `window_sums` does.

    `planes` and `center` are int16, `radius` and `flush` come from `window_shape16`, and the sums
    of the bands are in the unit of the planes.
    """
    reach = np.sqrt(radius[0])
    top = int(np.floor(y - reach)) + 1
    left = int(np.floor(x - reach)) + 1
    n_rows = int(np.ceil(y + reach)) - top
    n_columns = int(np.ceil(x + reach)) - left
    flat_sums16(
        planes, bands, center, sums, row + top, column + left, n_rows, n_columns, flush,
        np.float32(top) - y, np.float32(left) - x, radius[0], radius[1],
    )  # fmt: skip


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
    The range bandwidth becomes 1,000 to 1,640 units: enough to square it with one part in a hundred
    of error, and few enough to add up the rows of a window of radius 15 without widening them.
    """
    wanted = min(max(32000 / (2 * spatial_bandwidth + 2), 1000), 1640)
    scale = min(
        wanted / range_bandwidth, 32500 / span, 32000 / (first_span + 1.1 * range_bandwidth)
    )
    return scale if range_bandwidth * scale >= 900 else 0.0


def window_shape16(
    spatial_bandwidth: float,
    range_bandwidth: float,
    scale: float,
    n_bands: int,
    extent: float = np.inf,
) -> tuple[tuple[np.float32, np.float32], int]:
    """Return the squared radii that `window_sums16` compares, and its rows between flushes.

    `extent` is as in `window.window_shape`. The cut of a square loses half a unit on average, which
    the limit makes up for.
    """
    radius = 2 * range_bandwidth * scale
    limit = np.ceil(radius**2 / 2**16 - n_bands / 2)
    largest = np.sqrt((limit + n_bands) * 2**16) / 2 + 1
    flush = min(int(32767 // largest), 128) // 2 * 2
    return (np.float32(min(spatial_bandwidth, extent) ** 2), np.float32(limit)), flush
