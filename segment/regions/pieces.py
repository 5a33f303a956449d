"""Pieces of an image, each labelled on its own; their graph; and regions that know no pieces.

A whole image is cut into strips, a scene into tiles. `label_piece` finds the components of one and
keeps, beside its labels, only what is small: areas, sums, contacts, and the pixels along its
sides. `join` makes one graph of all pieces, and `merge` regions of the graph, whose numbers replace
the labels of each piece. Any tiling of an image gives the same regions, to the last bit: what is
added up are integers, and components are numbered by their first pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InputError
from segment.kernels.regions import fusing, labels
from segment.params import MeanShiftParams
from segment.regions.engines import Modes
from segment.regions.limits import FLAT, FUSE_SHARE, OneBand, link_limit2

# Features of colour spaces are below 2**9 and are added in units as small as the last bit of
# float32 there. Others are added in units of a bandwidth by 2**20, as integers of two words.
COLOR_QUANTUM = 2.0**-16
PER_BANDWIDTH = 20
LARGEST_SUMMAND = 2.0**51  # quanta: two words of `labels.WORD`, one bit of them the sign


class Quanta(NamedTuple):
    """How features are added as integers: the unit, a power of two, and the words of each."""

    unit: float
    words: int


class Piece(NamedTuple):
    """What is kept of a piece of an image beside its labels.

    Attributes
    ----------
    rows, columns : tuple of two int
        Where it lies in the image: first, and one past the last.
    quanta : Quanta
        In which features are added.
    areas : ndarray, shape (n,), int64
        Pixels of each component.
    sums : ndarray, shape (n, 2 + words * C), int64
        Of the modes of its pixels; see `segment.kernels.regions.labels.sum_modes`.
    firsts : ndarray, shape (n,), int64
        Its first pixel, counted row by row through the image.
    edges : ndarray, shape (m, 2), int32
        Pairs of components that touch, each once.
    side_labels : ndarray, shape (2 W + 2 H,), int32
        Components of the pixels of the first row, the last row, the first column and the last
        column; -1 where masked.
    side_colors : ndarray, shape (2 W + 2 H, C), float32
        Features of their modes.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    quanta: Quanta
    areas: NDArray[np.int64]
    sums: NDArray[np.int64]
    firsts: NDArray[np.int64]
    edges: NDArray[np.int32]
    side_labels: NDArray[np.int32]
    side_colors: NDArray[np.float32]


class Graph(NamedTuple):
    """The components of an image.

    Attributes
    ----------
    quanta, areas, sums
        As those of a piece; components are numbered by their first pixels.
    edges : ndarray, shape (m, 2), int32 or int64
        Pairs of components that touch; some come more than once.
    numbers : list of ndarray, one a piece, int32 or int64
        Component of the image of each component of the piece.
    """

    quanta: Quanta
    areas: NDArray[np.int64]
    sums: NDArray[np.int64]
    edges: NDArray[Any]
    numbers: list[NDArray[Any]]


class Regions(NamedTuple):
    """Regions of an image.

    Attributes
    ----------
    areas : ndarray, shape (n,), int64
        Pixels.
    modes : ndarray, shape (n, 2 + C), float32
        Mean mode: row, column, features.
    tables : list of ndarray, one a piece
        Region, 0 to n - 1, of each component of the piece.
    """

    areas: NDArray[np.int64]
    modes: NDArray[np.float32]
    tables: list[NDArray[Any]]


def quanta_for(params: MeanShiftParams, table: NDArray[np.float32] | None = None) -> Quanta:
    """Return how features are added: fixed by the parameters alone where that will do.

    Parameters
    ----------
    params : MeanShiftParams
        Of the run.
    table : ndarray, shape (n, 2 + C), float32, optional
        All modes of the image: the unit grows with features that are enormous in bandwidths.
    """
    if params.color_space != "none":
        return Quanta(COLOR_QUANTUM, 1)
    unit = 2.0 ** (math.frexp(params.radius)[1] - 1 - PER_BANDWIDTH)
    largest = 0.0 if table is None else largest_feature(table)
    if largest > LARGEST_SUMMAND * unit:
        unit = 2.0 ** math.frexp(largest / LARGEST_SUMMAND)[1]
    return Quanta(unit, 2)


