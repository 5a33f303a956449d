"""Vector arithmetic on top of an LLVM builder, for the kernels written as LLVM instructions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba.core import cgutils

F32 = ir.FloatType()
I16, I32 = ir.IntType(16), ir.IntType(32)

# 2**f on [0, 1), minimax of degree 5: relative error below 2e-7 in float32.
_EXP2 = (0.999999925, 0.693153073, 0.240153617, 0.0558263179, 0.00898934014, 0.00187757668)


class Vectors:
    """Emits vector instructions of a fixed number of lanes."""

    def __init__(self, builder: Any, lanes: int) -> None:
        self.b, self.lanes = builder, lanes
        self.floats_type = ir.VectorType(F32, lanes)
        self.ints_type = ir.VectorType(I32, lanes)
        self.shorts_type = ir.VectorType(I16, lanes)

    def floats(self, value: float) -> Any:
        return ir.Constant(self.floats_type, [value] * self.lanes)

    def ints(self, value: int) -> Any:
        return ir.Constant(self.ints_type, [value] * self.lanes)

    def shorts(self, value: int) -> Any:
        return ir.Constant(self.shorts_type, [value] * self.lanes)

    def ramp(self) -> Any:
        """Return 0.0, 1.0, 2.0, ..."""
        return ir.Constant(self.floats_type, [float(k) for k in range(self.lanes)])

    def splat(self, scalar: Any) -> Any:
        kind = ir.VectorType(scalar.type, self.lanes)
        first = self.b.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(I32, 0))
        return self.b.shuffle_vector(first, first, self.ints(0))

    def llvm(self, name: str, *args: Any) -> Any:
        """Call an LLVM intrinsic whose arguments and result are of one type."""
        kind = args[0].type
        scalar = kind.element if isinstance(kind, ir.VectorType) else kind
        suffix = "f32" if scalar == F32 else f"i{scalar.width}"
        if scalar is not kind:
            suffix = f"v{self.lanes}{suffix}"
        function = cgutils.get_or_insert_function(
            self.b.module, ir.FunctionType(kind, [kind] * len(args)), f"llvm.{name}.{suffix}"
        )
        return self.b.call(function, args)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        return self.llvm("fmuladd", a, b, c)

    def exp2(self, x: Any) -> Any:
        """2**x for x in (-100, 0]."""
        whole = self.b.fptosi(x, self.ints_type)  # rounds towards zero: fraction in (-1, 0]
        whole = self.b.sub(whole, self.ints(1))
        fraction = self.b.fsub(x, self.b.sitofp(whole, self.floats_type))
        value = self.floats(_EXP2[-1])
        for coefficient in reversed(_EXP2[:-1]):
            value = self.fma(value, fraction, self.floats(coefficient))
        bits = self.b.shl(self.b.add(whole, self.ints(127)), self.ints(23))
        return self.b.fmul(value, self.b.bitcast(bits, self.floats_type))

    def load(self, pointer: Any, index: Any) -> Any:
        """Load `lanes` elements from `index` on, aligned or not."""
        element = pointer.type.pointee
        kind = ir.VectorType(element, self.lanes)
        at = self.b.bitcast(self.b.gep(pointer, [index]), kind.as_pointer())
        return self.b.load(at, align=2 if element == I16 else 4)

    def save(self, vector: Any, pointer: Any, index: Any) -> None:
        """Store a vector of floats or ints from `index` on, aligned or not."""
        at = self.b.bitcast(self.b.gep(pointer, [index]), vector.type.as_pointer())
        self.b.store(vector, at, align=4)

    def variable(self, value: Any) -> Any:
        """Return a stack slot, which LLVM turns into a register, holding `value`."""
        slot = cgutils.alloca_once(self.b, value.type)
        self.b.store(value, slot)
        return slot

    def increase(self, slot: Any, value: Any) -> None:
        add = self.b.fadd if value.type == self.floats_type else self.b.add
        self.b.store(add(self.b.load(slot, align=4), value), slot, align=4)

    def least(self, vector: Any) -> Any:
        """Return the least lane of floats."""
        return self._fold(vector, lambda a, b: self.b.select(self.b.fcmp_ordered("<", a, b), a, b))

    def any_lane(self, lanes: Any) -> Any:
        """Return whether any of the results of a comparison is true."""
        bits = ir.IntType(self.lanes)
        return self.b.icmp_unsigned("!=", self.b.bitcast(lanes, bits), ir.Constant(bits, 0))

    def first_lane(self, vector: Any, value: Any) -> Any:
        """Return the first lane that equals a scalar, which one does, as a 64-bit integer."""
        bits = ir.IntType(self.lanes)
        equal = self.b.bitcast(self.b.fcmp_ordered("==", vector, self.splat(value)), bits)
        lane = self.b.cttz(equal, ir.Constant(ir.IntType(1), 1))
        return self.b.zext(lane, ir.IntType(64))

    def total(self, vector: Any) -> Any:
        """Return the sum over the lanes of floats or ints."""
        add = self.b.fadd if vector.type == self.floats_type else self.b.add
        return self._fold(vector, add)

    def pair_sums(self, shorts: Any, factors: Any = None) -> Any:
        """Return products of shorts (times 1 by default), neighbours added: half as many ints."""
        wide = self.b.sext(shorts, self.ints_type)
        if factors is not None:
            wide = self.b.mul(wide, self.b.sext(factors, self.ints_type), flags=("nsw",))
        return self._add_neighbours(wide, wide, range(0, self.lanes, 2))

    def totals(self, vectors: list[Any]) -> list[Any]:
        """Return the sum over the lanes of each of some vectors of eight ints.

        Vectors are folded four into one, each half of the lanes for itself: there are instructions
        for that.
        """
        lanes = (0, 2, 8, 10, 4, 6, 12, 14)
        found = []
        for k in range(0, len(vectors), 4):
            four = vectors[k : k + 4]
            first, second, third, fourth = (four * 4)[:4]
            sums = self._add_neighbours(
                self._add_neighbours(first, second, lanes),
                self._add_neighbours(third, fourth, lanes),
                lanes,
            )
            for j in range(len(four)):
                halves = (self.b.extract_element(sums, ir.Constant(I32, j + i)) for i in (0, 4))
                found.append(self.b.add(*halves))
        return found

    def _add_neighbours(self, a: Any, b: Any, lanes: Sequence[int]) -> Any:
        kind = ir.VectorType(I32, len(lanes))
        even, odd = (
            self.b.shuffle_vector(a, b, ir.Constant(kind, [k + odd for k in lanes]))
            for odd in (0, 1)
        )
        return self.b.add(even, odd)

    def _fold(self, vector: Any, join: Callable[[Any, Any], Any]) -> Any:
        width = self.lanes
        while width > 1:
            width //= 2
            kind = ir.VectorType(I32, width)
            halves = [
                self.b.shuffle_vector(
                    vector, vector, ir.Constant(kind, list(range(start, start + width)))
                )
                for start in (0, width)
            ]
            vector = join(*halves)
        return self.b.extract_element(vector, ir.Constant(I32, 0))

    @contextmanager
    def rows(self, start: Any, n_rows: Any, stride: Any) -> Iterator[tuple[Any, Any]]:
        """Loop over rows two at a time; yields the flat indices of both.

        `n_rows` is even. The step of the loop is not constant, so that LLVM does not unroll it
        further, which would cost more registers than there are.
        """
        b = self.b
        step = b.add(stride, stride)
        end = b.add(start, b.mul(n_rows, stride))
        with cgutils.for_range_slice(b, start, end, step, inc=True) as (at, _):
            yield at, b.add(at, stride)

    def even(self, n: Any) -> Any:
        """Return n, or n + 1 if n is odd."""
        return self.b.add(n, self.b.and_(n, ir.Constant(n.type, 1)))

    def rows_of_disc(self, x_left: Any, y_first: Any, s_limit: Any, n_rows: Any) -> tuple[Any, Any]:
        """Return the rows, from first to one past the last, where a disc can reach `lanes` columns.

        `x_left` and `y_first` are the first column and row relative to the disc's centre, `s_limit`
        its squared radius; rows count from 0 to `n_rows`.
        """
        b, index = self.b, n_rows.type
        zero, none = ir.Constant(F32, 0.0), ir.Constant(index, 0)
        right = b.fneg(b.fadd(x_left, ir.Constant(F32, self.lanes - 1.0)))
        nearest = b.select(b.fcmp_ordered(">", x_left, right), x_left, right)
        nearest = b.select(b.fcmp_ordered(">", nearest, zero), nearest, zero)
        room = b.fsub(s_limit, b.fmul(nearest, nearest))
        room = b.select(b.fcmp_ordered(">", room, zero), room, zero)
        half = b.fadd(self.llvm("sqrt", room), ir.Constant(F32, 0.01))  # covers rounding
        top = b.fptosi(b.fneg(b.fadd(half, y_first)), index)
        top = b.select(b.icmp_signed("<", top, none), none, top)
        end = b.add(b.fptosi(b.fsub(half, y_first), index), ir.Constant(index, 1))
        end = b.select(b.icmp_signed("<", end, n_rows), end, n_rows)
        return top, end
