"""Label maps traced strip by strip: each region comes out as soon as it is complete.

::

    from segment.shapes import trace, write_shapes

    strips = (labels[top : top + 1024] for top in range(0, height, 1024))  # whole rows
    for found in trace(strips):              # Polygons, one batch a strip
        ...
    write_shapes("out.gpkg", trace(strips, transform=transform), crs=crs)

The polygons are, point for point, those of `segment.polygons`, however the rows are cut; only their
order differs. What is kept between strips is the outline of what is not complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.kernels.shapes import tracing
from segment.shapes.graph import NO_ARCS, Arcs, Lines, lay_out, simplify, trace_strip, twins
from segment.shapes.polygons import (
    Polygons,
    check_labels,
    check_tolerance,
    check_transform,
    draw,
)


def trace(
    strips: Iterable[ArrayLike],
    *,
    tolerance: float = 0.0,
    transform: Sequence[float] | None = None,
) -> Iterator[Polygons]:
    """Trace a label map that comes in strips of whole rows, from the top.

    Parameters
    ----------
    strips : iterable of array_like, shape (h, W), of integers
        Strips of any height, of labels up to 2**31 - 1. Each region is connected, at least over
        corners.
    tolerance, transform
        As in `segment.polygons`.

    Yields
    ------
    Polygons
        The regions that each strip completes, by rising label; none twice. May be empty.

    Raises
    ------
    InputError
        If a strip is no label map or of another width, or a region comes again that was complete.
    """
    tracer: Tracer | None = None
    for strip in strips:
        if tracer is None:
            tracer = Tracer(np.shape(strip)[-1], tolerance=tolerance, transform=transform)
        yield tracer.add(strip)
    if tracer is not None:
        yield tracer.finish()


class Tracer:
    """Traces strips of a label map; see `trace`, which is all that most will want.

    Parameters
    ----------
    width : int
        Columns of every strip.
    tolerance, transform
        As in `segment.polygons`.
    """

    def __init__(
        self, width: int, *, tolerance: float = 0.0, transform: Sequence[float] | None = None
    ) -> None:
        self._tolerance = check_tolerance(tolerance)
        self._transform = check_transform(transform)
        self._above = np.full(width, tracing.OUTSIDE, np.int32)
        self._top = 0  # vertex row that the next strip begins with
        self._open = NO_ARCS  # pieces that go on below
        self._waiting = NO_ARCS  # whole arcs, but others at their nodes are not
        self._arcs = NO_ARCS  # whole arcs of regions that are not complete
        self._lines = Lines.of(NO_ARCS)  # and what these are simplified to
        self._codes = np.empty((0, width + 1), np.uint8)  # rows of what is not simplified yet,
        self._codes_top = 0  # and the first of them
        self._emitted = np.zeros(1024, bool)

    def add(self, strip: ArrayLike) -> Polygons:
        """Trace further rows; return the regions that are complete now."""
        labels, renumbered = check_labels(strip)
        if renumbered is not None:
            raise InputError(
                f"labels go up to {renumbered[-1]}; give strips of labels up to 2**31 - 1"
            )
        if labels.shape[1] != len(self._above):
            raise InputError(
                f"a strip of {labels.shape[1]} columns follows one of {len(self._above)}; "
                "give strips of whole rows"
            )
        return self._trace(labels, last=False)

    def finish(self) -> Polygons:
        """Return the regions that were not complete before the last row."""
        return self._trace(np.empty((0, len(self._above)), np.int32), last=True)

    def _trace(self, labels: NDArray[np.int32], *, last: bool) -> Polygons:
        new, codes = trace_strip(self._above, labels, self._top, last=last)
        self._check_new(new)
        joined = join(self._open + new, self._top, last=last, width=len(self._above))
        self._top += len(labels)
        if len(labels):
            self._above = labels[-1].copy()
        goes_on = np.zeros(len(joined), bool)
        if not last:
            goes_on = _any(joined.end_keys >> 32 == self._top) & ~joined.closed
        self._open = joined.take(goes_on)
        self._waiting += joined.take(~goes_on)
        if self._tolerance:
            self._codes = np.concatenate([self._codes, codes if last else codes[:-1]])
            self._simplify()
        else:
            self._arcs += self._waiting
            self._lines += Lines.of(self._waiting)
            self._waiting = NO_ARCS
        return self._emit()

    def _check_new(self, new: Arcs) -> None:
        """Raise InputError if a region comes again; make room for new labels."""
        most = int(new.sides.max(initial=0))
        if most >= len(self._emitted):
            self._emitted = np.append(self._emitted, np.zeros(most + 1, bool))
        again = new.sides[(new.sides > 0) & self._emitted[np.maximum(new.sides, 0)]]
        if len(again):
            raise InputError(
                f"label {again[0]} comes again at row {self._top} or below, after it was complete; "
                "give connected regions, or trace the whole with segment.polygons"
            )

    def _simplify(self) -> None:
        """Simplify the arcs at whose nodes no other goes on; keep the rows that the rest needs."""
        blocked = _any(np.isin(self._waiting.end_keys, self._open.end_keys))
        n_known = len(self._arcs)
        forced = twins(self._arcs + self._waiting)[n_known:]
        ready = self._waiting.take(~blocked)
        self._lines += simplify(
            ready, forced[~blocked], self._codes, self._codes_top, self._tolerance
        )
        self._arcs += ready
        self._waiting = self._waiting.take(blocked)
        # Along the frame there is nothing to simplify.
        inner = self._open.take(~_any(self._open.sides < 0))
        rest = np.append(self._waiting.points[:, 1], inner.points[:, 1])
        first = int(rest.min(initial=self._top))
        self._codes = self._codes[first - self._codes_top :].copy()
        self._codes_top = first

    def _emit(self) -> Polygons:
        """Return the regions of which no arc is missing, and forget the arcs that none needs."""
        sides = self._arcs.sides
        pending = np.unique(np.append(self._open.sides, self._waiting.sides))
        wanted = (sides > 0) & ~self._emitted[np.maximum(sides, 0)] & ~np.isin(sides, pending)
        layout = lay_out(self._arcs, wanted)
        found = draw(self._lines, layout, self._transform)
        self._emitted[layout.labels] = True
        needed = _any((sides > 0) & ~self._emitted[np.maximum(sides, 0)])
        self._arcs, self._lines = self._arcs.take(needed), self._lines.take(needed)
        return found


def _any(table: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether either column is true, for each row."""
    found: NDArray[np.bool_] = table[:, 0] | table[:, 1]
    return found


