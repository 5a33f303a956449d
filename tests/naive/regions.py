"""Slow, obvious references of the core, from its docstrings: float64, one pixel at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CUT = {"flat": 1, "epanechnikov": 1, "gaussian": 3}  # radius of the window, in bandwidths


def kernel_weight(kernel: str, space: Array, color: Array) -> Array:
    """Weight of pixels at squared distances given in squared bandwidths, inside the window."""
    if kernel == "flat":
        return np.ones_like(space)
    if kernel == "epanechnikov":
        return (1 - space) * (1 - color)
    return np.exp(-space / 2) * np.exp(-color / 2)


def window_sums(
    features: Array, keep: Array, weights: Array, kernel: str, hs: float, hr: float, center: Array
) -> tuple[Array, float]:
    """Sum the weights, and the weighted differences from `center`, over its window.

    `features` is (H, W, C) and `center` row, column, colour. The second result tells how far the
    nearest decision about a pixel was from going the other way, as a share of the squared radius.
    """
    positions = np.moveaxis(np.indices(keep.shape), 0, -1)
    difference = np.concatenate([positions, features], axis=-1) - center
    space = (difference[..., :2] ** 2).sum(axis=-1)
    color = (difference[..., 2:] ** 2).sum(axis=-1)
    space_limit, color_limit = (CUT[kernel] * hs) ** 2, (CUT[kernel] * hr) ** 2
    inside = keep & (space < space_limit) & (color < color_limit)
    weight = weights * kernel_weight(kernel, space / hs**2, color / hr**2)
    sums = np.zeros(1 + center.size)
    for pixel in np.argwhere(inside):
        sums[0] += weight[*pixel]
        sums[1:] += weight[*pixel] * difference[*pixel]
    margins = [1.0]
    if (center[:2] % 1).any():  # between pixels; on one, distances are whole and comparisons exact
        margins.extend(abs(space[keep] / space_limit - 1))
    margins.extend(abs(color[keep & (space < space_limit * 1.01)] / color_limit - 1))
    return sums, min(margins)


def climb(
    features: Array, keep: Array, weights: Array, kernel: str, hs: float, hr: float,
    tol: float, max_iter: int, start: tuple[int, int],
) -> tuple[Array, float]:  # fmt: skip
    """Climb from the pixel `start`; return the mode and the narrowest margin of a decision."""
    center = np.array([*start, *features[start]], float)
    margin = 1.0
    for _ in range(max_iter):
        sums, closest = window_sums(features, keep, weights, kernel, hs, hr, center)
        margin = min(margin, closest)
        if sums[0] == 0:
            break
        step = sums[1:] / sums[0]
        center += step
        length2 = (step**2).sum()
        margin = min(margin, abs(length2 / tol**2 - 1))
        if length2 < tol**2:
            break
    return center, margin


def exact_modes(
    features: Array, keep: Array, weights: Array, kernel: str, hs: float, hr: float,
    tol: float, max_iter: int,
) -> tuple[Array, Array]:  # fmt: skip
    """Modes (H, W, 2 + C) of every kept pixel, zero elsewhere, and the margins (H, W)."""
    modes = np.zeros((*keep.shape, 2 + features.shape[2]))
    margins = np.ones(keep.shape)
    for pixel in np.ndindex(keep.shape):
        if keep[pixel]:
            modes[pixel], margins[pixel] = climb(
                features, keep, weights, kernel, hs, hr, tol, max_iter, pixel
            )
    return modes, margins


def neighbors(
    shape: tuple[int, int], connectivity: int
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Pairs of neighbouring pixels, each once."""
    steps = [(0, 1), (1, 0), (1, -1), (1, 1)][: 2 * connectivity]
    for i, j in np.ndindex(shape):
        for di, dj in steps:
            if i + di < shape[0] and 0 <= j + dj < shape[1]:
                yield (i, j), (i + di, j + dj)


def components(
    owner: NDArray[np.int32], table: Array, limit: float, connectivity: int
) -> NDArray[np.int64]:
    """Components of pixels whose modes' colours are closer than `limit`: 0.. in raster order.

    `owner` is each pixel's row of `table`, -1 where masked; so are the labels.
    """
    linked: dict[tuple[int, int], list[tuple[int, int]]] = {p: [] for p in np.ndindex(owner.shape)}
    for a, b in neighbors(owner.shape, connectivity):
        if owner[a] >= 0 and owner[b] >= 0:
            distance2 = ((table[owner[a], 2:] - table[owner[b], 2:]) ** 2).sum()
            if owner[a] == owner[b] or distance2 < limit**2:
                linked[a].append(b)
                linked[b].append(a)
    labels = np.full(owner.shape, -1)
    for start in np.ndindex(owner.shape):
        if owner[start] < 0 or labels[start] >= 0:
            continue
        label, stack = labels.max() + 1, [start]
        while stack:
            pixel = stack.pop()
            if labels[pixel] < 0:
                labels[pixel] = label
                stack.extend(linked[pixel])
    return labels


