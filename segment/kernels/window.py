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

from segment.kernels.jit import kernel

LANES = 8
MAX_STATIC_BANDS = 4
FLAT, EPANECHNIKOV, GAUSSIAN = 0, 1, 2

_F32 = ir.FloatType()
_I32 = ir.IntType(32)
_VECTOR = ir.VectorType(_F32, LANES)
_INT_VECTOR = ir.VectorType(_I32, LANES)

# 2**f on [0, 1), minimax of degree 5: relative error below 2e-7 in float32.
_EXP2 = (0.999999925, 0.693153073, 0.240153617, 0.0558263179, 0.00898934014, 0.00187757668)


def static_bands(n_bands: int) -> tuple[int, ...]:
    """Return a tuple whose length tells the compiler the number of bands, () beyond four.

    Kernels are compiled for 1 to 4 bands with everything in registers, and once more for any
    larger number.
    """
    return (0,) * n_bands if n_bands <= MAX_STATIC_BANDS else ()


class _Emitter:
    """Vector arithmetic on top of an LLVM builder."""

    def __init__(self, builder: Any) -> None:
        self.b = builder

    def const(self, value: float) -> Any:
        return ir.Constant(_VECTOR, [value] * LANES)

    def splat(self, scalar: Any) -> Any:
        first = self.b.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(_I32, 0)
        )
        return self.b.shuffle_vector(first, first, ir.Constant(_INT_VECTOR, [0] * LANES))

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        function = cgutils.get_or_insert_function(self.b.module, kind, f"llvm.fmuladd.v{LANES}f32")
        return self.b.call(function, [a, b, c])

    def sqrt(self, scalar: Any) -> Any:
        kind = ir.FunctionType(_F32, [_F32])
        function = cgutils.get_or_insert_function(self.b.module, kind, "llvm.sqrt.f32")
        return self.b.call(function, [scalar])

    def exp2(self, x: Any) -> Any:
        """2**x for x in (-100, 0]."""
        whole = self.b.fptosi(x, _INT_VECTOR)  # rounds towards zero: fraction in (-1, 0]
        whole = self.b.sub(whole, ir.Constant(_INT_VECTOR, [1] * LANES))
        fraction = self.b.fsub(x, self.b.sitofp(whole, _VECTOR))
        value = self.const(_EXP2[-1])
        for coefficient in reversed(_EXP2[:-1]):
            value = self.fma(value, fraction, self.const(coefficient))
        bits = self.b.shl(
            self.b.add(whole, ir.Constant(_INT_VECTOR, [127] * LANES)),
            ir.Constant(_INT_VECTOR, [23] * LANES),
        )
        return self.b.fmul(value, self.b.bitcast(bits, _VECTOR))

    def load(self, pointer: Any, index: Any) -> Any:
        at = self.b.bitcast(self.b.gep(pointer, [index]), _VECTOR.as_pointer())
        return self.b.load(at, align=4)

    def total(self, vector: Any) -> Any:
        width = LANES
        while width > 1:
            width //= 2
            halves = [
                self.b.shuffle_vector(
                    vector,
                    vector,
                    ir.Constant(ir.VectorType(_I32, width), list(range(start, start + width))),
                )
                for start in (0, width)
            ]
            vector = self.b.fadd(*halves)
        return self.b.extract_element(vector, ir.Constant(_I32, 0))


