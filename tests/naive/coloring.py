"""Colouring regions, the slow and obvious way."""

from __future__ import annotations

import numpy as np


def color_regions(pairs: np.ndarray, n: int, n_colors: int) -> np.ndarray:
    """Take away a region of fewest neighbours at a time; colour in the opposite order."""
    around = {region: set() for region in range(1, n + 1)}
    for a, b in pairs.tolist():
        around[a].add(b)
        around[b].add(a)
    left, taken_away = {region: set(near) for region, near in around.items()}, []
    while left:
        region = min(left, key=lambda r: len(left[r]))
        for other in left.pop(region):
            left[other].discard(region)
        taken_away.append(region)
    colors = np.zeros(n + 1, np.int64)
    given: dict[int, int] = {}
    for region in reversed(taken_away):
        tries = [(region + k) % n_colors for k in range(n_colors)]
        used = {given[other] for other in around[region] if other in given}
        given[region] = next((color for color in tries if color not in used), tries[0])
        colors[region] = given[region]
    return colors
