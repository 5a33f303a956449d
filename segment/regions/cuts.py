"""Ways to cut a tree: each returns a table, the region of every leaf, that labels can look up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.kernels.regions import cutting, marking
from segment.params import Cut

Table = NDArray[np.int32]
Areas = NDArray[np.int64]
Nodes = Sequence[int] | Sequence[Sequence[int]]


def count_merges(levels: NDArray[np.float32], n_leaves: int, cut: Cut) -> int:
    """Return how many merges of a tree a cut has behind it; of a cut that is wanted.

    The nearest possible number of regions is taken.
    """
    if cut.n_regions is not None:
        return min(n_leaves - min(cut.n_regions, n_leaves), len(levels) - n_leaves)
    return int(np.searchsorted(levels[n_leaves:], np.float32(cut.level), side="right"))


def by_merges(parents: NDArray[np.int32], n_leaves: int, n_merges: int) -> tuple[Table, int]:
    """Return the table (n_leaves + 1,) of the first `n_merges` merges, and the number of regions.

    Regions are numbered from 1 in the order of their first leaves; table[0] is 0.
    """
    table = np.zeros(n_leaves + 1, np.int32)
    return table, int(cutting.cut_tree(parents, n_leaves, n_merges, table))


def by_nodes(parents: NDArray[np.int32], n_leaves: int, nodes: Nodes) -> tuple[Table, int]:
    """Return the table and number of the regions that `nodes` make; see `Hierarchy.cut`.

    Raises
    ------
    InputError
        If a node does not exist, or a leaf is below none of them or below two.
    """
    owner = np.full(len(parents), -1, np.int64)
    for k, group in enumerate(nodes):
        for node in _whole_numbers(group):
            if not 0 <= node < len(parents):
                raise InputError(f"there is no node {node}; give 0 to {len(parents) - 1}")
            if owner[node] >= 0:
                raise InputError(f"node {node} is given twice; give each once")
            owner[node] = k
    for node in range(len(parents) - 1, -1, -1):
        above = parents[node]
        if above >= 0 and owner[above] >= 0:
            if owner[node] >= 0:
                raise InputError(
                    f"node {node} is below another that is given; give one of the two, "
                    "or the children of the upper one"
                )
            owner[node] = owner[above]
    leaves = owner[:n_leaves]
    if (leaves < 0).any():
        raise InputError(
            f"leaf {int(np.argmax(leaves < 0))} is below none of the nodes; give nodes that cover "
            "every leaf"
        )
    return number(leaves)


def number(owners: NDArray[np.int64]) -> tuple[Table, int]:
    """Return the table and number of the regions of leaves that have the same owner."""
    _, first, inverse = np.unique(owners, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1, dtype=np.int32)
    table = np.zeros(len(owners) + 1, np.int32)
    table[1:] = rank[inverse]
    return table, len(first)


def _whole_numbers(group: Any) -> list[int]:
    values = np.atleast_1d(np.asarray(group))
    if values.size and (values.dtype.kind not in "iu" or values.ndim != 1):
        raise InputError(f"{group!r} is no node, nor a list of nodes; give whole numbers")
    return [int(value) for value in values]


def by_markers(
    parents: NDArray[np.int32], labels: NDArray[np.int32], areas: Areas, markers: ArrayLike
) -> tuple[Table, int]:
    """Return the table and number of the regions that grow from `markers`; see `Hierarchy.cut`.

    Parameters
    ----------
    parents : ndarray, shape (m,), int32
        As in `Hierarchy`.
    labels : ndarray, shape (H, W), int32
        Leaf of each pixel, 1..n; 0 where masked.
    areas : ndarray, shape (n,), int64
        Pixels of each leaf.
    markers : array_like of int, shape (H, W)
        1..k where a pixel is marked, else 0.

    Raises
    ------
    InputError
        If the markers do not fit the image, are none or have gaps, or one lies only in leaves that
        others cover more of.
    """
    seeds, count = _check_markers(markers, labels.shape)
    marked = (seeds > 0) & (labels > 0)
    votes = labels[marked].astype(np.int64) * (count + 1) + seeds[marked]
    table = by_votes(parents, areas, *np.unique(votes, return_counts=True), count)
    missing = sorted(set(range(1, count + 1)) - set(np.unique(table).tolist()))
    if missing:
        raise InputError(
            f"marker {missing[0]} lies only where others mark more of the same smallest region, or "
            "in no region; draw it larger, or build the hierarchy from smaller bandwidths"
        )
    return table, count


def by_votes(
    parents: NDArray[np.int32],
    areas: Areas,
    votes: NDArray[np.int64],
    counts: NDArray[np.int64],
    n_marks: int,
) -> Table:
    """Return the table of the marks that leaves meet; 0 where they meet none.

    `votes` are ``leaf * (n_marks + 1) + mark``, both from 1 and in rising order, each with the
    `counts` of its pixels. A leaf takes the mark of most of them, of equal ones the lower.
    """
    n_leaves, n_nodes = len(areas), len(parents)
    leaves, values = votes // (n_marks + 1), votes % (n_marks + 1)
    marks = np.zeros(n_nodes, np.int32)
    order = np.lexsort((-values, counts))  # the last that is written to a leaf stays
    marks[leaves[order] - 1] = values[order]
    sizes = np.zeros(n_nodes, np.int64)
    sizes[:n_leaves] = areas
    marking.spread_marks(parents, sizes, marks, np.zeros(n_nodes, np.int64))
    table = np.zeros(n_leaves + 1, np.int32)
    table[1:] = marks[:n_leaves]
    return table


def _check_markers(markers: ArrayLike, shape: tuple[int, ...]) -> tuple[NDArray[Any], int]:
    seeds = np.asarray(markers)
    if seeds.shape != shape:
        raise InputError(
            f"markers have shape {seeds.shape} and the image {shape}; give one number a pixel"
        )
    if seeds.dtype.kind not in "iu":
        raise InputError(
            f"markers have dtype {seeds.dtype}; give whole numbers: 0 where there is no mark, "
            "1..k where there is one"
        )
    values = np.unique(seeds)
    if values[0] < 0:
        raise InputError(
            f"markers have the value {values[0]}; give 0 where there is no mark, and leave pixels "
            "out with the mask of the segmentation"
        )
    values = values[values > 0]
    if not values.size:
        raise InputError("markers are 0 everywhere; mark at least one pixel with 1")
    if values[-1] != values.size:
        raise InputError(
            f"markers have {values.size} values up to {values[-1]}; number them without gaps, "
            "such as by skimage.segmentation.relabel_sequential"
        )
    return seeds, int(values.size)
