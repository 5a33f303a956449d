"""Filters in which some pixels count for nothing, value by value."""

from __future__ import annotations

from typing import Any

import numpy as np


def blur(values: Any, taps: Any, step: int) -> Any:
    """Rows convolved with taps so many values apart, in float64."""
    reach = len(taps) // 2
    out = np.zeros(values.shape)
    for n, m in np.ndindex(*values.shape):
        for k, tap in enumerate(taps):
            place = m + (k - reach) * step
            if 0 <= place < values.shape[1]:
                out[n, m] += float(tap) * float(values[n, place])
    return out


def halve(planes: Any, seen: Any) -> tuple[Any, Any]:
    """Means of those of 2 x 2 pixels that are seen, and whether any is."""
    height, width = (-(-length // 2) for length in seen.shape)
    out, there = np.zeros((len(planes), height, width)), np.zeros((height, width), bool)
    for y, x in np.ndindex(height, width):
        part = slice(2 * y, 2 * y + 2), slice(2 * x, 2 * x + 2)
        there[y, x] = seen[part].any()
        for c, plane in enumerate(planes):
            if there[y, x]:
                out[c, y, x] = plane[part][seen[part]].astype(float).mean()
    return out, there


def count_block_words(words: Any, seen: Any, side: int, size: int) -> Any:
    """Words that are seen in each block."""
    height, width = words.shape
    out = np.zeros((-(-height // side), -(-width // side), size))
    for y, x in zip(*np.nonzero(seen), strict=True):
        out[y // side, x // side, words[y, x]] += 1
    return out
