"""The heap of the merging against a plain list."""

from __future__ import annotations

import numpy as np
import pytest

from segment.kernels.regions import heap


@pytest.mark.parametrize("room", [20, 200])
def test_newest_versions_come_out_by_height_then_item(room: int) -> None:
    random = np.random.default_rng(room)
    n = 20
    heights, items = np.zeros(room, np.float32), np.zeros(room, np.int32)
    versions, current = np.zeros(room, np.int32), np.zeros(n, np.int32)
    entries = heap.Heap(heights, items, versions, current)
    newest: dict[int, float] = {}
    size = 0
    for _ in range(500):
        if random.random() < 0.7:
            item, height = int(random.integers(n)), float(random.integers(6))
            size = heap.push(entries, size, np.float32(height), item)
            newest[item] = height
        elif newest:
            while versions[0] != current[items[0]]:
                size = heap.pop(entries, size)
            first = min((height, item) for item, height in newest.items())
            assert (heights[0], items[0]) == first
            size = heap.pop(entries, size)
            del newest[first[1]]
            current[first[1]] += 1
    assert heap.sweep(entries, size) == len(newest)