def label_piece(
    modes: Modes,
    params: MeanShiftParams,
    *,
    at: tuple[int, int],
    width: int,
    base: tuple[int, int] = (0, 0),
    quanta: Quanta | None = None,
    one_band: OneBand = FLAT,
    out: NDArray[np.int32] | None = None,
) -> tuple[NDArray[np.int32], Piece]:
    """Find the components of a piece of an image.

    Parameters
    ----------
    modes : Modes
        Of the pixels of the piece.
    params : MeanShiftParams
        The parameters of the run.
    at : tuple of two int
        Row and column in the image of the first pixel of the piece.
    width : int
        Of the image.
    base : tuple of two int
        Row and column in the image from which those of ``modes.table`` count.
    quanta : Quanta, optional
        From `quanta_for`; the same for all pieces of an image.
    one_band : OneBand
        The rule for images of one band; the same for all pieces, and for `join` and `merge`.
    out : ndarray, shape (H, W), int32, optional
        Receives the labels.

    Returns
    -------
    labels : ndarray, shape (H, W), int32
        Component of each pixel, 0..n-1 in raster order; -1 where masked.
    piece : Piece
        What `join` needs of them.

    Raises
    ------
    InputError
        If features are enormous in bandwidths, and `quanta` not chosen for them.
    """
    owner, table = modes.owner, modes.table
    quanta = quanta_for(params) if quanta is None else quanta
    if quanta.words > 1 and largest_feature(table) > LARGEST_SUMMAND * quanta.unit:
        raise InputError(
            f"range_bandwidth={params.radius:g} is too small for values that are "
            f"{largest_feature(table):g} apart; give a larger one"
        )
    found = np.empty(owner.shape, np.int32) if out is None else out
    parent = np.empty(owner.size, np.int32)
    limit2 = link_limit2(params, table.shape[1] - 2, one_band)
    end = labels.find_runs(owner, table, limit2, params.connectivity, found, parent)
    n = labels.number_sets(parent, 0, end, 0)
    labels.relabel(found, parent, 0)
    areas, firsts = np.zeros(n, np.int64), np.zeros(n, np.int64)
    sums = np.zeros((n, 2 + quanta.words * (table.shape[1] - 2)), np.int64)
    labels.sum_modes(
        found,
        owner,
        table,
        1 / quanta.unit,
        quanta.words,
        (*at, *base),
        width,
        areas,
        sums,
        firsts,
    )
    # Room for as many contacts as there can be; what is not written takes no memory.
    edges = np.empty((2 * params.connectivity * found.size, 2), np.int32)
    n_edges = labels.list_edges(found, params.connectivity, np.empty(labels.SEEN, np.int64), edges)
    n_edges = fusing.distinct(np.arange(n, dtype=np.int32), n, edges, n_edges)
    return found, Piece(
        (at[0], at[0] + len(found)),
        (at[1], at[1] + found.shape[1]),
        quanta,
        areas,
        sums,
        firsts,
        edges[:n_edges].copy(),
        _sides(found),
        _colors(table, _sides(owner)),
    )


def join(pieces: Sequence[Piece], params: MeanShiftParams, one_band: OneBand = FLAT) -> Graph:
    """Join the pieces of an image, in whatever order, where linked pixels touch across their sides.

    Parameters
    ----------
    pieces : sequence of Piece
        They cover the image, each pixel once.
    params, one_band
        Those of the pieces.
    """
    starts = np.cumsum([0, *(len(piece.areas) for piece in pieces)])
    dtype: Any = index_type(int(starts[-1]))
    numbers = np.arange(starts[-1], dtype=dtype)
    limit2 = link_limit2(params, pieces[0].side_colors.shape[1], one_band)
    contacts = _join_sides(pieces, starts, limit2, params.connectivity, numbers)
    n = labels.number_sets(numbers, 0, len(numbers), 0)
    _follow_raster(numbers, np.concatenate([piece.firsts for piece in pieces]), n)
    tables = np.split(numbers, starts[1:-1])
    areas, sums = np.zeros(n, np.int64), np.zeros((n, pieces[0].sums.shape[1]), np.int64)
    edges = np.empty((len(contacts) + sum(len(piece.edges) for piece in pieces), 2), dtype)
    edges[: len(contacts)] = numbers[contacts]
    end = len(contacts)
    for piece, table in zip(pieces, tables, strict=True):
        own = edges[end : end + len(piece.edges)]
        fusing.gather(piece.areas, piece.sums, piece.edges, table, areas, sums, own)
        end += len(own)
    return Graph(pieces[0].quanta, areas, sums, edges, tables)


