"""Slow, obvious references for adjacency, palettes and merging."""

from __future__ import annotations

from typing import Any

import numpy as np


def touching(labels: Any) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
    """Cracks (row, column, down) of each pair of touching labels above 0."""
    cracks: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            for down in (0, 1):
                below, right = y + down, x + 1 - down
                if below < height and right < width:
                    a, b = sorted((int(labels[y, x]), int(labels[below, right])))
                    if a != b and a > 0:
                        cracks.setdefault((a, b), []).append((y, x, down))
    return cracks


def contrast(fine: Any, coarse: Any, around: Any, unit: float, crack: Any) -> float:
    """Contrast across one crack (row, column, down)."""
    y, x, down = crack
    height, width = around.shape

    def apart(planes: Any, beyond: int) -> float:
        """Difference of the pixels `beyond` those that meet, or of the last ones in the image."""
        first = max(y - beyond * down, 0), max(x - beyond * (1 - down), 0)
        second = (
            min(y + (1 + beyond) * down, height - 1),
            min(x + (1 + beyond) * (1 - down), width - 1),
        )
        return float(np.linalg.norm(planes[:, *first] - planes[:, *second])) / unit

    relative = 2 * apart(coarse, 0) / (2 * float(around[y, x]) / unit + 0.08)
    return 0.4 * apart(fine, 0) + 0.4 * apart(coarse, 1) + 0.15 * relative


def assign(planes: Any, centers: Any) -> Any:
    distance = ((planes.T[:, None, :].astype(float) - centers[None]) ** 2).sum(axis=2)
    return distance.argmin(axis=1)


def farthest_first(planes: Any, k: int) -> list[int]:
    """Columns of `planes` taken as seeds."""
    points = planes.T.astype(float)
    chosen = [int(((points - points.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    while len(chosen) < k:
        distance = ((points[:, None] - points[None, chosen]) ** 2).sum(axis=2).min(axis=1)
        chosen.append(int(distance.argmax()))
    return chosen


def chi_square(p: Any, q: Any) -> float:
    p, q = p / p.sum(), q / q.sum()
    both = p + q
    return float(0.5 * ((p - q)[both > 0] ** 2 / both[both > 0]).sum())


def merge(
    counts: Any, splits: tuple[int, int], pairs: Any, lengths: Any, contrasts: Any, n_pixels: int
) -> tuple[list[tuple[int, int]], list[float]]:
    """Merge the lowest pair of all, again and again.

    `counts` is (n, K): two palettes of colours and one of textures, cut at `splits`. The larger of
    two regions (of equal ones the first) takes the edges of the other, which get their heights
    anew. All its edges do once it is more than 17/16 of the area that it had when they last did.
    """
    regions = {i: np.asarray(row, float) for i, row in enumerate(counts)}
    weighed = {i: row[: splits[0]].sum() for i, row in regions.items()}
    node = {i: i for i in regions}
    shared = {
        frozenset((int(a) - 1, int(b) - 1)): (float(length), float(contrast))
        for (a, b), length, contrast in zip(pairs, lengths, contrasts, strict=True)
    }
    height = {pair: _height(regions, shared, pair, splits, n_pixels) for pair in shared}
    children: list[tuple[int, int]] = []
    heights = []
    while shared:
        best = min(height, key=lambda pair: height[pair])
        heights.append(height[best])
        small, large = sorted(best, key=lambda i: (regions[i][: splits[0]].sum(), -i))
        children.append((min(node[small], node[large]), max(node[small], node[large])))
        node[large] = len(counts) + len(children) - 1
        regions[large] = regions[large] + regions.pop(small)
        del shared[best], height[best]
        changed = set()
        for pair in [pair for pair in shared if small in pair]:
            (other,) = pair - {small}
            length, contrast = shared.pop(pair)
            del height[pair]
            old = shared.get(frozenset((large, other)), (0.0, 0.0))
            shared[frozenset((large, other))] = (old[0] + length, old[1] + contrast)
            changed.add(frozenset((large, other)))
        area = regions[large][: splits[0]].sum()
        if area > 17 / 16 * weighed[large]:
            changed = {pair for pair in shared if large in pair}
            weighed[large] = area
        for pair in changed:
            height[pair] = _height(regions, shared, pair, splits, n_pixels)
    return children, heights


def _height(
    nodes: Any, shared: Any, pair: frozenset[int], splits: tuple[int, int], n_pixels: int
) -> float:
    a, b = sorted(pair)
    first, second = splits
    p, q = nodes[a], nodes[b]
    color = 0.5 * (chi_square(p[:first], q[:first]) + chi_square(p[first:second], q[first:second]))
    texture = chi_square(p[second:], q[second:])
    length, contrast = shared[pair]
    area_a, area_b = p[:first].sum(), q[:first].sum()
    perimeter = min(
        sum(length for other, (length, _) in shared.items() if node in other) for node in pair
    )
    size = area_a * area_b / (area_a + area_b) / n_pixels
    scale = np.sqrt(perimeter * np.sqrt(n_pixels))
    return float(
        (color + 0.02)
        * (contrast / length + 0.02) ** 1.25
        * np.sqrt(texture + 0.1)
        * (size + 0.001) ** 0.7
        * (length / scale) ** -0.4
    )
