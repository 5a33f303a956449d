"""One step of mean shift: the weighted sums over a spatial-colour window, eight pixels at a time.

Numba's own loops leave short rows (a window at spatial bandwidth 7 is 13 pixels wide) to scalar
code, so the window is written as LLVM vector instructions, which LLVM lowers for any processor.
`_plain_sums` says in NumPy what they mean: it runs where the JIT is disabled, and the tests hold
the two together.

Layout. `planes` is float32 (bands, rows, columns), padded with infinity (so are masked pixels): an
infinite pixel is in no window. Rows end with at least `LANES` columns of padding. Colours and
positions enter relative to the centre of the window, which keeps float32 sums exact to about 1e-6
and makes the result independent of where in the image the window lies.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from segment.kernels.arrays import AnyArray, Float32Array
from segment.kernels.jit import kernel
from segment.kernels.vectors import F32, Vectors

LANES = 8
MAX_STATIC_BANDS = 4
FLAT, EPANECHNIKOV, GAUSSIAN = 0, 1, 2

BandTuple = tuple[int, ...]
Radius = tuple[np.float32, np.float32, np.float32, np.float32]


def band_tuple_of(n_bands: int) -> tuple[int, ...]:
    """Return a tuple whose length tells the compiler the number of band_tuple, () beyond four.

    Kernels are compiled for 1 to 4 bands with everything in registers, and once more for any
    larger number.
    """
    return (0,) * n_bands if n_bands <= MAX_STATIC_BANDS else ()


@kernel(inline="always")
def count_bands(band_tuple: BandTuple, planes: AnyArray) -> int:
    """Return the number of band_tuple, known to the compiler where `band_tuple` tells it."""
    return len(band_tuple) if len(band_tuple) > 0 else planes.shape[0]


class _Window:
    """Emits the body of one of the three `*_sums` intrinsics; see `window_sums` for its meaning.

    The window is walked in columns of `LANES` pixels, downwards: what depends on the horizontal
    distance is then constant in the inner loop, which is long and has no tail.
    """

    def __init__(self, kind: int, context: Any, builder: Any, signature: Any, args: Any) -> None:
        types_of = signature.args
        planes, center, sums = (
            context.make_array(types_of[k])(context, builder, args[k]) for k in (0, 3, 4)
        )
        self.b, self.v, self.kind = builder, Vectors(builder, LANES), kind
        self.row, self.column, self.n_rows, self.n_columns, self.y_first, self.x_first = args[5:11]
        self.s_limit, self.r_limit, self.s_scale, self.r_scale = args[11:]
        self.index = self.row.type
        self.n_bands, rows, self.row_stride = cgutils.unpack_tuple(builder, planes.shape, 3)
        self.plane_stride = builder.mul(rows, self.row_stride)
        self.data, self.center, self.sums = planes.data, center.data, sums.data
        self.pixel_weights = None
        if types_of[1] != types.none:
            self.pixel_weights = context.make_array(types_of[1])(context, builder, args[1]).data
        self.counts = kind == FLAT and self.pixel_weights is None
        # With a static number of band_tuple, centres and sums stay in registers.
        self.static = range(len(types_of[2]))
        self.planes = [self.plane(self.number(k)) for k in self.static]
        self.centers = [self.center_of(self.number(k)) for k in self.static]

    def number(self, value: int) -> Any:
        return ir.Constant(self.index, value)

    def plane(self, k: Any) -> Any:
        return self.b.gep(self.data, [self.b.mul(self.plane_stride, k)])

    def center_of(self, k: Any) -> Any:
        return self.v.splat(self.b.load(self.b.gep(self.center, [k])))

    def sum_pointer(self, k: Any) -> Any:
        return self.b.gep(self.sums, [self.b.mul(k, self.number(LANES))])

    def band_sum(self, k: Any) -> Any:
        """Return the lanes of `sums` that hold band `k` where the number of bands is not static."""
        row = self.b.add(k, self.number(3))
        return self.b.bitcast(self.sum_pointer(row), self.v.floats_type.as_pointer())

    def each_band(self) -> Any:
        return cgutils.for_range(self.b, self.n_bands)

    def difference(self, k: Any, at: Any) -> Any:
        return self.b.fsub(self.v.load(self.plane(k), at), self.center_of(k))

    def emit(self) -> None:
        b, v = self.b, self.v
        zero = v.floats(0.0)
        self.weight, self.y, self.x = (v.variable(zero) for _ in range(3))
        self.band_sums = [v.variable(zero) for _ in self.static]
        self.distance = cgutils.alloca_once(b, v.floats_type)
        if not self.static:
            with self.each_band() as band:
                b.store(zero, self.band_sum(band.index), align=4)
        n_blocks = b.ashr(
            b.add(self.n_columns, self.number(LANES - 1)), self.number(LANES.bit_length() - 1)
        )
        with cgutils.for_range(b, n_blocks) as blocks:
            self.emit_column(b.mul(blocks.index, self.number(LANES)))
        for k, slot in enumerate([self.weight, self.y, self.x, *self.band_sums]):
            b.store(v.total(b.load(slot)), self.sum_pointer(self.number(k)))
        if not self.static:
            with self.each_band() as band:
                total = v.total(b.load(self.band_sum(band.index), align=4))
                b.store(total, self.sum_pointer(b.add(band.index, self.number(3))))

    def emit_column(self, left: Any) -> None:
        """Walk down `LANES` columns from column `left` of the window."""
        b, v = self.b, self.v
        x_left = b.fadd(self.x_first, b.sitofp(left, F32))
        x = b.fadd(v.splat(x_left), v.ramp())
        xx = b.fmul(x, x)
        room = b.fsub(v.splat(self.s_limit), xx)
        top, end = v.rows_of_disc(x_left, self.y_first, self.s_limit, self.n_rows)
        n_rows = b.sub(end, top)
        y_top = b.fadd(self.y_first, b.sitofp(top, F32))
        start = b.add(b.mul(b.add(self.row, top), self.row_stride), b.add(self.column, left))
        # A range whose step is not constant: LLVM cannot unroll it, which would cost more registers
        # than there are.
        rows = (start, b.add(start, b.mul(n_rows, self.row_stride)), self.row_stride)
        count_type = v.ints_type if self.counts else v.floats_type
        column_weight = v.variable(ir.Constant(count_type, [0] * LANES))
        if self.counts:
            y_slot = v.variable(v.splat(y_top))
            running = v.variable(v.ints(0))
            with cgutils.for_range_slice(b, *rows, inc=True) as (at, _):
                y = b.load(y_slot)
                self.emit_counted(at, b.fcmp_ordered("<", b.fmul(y, y), room), column_weight)
                b.store(b.fadd(y, v.floats(1.0)), y_slot)
                v.increase(running, b.load(column_weight))
            # `running` counts each hit once for its row and once for each row below.
            weight = b.sitofp(b.load(column_weight), v.floats_type)
            y_end = v.splat(b.fadd(y_top, b.sitofp(n_rows, F32)))
            v.increase(
                self.y, b.fsub(b.fmul(weight, y_end), b.sitofp(b.load(running), v.floats_type))
            )
        else:
            y_slot = v.variable(v.splat(y_top))
            with cgutils.for_range_slice(b, *rows, inc=True) as (at, _):
                y = b.load(y_slot)
                self.emit_weighted(at, y, xx, room, column_weight)
                b.store(b.fadd(y, v.floats(1.0)), y_slot)
            weight = b.load(column_weight)
        v.increase(self.weight, weight)
        v.increase(self.x, b.fmul(weight, x))

    def emit_distance(self, at: Any) -> tuple[Any, list[Any]]:
        """Return squared colour distances at `at`, and the differences if they are in registers."""
        b, v = self.b, self.v
        if self.static:
            differences = [
                b.fsub(v.load(plane, at), center)
                for plane, center in zip(self.planes, self.centers, strict=True)
            ]
            distance = b.fmul(differences[0], differences[0])
            for d in differences[1:]:
                distance = v.fma(d, d, distance)
            return distance, differences
        b.store(v.floats(0.0), self.distance)
        with self.each_band() as band:
            d = self.difference(band.index, at)
            b.store(v.fma(d, d, b.load(self.distance)), self.distance)
        return b.load(self.distance), []

    def add_bands(self, at: Any, differences: list[Any], contribution: Any) -> None:
        for slot, d in zip(self.band_sums, differences, strict=True):
            self.v.increase(slot, contribution(d))
        if not self.static:
            with self.each_band() as band:
                d = self.difference(band.index, at)
                self.v.increase(self.band_sum(band.index), contribution(d))

    def emit_counted(self, at: Any, inside: Any, column_weight: Any) -> None:
        b, v = self.b, self.v
        distance, differences = self.emit_distance(at)
        inside = b.and_(inside, b.fcmp_ordered("<", distance, v.splat(self.r_limit)))
        hit = b.sext(inside, v.ints_type)
        b.store(b.sub(b.load(column_weight), hit), column_weight)
        self.add_bands(at, differences, lambda d: b.select(inside, d, v.floats(0.0)))

    def emit_weighted(self, at: Any, y: Any, xx: Any, room: Any, column_weight: Any) -> None:
        b, v = self.b, self.v
        distance, differences = self.emit_distance(at)
        yy = b.fmul(y, y)
        inside = b.and_(
            b.fcmp_ordered("<", yy, room), b.fcmp_ordered("<", distance, v.splat(self.r_limit))
        )
        s = b.fmul(b.fadd(yy, xx), v.splat(self.s_scale))
        r = b.select(inside, b.fmul(distance, v.splat(self.r_scale)), v.floats(0.0))
        if self.kind == FLAT:
            weight = v.floats(1.0)
        elif self.kind == EPANECHNIKOV:
            weight = b.fmul(b.fsub(v.floats(1.0), s), b.fsub(v.floats(1.0), r))
        else:
            weight = v.exp2(b.fneg(b.fadd(b.select(inside, s, v.floats(0.0)), r)))
        if self.pixel_weights is not None:
            weight = b.fmul(weight, v.load(self.pixel_weights, at))
        weight = b.select(inside, weight, v.floats(0.0))
        v.increase(column_weight, weight)
        v.increase(self.y, b.fmul(weight, y))
        self.add_bands(
            at, differences, lambda d: b.select(inside, b.fmul(weight, d), v.floats(0.0))
        )


_SCALARS = (*[types.intp] * 4, *[types.float32] * 6)


def _sums_intrinsic(kind: int) -> Any:
    # Numba counts the arguments of an intrinsic by its signature, so they are spelled out.
    def typing(
        typingctx: Any, planes: Any, weights: Any, band_tuple: Any, center: Any, sums: Any,
        row: Any, column: Any, n_rows: Any, n_columns: Any, y_first: Any, x_first: Any,
        s_limit: Any, r_limit: Any, s_scale: Any, r_scale: Any,
    ) -> Any:  # fmt: skip
        signature = types.none(planes, weights, band_tuple, center, sums, *_SCALARS)

        def codegen(*rest: Any) -> Any:
            _Window(kind, *rest).emit()
            return rest[0].get_dummy_value()

        return signature, codegen

    return intrinsic(typing)


flat_sums = _sums_intrinsic(FLAT)
epanechnikov_sums = _sums_intrinsic(EPANECHNIKOV)
gaussian_sums = _sums_intrinsic(GAUSSIAN)


def _plain_sums(
    kind: int, planes: Float32Array, weights: Float32Array | None, center: Float32Array,
    sums: Float32Array, row: int, column: int,
    n_rows: int, n_columns: int, y_first: float, x_first: float, s_limit: float, r_limit: float,
    s_scale: float, r_scale: float,
) -> None:  # fmt: skip
    """What the intrinsics compute, in NumPy, for runs without the JIT."""
    block = planes[:, row : row + n_rows, column : column + n_columns]
    y = (np.float32(y_first) + np.arange(n_rows, dtype=np.float32))[:, None]
    x = (np.float32(x_first) + np.arange(n_columns, dtype=np.float32))[None]
    d = block - center[:, None, None]
    s, r = y * y + x * x, (d * d).sum(axis=0)
    inside = (s < s_limit) & (r < r_limit)
    s, r = np.where(inside, s, 0), np.where(inside, r, 0)
    weight = np.ones_like(r)
    if kind == EPANECHNIKOV:
        weight = (1 - s * s_scale) * (1 - r * r_scale)
    elif kind == GAUSSIAN:
        weight = np.exp2(-(s * s_scale + r * r_scale))
    if weights is not None:
        weight = weight * weights[row : row + n_rows, column : column + n_columns]
    weight = np.where(inside, weight, 0)
    for k, value in enumerate([np.ones_like(r), y + 0 * x, x + 0 * y, *np.where(inside, d, 0)]):
        sums[k, 0] = (weight * value).sum()


if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]

    def _plain(kind: int) -> Any:
        def plain(
            planes: Float32Array, weights: Float32Array | None, _: BandTuple, *rest: Any
        ) -> None:
            _plain_sums(kind, planes, weights, *rest)

        return plain

    flat_sums, epanechnikov_sums, gaussian_sums = map(_plain, (FLAT, EPANECHNIKOV, GAUSSIAN))


@kernel(inline="always")
def window_sums(
    kind: int, planes: Float32Array, weights: Float32Array | None, band_tuple: BandTuple,
    radius: Radius, row: int, column: int, y: np.float32, x: np.float32, center: Float32Array,
    sums: Float32Array,
) -> None:  # fmt: skip
    """Sum weight, position and colour over the window about one centre.

    Parameters
    ----------
    kind : int
        `FLAT`, `EPANECHNIKOV` or `GAUSSIAN`.
    planes : ndarray, shape (C, PH, PW), float32
        Padded features.
    weights : ndarray, shape (PH, PW), float32, or None
        Weight of each pixel.
    band_tuple : tuple
        `band_tuple_of(C)`.
    radius : tuple of four float32
        Squared radius in space, in colour; factors of the squared distances (`window_shape`).
    row, column : int
        A pixel of `planes`, and
    y, x : float32
        the centre's offset from it.
    center : ndarray, shape (C,), float32
        The centre's colour.
    sums : ndarray, shape (C + 3, LANES), float32
        ``sums[:, 0]`` receives the sum of the weights, and of the weighted differences from the
        centre: rows, columns, bands.
    """
    reach = np.sqrt(radius[0])
    top = int(np.floor(y - reach)) + 1
    left = int(np.floor(x - reach)) + 1
    n_rows = int(np.ceil(y + reach)) - top
    n_columns = int(np.ceil(x + reach)) - left
    y_first = np.float32(top) - y
    x_first = np.float32(left) - x
    row += top
    column += left
    if kind == FLAT:
        flat_sums(
            planes, weights, band_tuple, center, sums, row, column, n_rows, n_columns,
            y_first, x_first, radius[0], radius[1], radius[2], radius[3],
        )  # fmt: skip
    elif kind == EPANECHNIKOV:
        epanechnikov_sums(
            planes, weights, band_tuple, center, sums, row, column, n_rows, n_columns,
            y_first, x_first, radius[0], radius[1], radius[2], radius[3],
        )  # fmt: skip
    else:
        gaussian_sums(
            planes, weights, band_tuple, center, sums, row, column, n_rows, n_columns,
            y_first, x_first, radius[0], radius[1], radius[2], radius[3],
        )  # fmt: skip


def window_shape(
    kind: int, spatial_bandwidth: float, range_bandwidth: float, extent: float = np.inf
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Return the squared radii and the factors of the squared distances that `window_sums` takes.

    The Gaussian is cut off where it has fallen to 1.1 % of its height, three bandwidths out in
    space and in colour. `extent` is a distance, in pixels, that no two pixels are apart: a window
    larger than that sees no more, and needs more padding.
    """
    s, r = spatial_bandwidth**2, range_bandwidth**2
    cut = 9 if kind == GAUSSIAN else 1
    scale = 0.5 / np.log(2.0) if kind == GAUSSIAN else 1.0
    return (
        np.float32(min(cut * s, extent**2)),
        np.float32(cut * r),
        np.float32(scale / s),
        np.float32(scale / r),
    )


def window_reach(kind: int, spatial_bandwidth: float, extent: float = np.inf) -> int:
    """Return how many pixels a window extends from its centre, rounded up."""
    radius = 3 * spatial_bandwidth if kind == GAUSSIAN else spatial_bandwidth
    return int(np.ceil(min(radius, extent)))
