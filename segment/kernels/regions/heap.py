"""A binary heap of (height, item, version): an entry is stale once its item has a newer version."""

from __future__ import annotations

from typing import Any

from segment.kernels.jit import ZERO, kernel


@kernel(inline="always")
def _before(heights: Any, items: Any, i: int, j: int) -> bool:
    return heights[i] < heights[j] or (heights[i] == heights[j] and items[i] < items[j])


@kernel(inline="always")
def move(heights: Any, items: Any, versions: Any, source: int, target: int) -> None:
    heights[target], items[target] = heights[source], items[source]
    versions[target] = versions[source]


@kernel()
def sift_down(heights: Any, items: Any, versions: Any, size: int, i: int) -> None:
    """Restore the heap of `size` entries below entry `i`."""
    height, item, version = heights[i], items[i], versions[i]
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and _before(heights, items, child + 1, child):
            child += 1
        if height < heights[child] or (height == heights[child] and item < items[child]):
            break
        move(heights, items, versions, child, i)
        i = child
    heights[i], items[i], versions[i] = height, item, version


@kernel()
def sift_up(heights: Any, items: Any, versions: Any, i: int) -> None:
    """Restore the heap above entry `i`."""
    height, item, version = heights[i], items[i], versions[i]
    while i > 0:
        parent = (i - 1) // 2
        if heights[parent] < height or (heights[parent] == height and items[parent] < item):
            break
        move(heights, items, versions, parent, i)
        i = parent
    heights[i], items[i], versions[i] = height, item, version


@kernel()
def sweep(heights: Any, items: Any, versions: Any, size: int, current: Any) -> int:
    """Drop the stale entries and restore the heap; return how many are left."""
    kept = ZERO
    for i in range(size):
        if versions[i] == current[items[i]]:
            move(heights, items, versions, i, kept)
            kept += 1
    for i in range(kept // 2 - 1, -1, -1):
        sift_down(heights, items, versions, kept, i)
    return kept


@kernel()
def push(
    heights: Any, items: Any, versions: Any, size: int, height: Any, item: int, current: Any
) -> int:
    """Add a new version of an item, sweeping the heap if it is full; return its size."""
    current[item] += 1
    if size == len(heights):
        size = sweep(heights, items, versions, size, current)
    heights[size], items[size], versions[size] = height, item, current[item]
    sift_up(heights, items, versions, size)
    return size + 1


@kernel()
def pop(heights: Any, items: Any, versions: Any, size: int) -> int:
    """Drop the first entry; return how many are left."""
    size -= 1
    if size > 0:
        move(heights, items, versions, size, 0)
        sift_down(heights, items, versions, size, ZERO)
    return size
