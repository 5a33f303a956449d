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
    areas = [int((labels == leaf + 1).sum()) for leaf in range(n_leaves)]
    own = [leaf_mark(labels, markers, leaf) for leaf in range(n_leaves)]

    def stands_for(node: int) -> int:
        if node < n_leaves:
            return own[node]
        best, found = -1, 0
        for child in [i for i, parent in enumerate(parents) if parent == node]:
            leaves = below(parents, child, n_leaves)
            area = sum(areas[leaf] for leaf in leaves)
            if any(own[leaf] for leaf in leaves) and area > best:
                best, found = area, stands_for(child)
        return found

    out = []
    for leaf in range(n_leaves):
        node = leaf
        while not (mark := stands_for(node)) and parents[node] >= 0:
            node = parents[node]
        out.append(mark)
    return out
