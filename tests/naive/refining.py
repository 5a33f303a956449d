"""Twins of `segment.kernels.regions.refining`: the same, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np


def shrink(values: Any, mask: Any, shape: tuple[int, int], ratio: Any, square: bool) -> Any:
    """Average by area over boxes of ``ratio``: every pixel counts by what the box covers of it."""
    height, width = values.shape[:2]
    weights = []
    for n, side, step in zip(shape, (height, width), ratio, strict=True):
        edges = np.minimum(np.arange(n + 1) * step, side)
        low = np.maximum(edges[:-1, None], np.arange(side))
        high = np.minimum(edges[1:, None], np.arange(side) + 1)
        weights.append(np.maximum(high - low, 0))
    kept = np.ones((height, width)) if mask is None else mask.astype(float)
    power = values.astype(float) ** 2 if square else values.astype(float)
    total = weights[0] @ kept @ weights[1].T
    sums = np.einsum("yi,xj,ijc->yxc", *weights, power * kept[..., None])
    means = sums / np.where(total > 0, total, 1)[..., None]
    return np.sqrt(means) if square else means, total > 0


def border(labels: Any) -> Any:
    """Where one of eight neighbours is of another region."""
    padded = np.pad(labels, 1)
    out = np.zeros(labels.shape, bool)
    height, width = labels.shape
    for dy, dx in np.ndindex(3, 3):
        other = padded[dy : dy + height, dx : dx + width]
        out |= (other != labels) & (other != 0) & (labels != 0)
    return out


def window(array: Any, y: int, x: int, reach: int) -> Any:
    """Rows and columns at most so far away."""
    return array[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]


def near_means(labels: Any, planes: Any, y: int, x: int, reach: int, most: int) -> dict[int, Any]:
    """Means of the regions around a pixel; its own is the first, of the others the first ones."""
    sides = [labels[y, x]]
    for label in window(labels, y, x, 1).ravel():
        if label not in (0, *sides) and len(sides) < most:
            sides.append(label)
    nearby, values = window(labels, y, x, reach), window(planes, y, x, reach)
    on_border = window(border(labels), y, x, reach)
    means = {}
    for label in sides:
        inside = (nearby == label) & ~on_border
        means[int(label)] = values[inside if inside.any() else nearby == label].mean(axis=0)
    return means


def child(values: Any, mask: Any, i: int, j: int) -> Any:
    """Mean of 3 x 3 pixels."""
    return window(values, i, j, 1)[window(mask, i, j, 1)].mean(axis=0)


def interpolated(around: Any, y: int, x: int, down: int, right: int) -> Any:
    """A picture a quarter of a pixel down or up, and right or left, of the centre of a pixel."""
    padded = np.pad(around, ((1, 1), (1, 1), (0, 0)), mode="edge")[y : y + 3, x : x + 3]
    rows = 0.75 * padded[1] + 0.25 * padded[1 + down]
    return 0.75 * rows[1] + 0.25 * rows[1 + right]


def hangs_together(ring: Any, connectivity: int) -> bool:
    """Whether neighbours (8,) of a pixel, from above and clockwise, are in one piece without it."""
    from skimage.measure import label

    square = np.zeros((3, 3), bool)
    order = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
    for (y, x), inside in zip(order, ring, strict=True):
        square[y, x] = inside
    found = label(square, connectivity=connectivity)
    beside = [found[y, x] for k, (y, x) in enumerate(order) if connectivity == 2 or k % 2 == 0]
    return len({number for number in beside if number}) == 1


def sweep(
    labels: Any, i: int, j: int, means: dict[int, Any], value: Any,
    connectivity: int, smoothness: float, noise2: float, diagonal: float,
) -> int:  # fmt: skip
    """Return the region that suits a pixel best."""
    padded = np.pad(labels, 1)[i : i + 3, j : j + 3]
    order = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
    around = [int(padded[place]) for place in order]
    own = int(labels[i, j])
    if own not in means or not hangs_together([label == own for label in around], connectivity):
        return own

    def support(label: int) -> float:
        return sum((diagonal if k % 2 else 1) for k in range(8) if around[k] == label)

    best, most = own, 0.0
    for label, mean in means.items():
        if label == own or label not in around[::2]:
            continue
        apart = noise2 + ((means[own] - mean) ** 2).sum()
        gain = (((value - means[own]) ** 2).sum() - ((value - mean) ** 2).sum()) / apart
        gain += smoothness * (support(label) - support(own))
        if gain > most:
            best, most = label, gain
    return best