def join(pieces: Arcs, row: int, *, last: bool, width: int) -> Arcs:
    """Join what a cut between strips has parted: pieces with an end in a row of vertices."""
    keys = pieces.end_keys.ravel()
    ends = np.flatnonzero((keys >> 32 == row) & ~np.repeat(pieces.closed, 2))
    if last:  # the corners of the image are nodes
        ends = ends[~np.isin(keys[ends] & 0xFFFFFFFF, [0, width])]
    ends = ends[np.argsort(keys[ends], kind="stable")]
    _, first, count = np.unique(keys[ends], return_index=True, return_counts=True)
    pairs = first[count == 2]
    link = np.full(2 * len(pieces), -1, np.int64)
    link[ends[pairs]], link[ends[pairs + 1]] = ends[pairs + 1], ends[pairs]
    if row == 0 or not len(pairs):
        return pieces
    loops = pieces.take(pieces.closed)
    rest = pieces.take(~pieces.closed)
    link = link[np.repeat(~pieces.closed, 2)]
    renumbered = np.cumsum(~pieces.closed) - 1
    link[link >= 0] = 2 * renumbered[link[link >= 0] >> 1] + (link[link >= 0] & 1)
    return Arcs(*tracing.join_pieces(rest.points, rest.offsets, rest.sides, link)) + loops
