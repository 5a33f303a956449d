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


def across(crack: Any, beyond: int, shape: Any) -> list[tuple[int, int]]:
    """Pixels so many beyond the two that meet at a crack (row, column, down), clipped."""
    y, x, down = crack
    along = np.array((down, 1 - down))
    places = (np.array((y, x)) - beyond * along, np.array((y, x)) + (1 + beyond) * along)
    return [tuple(np.clip(place, 0, np.array(shape) - 1)) for place in places]


def contrast(colors: Any, slopes: Any, unit: float, crack: Any) -> float:
    """Contrast across one crack, less where the gradient is larger within 5 pixels."""
    first, second = across(crack, 0, slopes.shape)
    step = np.linalg.norm(colors[:, *first] - colors[:, *second])
    line = [max(slopes[place] for place in across(crack, k, slopes.shape)) for k in range(6)]
    return float(step / unit * ((line[0] + 0.05) / (max(line) + 0.05)) ** 2)


def difference(shares: Any, side: int, beyond: int, shape: Any, crack: Any) -> float:
    """Distance of the shares of the blocks at both sides of one crack."""
    first, second = (shares[y // side, x // side] for y, x in across(crack, beyond, shape))
    return float(0.5 * ((first - second) ** 2 / (first + second + 1e-12)).sum())


def count_neighbours(words: Any, distance: int, size: int) -> Any:
    """Counts of ordered pairs of words whose offset is one of eight."""
    counts = np.zeros((size, size))
    side = round(0.7 * distance)
    height, width = words.shape
    offsets = {(distance, 0), (0, distance), (side, side), (side, -side)}
    offsets |= {(-dy, -dx) for dy, dx in offsets}
    for y, x in np.ndindex(height, width):
        for dy, dx in offsets:
            if 0 <= y + dy < height and 0 <= x + dx < width:
                counts[words[y, x], words[y + dy, x + dx]] += 1
    return counts


def parted(planes: Any, crack: Any) -> float:
    """How likely people part the two pixels that meet at one crack: the mean of theirs."""
    y, x, down = crack
    return float((planes[down, y, x] + planes[down, y + down, x + 1 - down]) / 2)


def block_shares(words: Any, side: int, size: int) -> Any:
    """Share of each word in each block."""
    height, width = words.shape
    return np.array(
        [
            [
                np.bincount(words[y : y + side, x : x + side].ravel(), minlength=size)
                / words[y : y + side, x : x + side].size
                for x in range(0, width, side)
            ]
            for y in range(0, height, side)
        ]
    )


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
    counts: Any, splits: tuple[int, int], pairs: Any, lengths: Any, boundaries: Any, n_pixels: int
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
        frozenset((int(a) - 1, int(b) - 1)): np.array((length, *sums), float)
        for (a, b), length, sums in zip(pairs, lengths, boundaries, strict=True)
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
            sums = shared.pop(pair)
            del height[pair]
            shared[frozenset((large, other))] = shared.get(frozenset((large, other)), 0) + sums
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
    length, contrast, difference, strangeness, parted = shared[pair]
    area_a, area_b = p[:first].sum(), q[:first].sum()
    perimeter = min(
        sum(sums[0] for other, sums in shared.items() if node in other) for node in pair
    )
    size = area_a * area_b / (area_a + area_b) / n_pixels
    scale = np.sqrt(perimeter * np.sqrt(n_pixels))
    return float(
        (color + 0.02)
        * np.sqrt(texture + 0.1)
        * (contrast / length + 0.02) ** 0.5
        * (difference / length + 0.02) ** 1.5
        * (strangeness / length + 0.02) ** 3
        * (parted / length + 0.05)
        * (size + 0.001) ** 0.7
        * (length / scale) ** -0.5
    )