def adjacent(labels: NDArray[np.int64], connectivity: int) -> set[tuple[int, int]]:
    """Pairs of regions that touch, both ways round."""
    pairs = {(labels[a], labels[b]) for a, b in neighbors(labels.shape, connectivity)}
    pairs |= {(b, a) for a, b in pairs}
    return {(int(a), int(b)) for a, b in pairs if a != b and a >= 0 and b >= 0}


def united(labels: NDArray[np.int64], pairs: set[tuple[int, int]]) -> NDArray[np.int64]:
    """Unite pairs of regions, and what they unite in turn, under the lowest number."""
    name = np.arange(labels.max() + 2)  # the last one is for -1
    for a, b in pairs:
        low, high = sorted([name[a], name[b]])
        name[name == high] = low
    return np.where(labels >= 0, name[labels], -1)


def mean_colors(labels: NDArray[np.int64], colors: Array) -> dict[int, Array]:
    """Mean colour of each region."""
    return {
        int(k): colors[labels == k].sum(axis=0) / (labels == k).sum()
        for k in np.unique(labels[labels >= 0])
    }


def fused(
    labels: NDArray[np.int64], colors: Array, limit: float, connectivity: int
) -> NDArray[np.int64]:
    """Unite neighbours whose mean colours are closer than `limit`, in at most five rounds."""
    for _ in range(5):
        mean = mean_colors(labels, colors)
        close = {
            (a, b)
            for a, b in adjacent(labels, connectivity)
            if ((mean[a] - mean[b]) ** 2).sum() < limit**2
        }
        labels = united(labels, close)
    return labels


def fused_nearest(
    labels: NDArray[np.int64], colors: Array, limit: float, far: float, connectivity: int
) -> NDArray[np.int64]:
    """Unite neighbours whose mean colours are closer than `limit`, and than `far` at their turn.

    Where the smaller has less than 400 pixels the squared limit is less in proportion, but not less
    than that of 20. The nearest come first, to one part in 65,535 of the limit in float32, and
    after a round all neighbours come again, in at most five.
    """
    for _ in range(5):
        mean = mean_colors(labels, colors)
        turns = []
        for a, b in adjacent(labels, connectivity):
            distance2 = ((np.float32(mean[a]) - np.float32(mean[b])) ** 2).sum()
            smaller = min((labels == a).sum(), (labels == b).sum(), 400)
            share = np.float32(max(smaller, 20)) / np.float32(400)
            if a < b and distance2 < np.float32(limit**2) * share:
                share = np.sqrt(distance2 / np.float32(limit**2))
                turns.append((int(share * np.float32(65535)), a, b))
        name = {a: a for a in mean}
        for _, *pair in sorted(turns):
            a, b = sorted(name[k] for k in pair)
            now = mean_colors(labels, colors)
            if a != b and ((now[a] - now[b]) ** 2).sum() < far**2:
                labels = np.where(labels == b, a, labels)
                name = {k: a if at == b else at for k, at in name.items()}
    return labels


def pruned(
    labels: NDArray[np.int64], colors: Array, min_size: int, connectivity: int
) -> NDArray[np.int64]:
    """Unite small regions with their neighbour of nearest colour, ties to the lower number."""
    while True:
        mean = mean_colors(labels, colors)
        pairs = adjacent(labels, connectivity)
        chosen = set()
        for a in mean:
            near = [b for first, b in pairs if first == a]
            if near and (labels == a).sum() < min_size:
                _, best = min((((mean[a] - mean[b]) ** 2).sum(), b) for b in near)
                chosen.add((a, best))
        if not chosen:
            return labels
        labels = united(labels, chosen)


def regions(
    owner: NDArray[np.int32], table: Array, hr: float, min_size: int, connectivity: int,
    link: float,
) -> NDArray[np.int64]:  # fmt: skip
    """Labels 1.. in raster order: components (`link` times `hr`), fused (half of it), pruned.

    In one band `link` is a fiftieth, small ones are pruned first too, and the nearest below 1.5
    times `hr` fuse first (less where one is small), unless what has grown is twice `hr` apart.
    """
    colors = np.where((owner >= 0)[..., None], table[:, 2:][owner], 0)
    if table.shape[1] == 3:
        labels = components(owner, table, hr / 50, connectivity)
        labels = pruned(labels, colors, min_size, connectivity)
        labels = fused_nearest(labels, colors, 1.5 * hr, 2 * hr, connectivity)
    else:
        labels = components(owner, table, link * hr, connectivity)
        labels = fused(labels, colors, 0.5 * hr, connectivity)
    labels = pruned(labels, colors, min_size, connectivity)
    numbers = np.unique(labels[labels >= 0])
    return np.where(labels >= 0, np.searchsorted(numbers, labels) + 1, 0)


def boundaries(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels that differ from the one right of them or below."""
    out = np.zeros(labels.shape, bool)
    for a, b in neighbors(labels.shape, 1):
        out[a] |= labels[a] != labels[b]
    return out
