"""Slow, obvious references for cuts of a tree."""

from __future__ import annotations

from typing import Any

import numpy as np


def below(parents: Any, node: int, n_leaves: int) -> set[int]:
    """Leaves below a node."""
    if node < n_leaves:
        return {node}
    children = [i for i, parent in enumerate(parents) if parent == node]
    return set().union(*(below(parents, child, n_leaves) for child in children))


def leaf_mark(labels: Any, markers: Any, leaf: int) -> int:
    """The mark of most pixels of a leaf, the lowest of several; 0 for none."""
    inside = markers[(labels == leaf + 1) & (markers > 0)]
    return int(np.bincount(inside).argmax()) if inside.size else 0


def spread(parents: Any, labels: Any, markers: Any, n_leaves: int) -> list[int]:
    """Mark of each leaf: its own, or that of the first region that it merges with and has one."""
    own = [leaf_mark(labels, markers, leaf) for leaf in range(n_leaves)]
    children: list[list[int]] = [[] for _ in parents]
    leaves: list[set[int]] = [{node} if node < n_leaves else set() for node in range(len(parents))]
    for node, parent in enumerate(parents):  # children come before their parents
        if parent >= 0:
            children[parent].append(node)
            leaves[parent] |= leaves[node]

    def stands_for(node: int) -> int:
        if node < n_leaves:
            return own[node]
        marked = [child for child in children[node] if any(own[leaf] for leaf in leaves[child])]
        if not marked:
            return 0
        areas = [int(np.isin(labels - 1, list(leaves[child])).sum()) for child in marked]
        return stands_for(marked[areas.index(max(areas))])

    out = []
    for leaf in range(n_leaves):
        node = leaf
        while not (mark := stands_for(node)) and parents[node] >= 0:
            node = parents[node]
        out.append(mark)
    return out
