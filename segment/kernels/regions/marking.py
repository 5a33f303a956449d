"""Marks on leaves, spread over the tree in which the leaves merge."""

from __future__ import annotations

from segment.kernels.arrays import IndexArray, Int32Array, Int64Array
from segment.kernels.jit import kernel


@kernel(bare=True)
def spread_marks(
    parents: Int32Array, areas: Int64Array, marks: IndexArray, covers: Int64Array
) -> None:
    """Give every node the mark that it meets first going up.

    `marks` (m,) holds the marks of the leaves, from 1, and 0 elsewhere; so it stays only where no
    mark can be met. Where two marks meet, what merges with both of them takes the one whose side is
    larger. `areas` (m,) holds the leaves' areas and takes those of the other nodes; `covers` (m,)
    is room, all 0.
    """
    for node in range(len(parents)):
        above = parents[node]
        if above < 0:
            continue
        areas[above] += areas[node]
        if marks[node] and areas[node] > covers[above]:
            covers[above] = areas[node]
            marks[above] = marks[node]
    for node in range(len(parents) - 1, -1, -1):
        if marks[node] == 0 and parents[node] >= 0:
            marks[node] = marks[parents[node]]
