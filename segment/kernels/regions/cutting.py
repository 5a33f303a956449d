"""Questions to a tree of merges: its regions after some of them, and where two leaves meet."""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import Float32Array, Int32Array, Int64Array
from segment.kernels.jit import kernel


def cut_tree(parents: Int32Array, n_leaves: int, n_merges: int, table: Int32Array) -> int:
    """Number the regions after `n_merges` merges; return how many there are.

    `table` (n_leaves + 1,) takes the region of each leaf, from 1 in the order of their first leaf;
    table[0] stays 0.
    """
    n_nodes = n_leaves + n_merges
    number, top = np.zeros(n_nodes, np.int32), np.empty(n_nodes, np.int32)
    return _cut_tree(parents, n_leaves, number, top, table)


@kernel(bare=True)
def _cut_tree(
    parents: Int32Array, n_leaves: int, number: Int32Array, top: Int32Array, table: Int32Array
) -> int:
    n_nodes = len(number)
    for node in range(n_nodes - 1, -1, -1):
        top[node] = node
        if 0 <= parents[node] < n_nodes:
            top[node] = top[parents[node]]
    count = 0
    for leaf in range(n_leaves):
        if number[top[leaf]] == 0:
            count += 1
            number[top[leaf]] = count
        table[leaf + 1] = number[top[leaf]]
    return count


def meeting_levels(
    pairs: Int32Array, parents: Int32Array, levels: Float32Array, out: Float32Array
) -> None:
    """Put into `out` (E,) the level at which each pair of leaves (1..n) is in one region.

    Pairs must be below one root. Nodes are on chains, each from a node to the child with most nodes
    below it [1]_, so that few chains lie above any leaf, be the tree as lopsided as it will.

    References
    ----------
    .. [1] D. Sleator and R. Tarjan, "A Data Structure for Dynamic Trees", Journal of Computer and
       System Sciences 26(3), 1983.
    """
    m = len(parents)
    below, heavy = np.ones(m, np.int64), np.full(m, -1, np.int32)
    _meet(pairs, parents, levels, below, heavy, np.empty(m, np.int32), out)


@kernel(bare=True)
def _meet(
    pairs: Int32Array, parents: Int32Array, levels: Float32Array, below: Int64Array,
    heavy: Int32Array, top: Int32Array, out: Float32Array,
) -> None:  # fmt: skip
    m = len(parents)
    for node in range(m):  # children come before their parents
        above = parents[node]
        if above >= 0:
            below[above] += below[node]
            if heavy[above] < 0 or below[node] > below[heavy[above]]:
                heavy[above] = node
    for node in range(m - 1, -1, -1):
        above = parents[node]
        top[node] = top[above] if above >= 0 and heavy[above] == node else node
    for i in range(len(pairs)):
        a, b = pairs[i, 0] - 1, pairs[i, 1] - 1
        while top[a] != top[b]:
            # The chain that ends lower is left: its parent was made earlier.
            if parents[top[b]] < 0 or 0 <= parents[top[a]] < parents[top[b]]:
                a = parents[top[a]]
            else:
                b = parents[top[b]]
        out[i] = levels[max(a, b)]