def _emit_window(kind: int, context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Emit the body of one of the three `*_sums` intrinsics; see `window_sums` for its meaning.

    The window is walked in columns of `LANES` pixels, downwards: the horizontal distance is then
    constant in the inner loop, which is long and has no tail.
    """
    planes_type, weights_type, bands_type = signature.args[:3]
    planes, weights, _, center, sums, row, column, n_rows, n_columns, y_first, x_first = args[:11]
    s_limit, r_limit, s_scale, r_scale = args[11:]
    b, e, index = builder, _Emitter(builder), row.type

    def array(numba_type: Any, value: Any) -> Any:
        return context.make_array(numba_type)(context, b, value)

    def number(value: int) -> Any:
        return ir.Constant(index, value)

    planes, center = array(planes_type, planes), array(signature.args[3], center)
    sums = array(signature.args[4], sums).data
    pixel_weights = None if weights_type == types.none else array(weights_type, weights).data
    n_bands, plane_rows, row_stride = cgutils.unpack_tuple(b, planes.shape, 3)
    plane_stride = b.mul(plane_rows, row_stride)
    n_static = len(bands_type)
    f_zero, zero, one = ir.Constant(_F32, 0.0), e.const(0.0), e.const(1.0)
    count_type = _INT_VECTOR if kind == FLAT and pixel_weights is None else _VECTOR

    def new(kind: Any, value: Any) -> Any:
        slot = cgutils.alloca_once(b, kind)
        b.store(value, slot)
        return slot

    def sum_slot(k: Any) -> Any:
        return b.bitcast(b.gep(sums, [b.mul(k, number(LANES))]), _VECTOR.as_pointer())

    def center_of(k: Any) -> Any:
        return e.splat(b.load(b.gep(center.data, [k])))

    total_weight, total_y, total_x = (new(_VECTOR, zero) for _ in range(3))
    total_bands = [new(_VECTOR, zero) for _ in range(n_static)]
    centers = [center_of(number(k)) for k in range(n_static)]
    distance_slot = cgutils.alloca_once(b, _VECTOR)
    if not n_static:
        with cgutils.for_range(b, n_bands) as band:
            b.store(zero, sum_slot(b.add(band.index, number(3))), align=4)

    def block(at: Any, y: Any, room: Any, xx: Any, column_weight: Any) -> None:
        """Add the `LANES` pixels from flat index `at`."""

        def difference(k: Any) -> Any:
            return b.fsub(e.load(planes.data, b.add(at, b.mul(plane_stride, k))), center_of(k))

        if n_static:
            differences = [
                b.fsub(e.load(planes.data, b.add(at, b.mul(plane_stride, number(k)))), centers[k])
                for k in range(n_static)
            ]
            distance = b.fmul(differences[0], differences[0])
            for d in differences[1:]:
                distance = e.fma(d, d, distance)
        else:
            b.store(zero, distance_slot)
            with cgutils.for_range(b, n_bands) as band:
                d = difference(band.index)
                b.store(e.fma(d, d, b.load(distance_slot)), distance_slot)
            distance = b.load(distance_slot)
        yy = b.fmul(y, y)
        inside = b.and_(
            b.fcmp_ordered("<", yy, room), b.fcmp_ordered("<", distance, e.splat(r_limit))
        )
        weight = None
        if kind != FLAT:
            s = b.fmul(b.fadd(yy, xx), e.splat(s_scale))
            r = b.fmul(distance, e.splat(r_scale))
            if kind == EPANECHNIKOV:
                weight = b.fmul(b.fsub(one, s), b.fsub(one, r))
            else:
                weight = e.exp2(b.select(inside, b.fneg(b.fadd(s, r)), zero))
        if pixel_weights is not None:
            pixel = e.load(pixel_weights, at)
            weight = pixel if weight is None else b.fmul(weight, pixel)

        def add(slot: Any, value: Any) -> None:
            value = value if weight is None else b.fmul(weight, value)
            value = b.select(inside, value, zero)
            b.store(b.fadd(b.load(slot, align=4), value), slot, align=4)

        if count_type is _INT_VECTOR:
            hit = b.sext(inside, _INT_VECTOR)
            b.store(b.sub(b.load(column_weight), hit), column_weight)
        else:
            add(column_weight, one)
        add(total_y, y)
        for slot, d in zip(total_bands, differences if n_static else [], strict=True):
            add(slot, d)
        if not n_static:
            with cgutils.for_range(b, n_bands) as band:
                add(sum_slot(b.add(band.index, number(3))), difference(band.index))

    n_blocks = b.ashr(b.add(n_columns, number(LANES - 1)), number(3))
    with cgutils.for_range(b, n_blocks) as blocks:
        left = b.mul(blocks.index, number(LANES))
        x_left = b.fadd(x_first, b.sitofp(left, _F32))
        x = b.fadd(e.splat(x_left), ir.Constant(_VECTOR, [float(k) for k in range(LANES)]))
        xx = b.fmul(x, x)
        # Rows that the disc cannot reach in these columns are not read; 0.01 covers rounding.
        x_right = b.fadd(x_left, ir.Constant(_F32, LANES - 1.0))
        nearest = b.select(b.fcmp_ordered(">", x_left, f_zero), x_left, b.fneg(x_right))
        nearest = b.select(b.fcmp_ordered(">", nearest, f_zero), nearest, f_zero)
        room = b.fsub(s_limit, b.fmul(nearest, nearest))
        room = b.select(b.fcmp_ordered(">", room, f_zero), room, f_zero)
        half = b.fadd(e.sqrt(room), ir.Constant(_F32, 0.01))
        top = b.fptosi(b.fneg(b.fadd(half, y_first)), index)
        top = b.select(b.icmp_signed("<", top, number(0)), number(0), top)
        end = b.add(b.fptosi(b.fsub(half, y_first), index), number(1))
        end = b.select(b.icmp_signed("<", end, n_rows), end, n_rows)
        column_weight = new(count_type, ir.Constant(count_type, [0] * LANES))
        room_v = b.fsub(e.splat(s_limit), xx)
        start = b.add(b.mul(b.add(row, top), row_stride), b.add(column, left))
        y_slot = new(_VECTOR, e.splat(b.fadd(y_first, b.sitofp(top, _F32))))
        with cgutils.for_range(b, b.sub(end, top)) as rows:
            y = b.load(y_slot)
            b.store(b.fadd(y, one), y_slot)
            block(b.add(start, b.mul(rows.index, row_stride)), y, room_v, xx, column_weight)
        weight = b.load(column_weight)
        if count_type is _INT_VECTOR:
            weight = b.sitofp(weight, _VECTOR)
        b.store(b.fadd(b.load(total_weight), weight), total_weight)
        b.store(e.fma(weight, x, b.load(total_x)), total_x)

    def put(k: Any, vector: Any) -> None:
        b.store(e.total(vector), b.gep(sums, [b.mul(k, number(LANES))]))

    for k, slot in enumerate([total_weight, total_y, total_x, *total_bands]):
        put(number(k), b.load(slot))
    if not n_static:
        with cgutils.for_range(b, n_bands) as band:
            k = b.add(band.index, number(3))
            put(k, b.load(sum_slot(k), align=4))
    return context.get_dummy_value()


_SCALARS = (*[types.intp] * 4, *[types.float32] * 6)


def _sums_intrinsic(kind: int) -> Any:
    # Numba counts the arguments of an intrinsic by its signature, so they are spelled out.
    def typing(
        typingctx: Any, planes: Any, weights: Any, bands: Any, center: Any, sums: Any,
        row: Any, column: Any, n_rows: Any, n_columns: Any, y_first: Any, x_first: Any,
        s_limit: Any, r_limit: Any, s_scale: Any, r_scale: Any,
    ) -> Any:  # fmt: skip
        signature = types.none(planes, weights, bands, center, sums, *_SCALARS)
        return signature, lambda *rest: _emit_window(kind, *rest)

    return intrinsic(typing)


flat_sums = _sums_intrinsic(FLAT)
epanechnikov_sums = _sums_intrinsic(EPANECHNIKOV)
gaussian_sums = _sums_intrinsic(GAUSSIAN)


def _plain_sums(
    kind: int, planes: Any, weights: Any, center: Any, sums: Any, row: int, column: int,
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
        def plain(planes: Any, weights: Any, _: Any, *rest: Any) -> None:
            _plain_sums(kind, planes, weights, *rest)

        return plain

    flat_sums, epanechnikov_sums, gaussian_sums = map(_plain, (FLAT, EPANECHNIKOV, GAUSSIAN))


@kernel()
def window_sums(
    kind: int, planes: Any, weights: Any, bands: Any, radius: Any, row: int, column: int,
    y: Any, x: Any, center: Any, sums: Any,
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
    bands : tuple
        `static_bands(C)`.
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
            planes, weights, bands, center, sums, row, column, n_rows, n_columns,
            y_first, x_first, radius[0], radius[1], radius[2], radius[3],
        )  # fmt: skip
    elif kind == EPANECHNIKOV:
        epanechnikov_sums(
            planes, weights, bands, center, sums, row, column, n_rows, n_columns,
            y_first, x_first, radius[0], radius[1], radius[2], radius[3],
        )  # fmt: skip
    else:
        gaussian_sums(
            planes, weights, bands, center, sums, row, column, n_rows, n_columns,
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
