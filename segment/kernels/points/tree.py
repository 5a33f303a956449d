"""A k-d tree whose nodes carry sums: kernel-weighted means in any dimension.

A node that lies wholly inside a flat kernel is added at once. Under the smooth kernels a node is
replaced by its centroid, or dropped, where that provably moves the mean by less than the error
allowed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.jit import kernel
from segment.kernels.points.columns import lowest_highest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAF = 24
# Most dimensions in which nodes carry a covariance.
MOMENTS = 8
# Sums may be reordered; distances may not be contracted, or points on the sphere would flip.
SUMS = frozenset({"reassoc", "nsz"})

STACK = 128

FLAT, EPANECHNIKOV, GAUSSIAN = 0, 1, 2


class Tree(NamedTuple):
    """A balanced k-d tree of few arrays; the children of node i are 2i + 1 and 2i + 2."""

    points: Floats  # (d + 1, n) coordinates and weight, leaf by leaf
    spans: Ints  # (nodes, 2) first and last point
    boxes: Floats  # (nodes, 2, d) smallest and largest coordinates
    stats: Floats  # (nodes, d + 3) weighted mean, sum of weights, mean squared distance from the
    # mean, largest distance from it (or more)
    covariances: Floats  # (nodes, d, d), or (0, d, d) above MOMENTS dimensions


def build_tree(points: Floats, weights: Floats) -> tuple[Tree, Ints]:
    """Build the tree over `points` (n, d) and return the order in which it holds them."""
    n = points.shape[0]
    nodes = 1
    while n / (nodes + 1) * 2 > LEAF:
        nodes = 2 * nodes + 1
    order, spans = _split(points, nodes)
    table = np.ascontiguousarray(np.vstack((points[order].T, weights[order])))
    return Tree(table, spans, *_summarise(table, spans)), order


@kernel()
def _split(points: Floats, nodes: int) -> tuple[Ints, Ints]:
    n, d = points.shape
    order = np.arange(n)
    spans = np.zeros((nodes, 2), np.int64)
    spans[0, 1] = n
    for node in range(nodes // 2):
        begin, end = spans[node]
        axis = 0
        widest = -1.0
        for j in range(d):
            low = np.inf
            high = -np.inf
            for i in range(begin, end):
                value = points[order[i], j]
                low = min(low, value)
                high = max(high, value)
            if high - low > widest:
                axis, widest = j, high - low
        middle = (begin + end) // 2
        _select(points, order, axis, begin, end, middle)
        # One by one: to assign tuples takes 2 s to compile.
        spans[2 * node + 1, 0], spans[2 * node + 1, 1] = begin, middle
        spans[2 * node + 2, 0], spans[2 * node + 2, 1] = middle, end
    return order, spans


@kernel()
def _select(points: Floats, order: Ints, axis: int, begin: int, end: int, middle: int) -> None:
    """Quickselect: put the point of rank `middle` along `axis` in its place."""
    left, right = begin, end - 1
    while left < right:
        pivot = points[order[(left + right) // 2], axis]
        i, j = left, right
        while i <= j:
            while points[order[i], axis] < pivot:
                i += 1
            while points[order[j], axis] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            right = j
        elif middle >= i:
            left = i
        else:
            return


@kernel()
def _summarise(points: Floats, spans: Ints) -> tuple[Floats, Floats, Floats]:
    d = points.shape[0] - 1
    nodes = spans.shape[0]
    boxes = np.zeros((nodes, 2, d))
    stats = np.zeros((nodes, d + 3))
    covariances = np.zeros((nodes if d <= MOMENTS else 0, d, d))
    for node in range(nodes - 1, -1, -1):
        if 2 * node + 1 < nodes:
            _join(boxes, stats, covariances, node)
        else:
            _gather(points[:, spans[node, 0] : spans[node, 1]], boxes, stats, covariances, node)
        square = 0.0
        for j in range(d):
            mean = stats[node, j]
            square += max(mean - boxes[node, 0, j], boxes[node, 1, j] - mean) ** 2
        stats[node, d + 2] = np.sqrt(square)
    return boxes, stats, covariances


@kernel()
def _gather(points: Floats, boxes: Floats, stats: Floats, covariances: Floats, node: int) -> None:
    """Derive a leaf's box and statistics from its points."""
    d = points.shape[0] - 1
    weights = points[d]
    mass = 0.0
    for weight in weights:
        mass += weight
    stats[node, d] = mass
    for j in range(d):
        boxes[node, 0, j], boxes[node, 1, j] = lowest_highest(points[j])
        mean = 0.0
        for i in range(weights.size):
            mean += weights[i] * points[j, i]
        stats[node, j] = mean / mass if mass > 0 else points[j, 0]
    if mass == 0:
        return
    for j in range(d):
        for k in range(d):
            mean = 0.0
            for i in range(weights.size):
                away = (points[j, i] - stats[node, j]) * (points[k, i] - stats[node, k])
                mean += weights[i] * away / mass
            if covariances.size:
                covariances[node, j, k] = mean
            if j == k:
                stats[node, d + 1] += mean


