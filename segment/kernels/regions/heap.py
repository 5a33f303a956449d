"""A binary heap of (height, item, version): an entry is stale once its item has a newer version."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segment.kernels.arrays import Float32Array, Int32Array
from segment.kernels.jit import ZERO, kernel


class Heap(NamedTuple):
    """Room for entries, of which the first so many are in use."""

    heights: Float32Array  # (room,)
    items: Int32Array  # (room,)
    versions: Int32Array  # (room,)
    current: Int32Array  # (n,) newest version of each item


@kernel(inline="always")
def _before(heap: Heap, i: int, j: int) -> bool:
    return bool(
        heap.heights[i] < heap.heights[j]
        or (heap.heights[i] == heap.heights[j] and heap.items[i] < heap.items[j])
    )


@kernel(inline="always")
def put(heap: Heap, i: int, height: np.float32, item: int, version: int) -> None:
    """Write entry `i`."""
    heap.heights[i], heap.items[i], heap.versions[i] = height, item, version


@kernel(inline="always")
def _move(heap: Heap, source: int, target: int) -> None:
    put(heap, target, heap.heights[source], heap.items[source], heap.versions[source])


@kernel(bare=True)
def sift_down(heap: Heap, size: int, i: int) -> None:
    """Restore the heap of `size` entries below entry `i`."""
    heights, items = heap.heights, heap.items
    height, item, version = heights[i], items[i], heap.versions[i]
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and _before(heap, child + 1, child):
            child += 1
        if height < heights[child] or (height == heights[child] and item < items[child]):
            break
        _move(heap, child, i)
        i = child
    put(heap, i, height, item, version)


@kernel(inline="always")
def _sift_up(heap: Heap, i: int) -> None:
    """Restore the heap above entry `i`."""
    heights, items = heap.heights, heap.items
    height, item, version = heights[i], items[i], heap.versions[i]
    while i > 0:
        parent = (i - 1) // 2
        if heights[parent] < height or (heights[parent] == height and items[parent] < item):
            break
        _move(heap, parent, i)
        i = parent
    put(heap, i, height, item, version)


@kernel(bare=True)
def sweep(heap: Heap, size: int) -> int:
    """Drop the stale entries and restore the heap; return how many are left."""
    kept = ZERO
    for i in range(size):
        if heap.versions[i] == heap.current[heap.items[i]]:
            _move(heap, i, kept)
            kept += 1
    for i in range(kept // 2 - 1, -1, -1):
        sift_down(heap, kept, i)
    return kept


@kernel(bare=True)
def push(heap: Heap, size: int, height: np.float32, item: int) -> int:
    """Add a new version of an item, sweeping the heap if it is full; return its size."""
    heap.current[item] += 1
    if size == len(heap.heights):
        size = sweep(heap, size)
    put(heap, size, height, item, heap.current[item])
    _sift_up(heap, size)
    return size + 1


@kernel(bare=True)
def pop(heap: Heap, size: int) -> int:
    """Drop the first entry; return how many are left."""
    size -= 1
    if size > 0:
        _move(heap, size, ZERO)
        sift_down(heap, size, ZERO)
    return size
