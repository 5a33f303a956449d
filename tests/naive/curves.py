"""Edges found, smoothed and checked one by one, as the rules are written."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import numpy as np

Point = tuple[float, float]


def touch(a: Point, b: Point, c: Point, d: Point) -> list[tuple[Fraction, Fraction]]:
    """Points that segments a b and c d have in common: none, one, or the ends of a stretch."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = (tuple(map(Fraction, p)) for p in (a, b, c, d))
    ux, uy, vx, vy = bx - ax, by - ay, dx - cx, dy - cy
    cross = ux * vy - uy * vx
    if cross:
        t = ((cx - ax) * vy - (cy - ay) * vx) / cross
        s = ((cx - ax) * uy - (cy - ay) * ux) / cross
        return [(ax + t * ux, ay + t * uy)] if 0 <= t <= 1 and 0 <= s <= 1 else []
    ends = [
        p
        for p, (qx, qy), (rx, ry) in [
            ((ax, ay), (cx, cy), (dx, dy)),
            ((bx, by), (cx, cy), (dx, dy)),
            ((cx, cy), (ax, ay), (bx, by)),
            ((dx, dy), (ax, ay), (bx, by)),
        ]
        if (rx - qx) * (p[1] - qy) == (ry - qy) * (p[0] - qx)
        and min(qx, rx) <= p[0] <= max(qx, rx)
        and min(qy, ry) <= p[1] <= max(qy, ry)
    ]
    return sorted(set(ends))


def clashes(lines: Sequence[Sequence[Point]], nodes: Sequence[tuple[int, int]]) -> list[bool]:
    """Which polylines have a point in common with another, or themselves, that is no common vertex
    of the map: nodes, and the points between a line's own segments."""
    segments = []
    for k, line in enumerate(lines):
        names: list[Any] = [(k, i) for i in range(len(line))]
        if nodes[k][0] < 0:
            names[-1] = names[0]
        else:
            names[0], names[-1] = nodes[k]
        segments += [(k, *pair) for pair in pairwise(zip(line, names, strict=True))]
    bad = [False] * len(lines)
    for (one, (a, a_name), (b, b_name)), (two, (c, c_name), (d, d_name)) in combinations(
        segments, 2
    ):
        allowed = {tuple(map(Fraction, p)) for p, n in ((a, a_name), (b, b_name))
                   if n in (c_name, d_name)}  # fmt: skip
        common = touch(a, b, c, d)
        if len(common) == 2 or set(common) - allowed:
            bad[one] = bad[two] = True
    return bad


def ways(cracks: Sequence[Point], k: int, closed: bool, ahead: int) -> tuple[int, ...]:
    """Which cracks are taken where the k-th is: horizontal ones (1), vertical ones (0), or both."""
    n = len(cracks)
    a, b = k - ahead, k + ahead
    if not closed or n < 4 * ahead:
        a, b = max(a, 0), min(b, n - 1)
    (ax, ay), (bx, by) = cracks[a % n], cracks[b % n]
    across, down = abs(bx - ax), abs(by - ay)
    return (1, 0) if across == down else (1,) if across > down else (0,)


def belief(points: Any, closed: bool, around: int, limits: tuple[float, float]) -> list[float]:
    """How far each point of a line is believed: not where heights over the neighbours differ."""
    n = len(points)
    heights = []
    for k in range(n):
        a, p, b = points[k - 1], points[k], points[(k + 1) % n]
        (ux, uy), (vx, vy) = b - a, p - a
        inner = closed or 0 < k < n - 1
        heights.append((ux * vy - uy * vx) / np.hypot(ux, uy) if inner else 0.0)
    found = []
    for k in range(n):
        index = np.arange(k - around, k + around + 1)
        near = np.array(heights)[index % n if closed else np.clip(index, 0, n - 1)]
        calm, wild = limits
        found.append(float(np.interp(np.abs(near - near.mean()).mean(), [calm, wild], [1, 0])))
    return found


def share(image: Any, a: Point, b: Point, at: Point) -> float:
    """How far the colour at a pixel is on the way from that at a to that at b."""
    origin, way = image[a].astype(float), image[b].astype(float) - image[a]
    return float(np.clip((image[at] - origin) @ way / (way @ way), 0, 1))


def located(
    labels: Any, image: Any, y: int, x: int, down: int, reach: int, limits: Sequence[float]
) -> tuple[float, float]:
    """Where the edge is beyond the crack before pixel (y, x), and the weight of that."""
    faint, clear, farthest = limits

    def own(y: int, x: int, sign: int) -> list[tuple[int, int]]:
        found = [(y, x)]
        for k in range(1, reach):
            v, u = y + sign * k * down, x + sign * k * (1 - down)
            inside = 0 <= v < labels.shape[0] and 0 <= u < labels.shape[1]
            if not inside or labels[v, u] != labels[y, x]:
                break
            found.append((v, u))
        return found

    before, after = own(y - down, x - (1 - down), -1), own(y, x, 1)
    a, b = before[-1], after[-1]
    contrast = float(np.linalg.norm(image[b].astype(float) - image[a]))
    weight = float(np.clip((contrast - faint) / (clear - faint), 0, 1))
    if weight == 0 or len(before) + len(after) == 2:
        return 0.0, 0.0
    moved = sum(1 - share(image, a, b, at) for at in after[:-1])
    moved -= sum(share(image, a, b, at) for at in before[:-1])
    return weight * float(np.clip(moved, -farthest, farthest)), weight


def relaxed(samples: Any, ends: Any, closed: bool, passes: int) -> Any:
    """Samples of one arc (n, 4), smoothed as far as their weights let them."""
    line = samples[:, :2]
    if len(line) >= 3:
        for _ in range(passes):
            if closed:
                padded = np.concatenate([line[-1:], line, line[:1]])
            else:
                padded = np.concatenate([ends[:1], line, ends[1:]])
            line = (padded[:-2] + 2 * line + padded[2:]) / 4
    weight = samples[:, 2:3]
    return weight * samples[:, :2] + (1 - weight) * line


def bezier(curve: Any, t: Any) -> Any:
    """Points of a cubic curve, by de Casteljau."""
    points = [np.asarray(p, float)[None] for p in curve]
    t = np.asarray(t)[:, None]
    while len(points) > 1:
        points = [(1 - t) * p + t * q for p, q in pairwise(points)]
    return points[0]


def area(points: Any) -> float:
    """The area that a closed polyline bounds, with its sign."""
    x, y = np.asarray(points).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)