@kernel()
def _join(boxes: Floats, stats: Floats, covariances: Floats, node: int) -> None:
    """Derive a node's box and statistics from those of its children."""
    d = boxes.shape[2]
    a, b = 2 * node + 1, 2 * node + 2
    stats[node, d] = stats[a, d] + stats[b, d]
    share = stats[b, d] / stats[node, d] if stats[node, d] > 0 else 0.5
    between = share * (1 - share)
    stats[node, d + 1] = (1 - share) * stats[a, d + 1] + share * stats[b, d + 1]
    for j in range(d):
        boxes[node, 0, j] = min(boxes[a, 0, j], boxes[b, 0, j])
        boxes[node, 1, j] = max(boxes[a, 1, j], boxes[b, 1, j])
        step = stats[b, j] - stats[a, j]
        stats[node, j] = stats[a, j] + share * step
        stats[node, d + 1] += between * step * step
        if covariances.size:
            for k in range(d):
                inner = (1 - share) * covariances[a, j, k] + share * covariances[b, j, k]
                outer = between * step * (stats[b, k] - stats[a, k])
                covariances[node, j, k] = inner + outer


@kernel()
def _near_far(boxes: Floats, node: int, center: Floats) -> tuple[float, float]:
    """Return the squared distances from `center` to the nearest and farthest corner of a node."""
    near = 0.0
    far = 0.0
    for j in range(center.size):
        below = boxes[node, 0, j] - center[j]
        above = center[j] - boxes[node, 1, j]
        gap = max(below, above, 0.0)
        near += gap * gap
        gap = max(abs(below), abs(above))
        far += gap * gap
    return near, far


@kernel()
def weighted_sum(
    tree: Tree, kind: int, radius: float, error: float, center: Floats, total: Floats
) -> None:
    """Write the sums of k * weight * point (d numbers) and of k * weight to `total`.

    k is the kernel `kind` around `center`, with k = 1 at distance 0.

    Notes
    -----
    With u the distance in bandwidths, a node of the smooth kernels is replaced by its second-order
    expansion around its centroid, or dropped. With E(u) a bound, from u on, on the third
    derivatives of k and of k(u) u, and R and s its largest and root mean square distance from the
    centroid, the first changes the sums by at most mass * R * s^2 / 6 * E, the second by
    mass * max(k, k u). Either is done where that is below ``error * mass * max(k, S / W)``, S being
    the sum of k * weight so far and W the sum of all weights: added up, at most 2 * error of the
    final sum.
    """
    d = center.size
    points, spans, boxes, stats = tree.points, tree.spans, tree.boxes, tree.stats
    covariances = tree.covariances
    nodes = spans.shape[0]
    total[:] = 0.0
    square = radius * radius
    stack = np.empty(STACK, np.int64)
    reach = np.empty((STACK, 2))
    scratch = np.empty(2 * LEAF)
    bits = np.empty(2 * LEAF, np.int64)
    stack[0] = 0
    reach[0, 0], reach[0, 1] = _near_far(boxes, 0, center)
    size = 1
    while size > 0:
        size -= 1
        node = stack[size]
        near, far = reach[size]
        if kind != GAUSSIAN and near > square:
            continue
        if kind == FLAT:
            if far <= square:
                for j in range(d):
                    total[j] += stats[node, d] * stats[node, j]
                total[d] += stats[node, d]
                continue
        elif _settled(stats, covariances, node, kind, square, error, near, far, center, total):
            continue
        if 2 * node + 1 >= nodes:
            begin, end = spans[node]
            _add_leaf(points[:, begin:end], kind, square, center, total, scratch, bits)
            continue
        a, b = 2 * node + 1, 2 * node + 2
        near_a, far_a = _near_far(boxes, a, center)
        near_b, far_b = _near_far(boxes, b, center)
        # The nearer child comes first: the sooner S grows, the more of the rest is dropped.
        if near_a < near_b or (near_a == near_b and far_a <= far_b):
            a, b = b, a
            near_a, far_a, near_b, far_b = near_b, far_b, near_a, far_a
        stack[size] = a
        reach[size, 0], reach[size, 1] = near_a, far_a
        stack[size + 1] = b
        reach[size + 1, 0], reach[size + 1, 1] = near_b, far_b
        size += 2