def _follow_raster(numbers: NDArray[Any], firsts: NDArray[np.int64], n: int) -> None:
    """Number components, 0..n-1, in the order of the first pixels of their parts."""
    if (np.diff(firsts) >= 0).all():  # strips come in that order, tiles do not
        return
    lowest = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(lowest, numbers, firsts)
    rank = np.empty(n, numbers.dtype)
    rank[np.argsort(lowest)] = np.arange(n, dtype=numbers.dtype)
    numbers[:] = rank[numbers]


def merge(graph: Graph, params: MeanShiftParams, one_band: OneBand = FLAT) -> Regions:
    """Fuse components of nearly one colour and prune small ones; the graph is used up.

    See `segment.kernels.regions.fusing.merge_regions`.
    """
    share, nearest = FUSE_SHARE, None
    if graph.sums.shape[1] == 2 + graph.quanta.words:
        share, nearest = one_band.fuse, one_band.nearest(params.radius)
    number, sums, areas = fusing.merge_regions(
        graph.sums,
        graph.areas,
        graph.edges,
        len(graph.edges),
        *graph.quanta,
        np.float32((share * params.radius) ** 2),
        params.min_size,
        nearest,
    )
    places = sums[:, :2] / (areas[:, None] * labels.PER_PIXEL)
    modes = np.concatenate(
        [places.astype(np.float32), fusing.mean_colors(sums, areas, *graph.quanta)], axis=1
    )
    return Regions(areas, modes, [number[table] for table in graph.numbers])


def index_type(n: int) -> type[np.signedinteger[Any]]:
    """Return the integers that can count to `n`, and name n things: int32 or int64."""
    return np.int32 if n < 2**31 - 1 else np.int64


def largest_feature(table: NDArray[np.float32]) -> float:
    """Return the largest absolute value of a feature of a table of modes."""
    features = table[:, 2:]
    return float(max(features.max(), -features.min())) if features.size else 0.0


def _sides(values: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _colors(table: NDArray[np.float32], owner: NDArray[np.int32]) -> NDArray[np.float32]:
    if not len(table):  # all masked
        return np.zeros((len(owner), table.shape[1] - 2), np.float32)
    return table[owner, 2:]


def _join_sides(
    pieces: Sequence[Piece],
    starts: NDArray[np.int64],
    limit2: np.float32,
    connectivity: int,
    parent: NDArray[Any],
) -> NDArray[Any]:
    """Unite components across the sides of pieces; return the other pairs that touch there."""
    found = [np.empty((0, 2), parent.dtype)]
    for axis in range(2):
        for before, after in _borders(pieces, axis):
            (a, a_colors), (b, b_colors) = (
                _line(pieces, starts, ks, axis, last, parent.dtype)
                for ks, last in ((before, True), (after, False))
            )
            contacts = np.empty((3 * len(a), 2), parent.dtype)
            n = labels.join_lines(a, a_colors, b, b_colors, limit2, connectivity, parent, contacts)
            found.append(contacts[:n].copy())
    return np.concatenate(found)


def _borders(pieces: Sequence[Piece], axis: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield, for each line on which pieces end and others begin, which end and which begin."""
    begin: dict[int, list[int]] = {}
    end: dict[int, list[int]] = {}
    for k, piece in enumerate(pieces):
        first, last = (piece.rows, piece.columns)[axis]
        begin.setdefault(first, []).append(k)
        end.setdefault(last, []).append(k)
    for line in sorted(begin.keys() & end.keys()):
        yield end[line], begin[line]


def _line(
    pieces: Sequence[Piece],
    starts: NDArray[np.int64],
    ks: list[int],
    axis: int,
    last: bool,
    dtype: np.dtype[Any],
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Return components and colours along a row (axis 0) or a column of the image."""
    length = max((piece.columns, piece.rows)[axis][1] for piece in pieces)
    components = np.full(length, -1, dtype)
    colors = np.zeros((length, pieces[0].side_colors.shape[1]), np.float32)
    for k in ks:
        piece = pieces[k]
        height, width = (stop - start for start, stop in (piece.rows, piece.columns))
        side = slice(0, width) if axis == 0 else slice(2 * width, 2 * width + height)
        if last:
            side = slice(side.stop, 2 * side.stop - side.start)
        where = slice(*(piece.columns, piece.rows)[axis])
        own = piece.side_labels[side]
        components[where] = np.where(own < 0, -1, own + starts[k])
        colors[where] = piece.side_colors[side]
    return components, colors