@kernel()
def _settled(
    stats: Floats,
    covariances: Floats,
    node: int,
    kind: int,
    square: float,
    error: float,
    near: float,
    far: float,
    center: Floats,
    total: Floats,
) -> bool:
    """Expand or drop a node if that is exact enough; return False if it must be opened."""
    d = center.size
    allowed = error * total[d] / stats[0, d]
    bend = 6.0
    if kind == GAUSSIAN:
        u2 = near / square
        peak = np.exp(-u2 / 2)
        if u2 > 1 and peak * np.sqrt(u2) <= allowed:
            return True
        bend = peak * (u2 * (u2 + 6) + 3) if u2 > 2.17 else 7.01
    elif far > square:
        return False
    if covariances.size == 0:
        return False
    change = bend / 6 * stats[node, d + 1] * stats[node, d + 2] / (square * np.sqrt(square))
    if change > max(allowed, error):
        return False
    distance = 0.0
    for j in range(d):
        step = stats[node, j] - center[j]
        distance += step * step
    distance /= square
    weight = np.exp(-distance / 2) if kind == GAUSSIAN else 1 - distance
    if change > max(allowed, error * weight):
        return False
    # Gaussian: Dk = -k t, D2k = k (t t' - 1); Epanechnikov: Dk = -2 t, D2k = -2, t in bandwidths.
    slope = weight if kind == GAUSSIAN else 2.0
    along = 0.0
    for j in range(d):
        lean = 0.0
        for i in range(d):
            lean += covariances[node, j, i] * (stats[node, i] - center[i])
        along += lean * (stats[node, j] - center[j])
        total[j] -= stats[node, d] * slope * lean / square
    bulge = along / (2 * square) if kind == GAUSSIAN else 0.0
    bulge -= stats[node, d + 1] / 2
    mass = stats[node, d] * (weight + slope * bulge / square)
    for j in range(d):
        total[j] += mass * stats[node, j]
    total[d] += mass
    return True


@kernel(fastmath=SUMS)
def _add_leaf(
    points: Floats,
    kind: int,
    square: float,
    center: Floats,
    total: Floats,
    scratch: Floats,
    bits: Ints,
) -> None:
    d = center.size
    n = points.shape[1]
    k = scratch[:n]
    k[:] = 0.0
    for j in range(d):
        values, middle = points[j], center[j]
        for i in range(n):
            step = values[i] - middle
            k[i] += step * step
    if kind == GAUSSIAN:
        exponentials(k, 1 / (2 * square), bits[:n])
    elif kind == FLAT:
        for i in range(n):
            k[i] = 1.0 if k[i] <= square else 0.0
    else:
        for i in range(n):
            k[i] = max(1 - k[i] / square, 0.0)
    weights = points[d]
    mass = 0.0
    for i in range(n):
        k[i] *= weights[i]
        mass += k[i]
    total[d] += mass
    for j in range(d):
        values = points[j]
        part = 0.0
        for i in range(n):
            part += k[i] * values[i]
        total[j] += part


@kernel(fastmath=SUMS)
def exponentials(x: Floats, factor: float, bits: Ints) -> None:
    """Replace x >= 0 by exp(-factor * x), to a relative 1e-9: libm's is called one by one."""
    powers = bits.view(np.float64)
    for i in range(x.size):
        y = min(x[i] * factor, 700.0)
        whole = np.int32(y * 1.4426950408889634 + 0.5)
        bits[i] = (np.int64(1023) - np.int64(whole)) << np.int64(52)
        x[i] = whole * 0.6931471805599453 - y
    for i in range(x.size):
        r = x[i]
        p = 1 + r * (
            1 + r / 2 * (1 + r / 3 * (1 + r / 4 * (1 + r / 5 * (1 + r / 6 * (1 + r / 7)))))
        )
        x[i] = p * powers[i]
