"""Outlines by walking around pixels one by one, and simplified by the rules as they are written."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

Point = tuple[int, int]
RIGHT_TURNS = {(0, -1): (1, 0), (1, 0): (0, 1), (0, 1): (-1, 0), (-1, 0): (0, -1)}


def rings(labels: Any, label: int) -> list[list[Point]]:
    """Closed rings of a region, outer and holes, with a point wherever another border joins."""
    height, width = len(labels), len(labels[0])

    def at(x: int, y: int) -> int:
        return int(labels[y][x]) if 0 <= x < width and 0 <= y < height else -1

    steps: set[tuple[Point, Point]] = set()  # from where, which way; the region on the right
    for y in range(height):
        for x in range(width):
            if at(x, y) == label:
                if at(x, y - 1) != label:
                    steps.add(((x, y), (1, 0)))
                if at(x + 1, y) != label:
                    steps.add(((x + 1, y), (0, 1)))
                if at(x, y + 1) != label:
                    steps.add(((x + 1, y + 1), (-1, 0)))
                if at(x - 1, y) != label:
                    steps.add(((x, y + 1), (0, -1)))

    def is_corner(x: int, y: int) -> bool:
        around = [at(x - 1, y - 1), at(x, y - 1), at(x, y), at(x - 1, y)]
        return sum(around[k] != around[k - 1] for k in range(4)) > 2

    found = []
    while steps:
        where, way = min(steps, key=lambda step: (step[0][1], step[0][0]))
        path: list[tuple[Point, Point]] = []
        while (where, way) in steps:
            steps.remove((where, way))
            path.append((where, way))
            where = (where[0] + way[0], where[1] + way[1])
            starts = [step[0] for step in path]
            if where in starts:
                k = starts.index(where)
                found.append(path[k:])
                path = path[:k]
            right = RIGHT_TURNS[way]
            for turned in (right, way, (-right[0], -right[1])):
                if (where, turned) in steps:
                    way = turned
                    break
    out = []
    for ring in found:
        kept = [
            here
            for k, (here, way) in enumerate(ring)
            if ring[k - 1][1] != way or is_corner(*here) or here in corners(width, height)
        ]
        k = kept.index(min(kept, key=lambda point: (point[1], point[0])))
        out.append([*kept[k:], *kept[:k], kept[k]])
    return out


def corners(width: int, height: int) -> list[Point]:
    return [(0, 0), (width, 0), (0, height), (width, height)]


def area(ring: list[Point]) -> float:
    return sum(x * v - u * y for (x, y), (u, v) in pairwise(ring)) / 2


def vertices(path: list[Point]) -> list[Point]:
    """Every vertex along a path of horizontal and vertical lines."""
    out = [path[0]]
    for (x, y), (u, v) in pairwise(path):
        n = abs(u - x) + abs(v - y)
        out += [(x + (u - x) * k // n, y + (v - y) * k // n) for k in range(1, n + 1)]
    return out


def distance2(point: Point, a: Point, b: Point) -> Fraction:
    """Squared distance from a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length2 = dx * dx + dy * dy
    along = (point[0] - a[0]) * dx + (point[1] - a[1]) * dy
    t = min(max(Fraction(along, length2 or 1), Fraction(0)), Fraction(1))
    return (point[0] - a[0] - t * dx) ** 2 + (point[1] - a[1] - t * dy) ** 2


def sweeps_nothing(path: list[Point], cracks: set[Point]) -> bool:
    """Whether no vertex that is not on the path lies between the path and its chord, by rows."""
    own = vertices(path)
    (ax, ay), (bx, by) = path[0], path[-1]
    for y in {y for _, y in own}:
        xs: list[int | Fraction] = [x for x, row in own if row == y]
        if ay == by == y:
            xs += [ax, bx]
        elif min(ay, by) <= y <= max(ay, by):
            xs.append(ax + Fraction((bx - ax) * (y - ay), by - ay))
        if any(x for x, row in cracks - set(own) if row == y and min(xs) <= x <= max(xs)):
            return False
    return True


def simplified(
    path: list[Point], cracks: set[Point], tolerance: float, forced: bool = False
) -> list[Point]:
    """An arc by Douglas and Peucker, where nothing is in the way."""
    if len(path) == 2:
        return path
    away = [distance2(point, path[0], path[-1]) for point in path[1:-1]]
    closed = path[0] == path[-1]
    if not (forced or closed) and max(away) <= tolerance**2 and sweeps_nothing(path, cracks):
        return [path[0], path[-1]]
    k = away.index(max(away)) + 1
    if not closed:
        first = simplified(path[: k + 1], cracks, tolerance)
        return first[:-1] + simplified(path[k:], cracks, tolerance)
    parts = [path[: k + 1], path[k:]]
    deep = [
        max((distance2(p, part[0], part[-1]) for p in part[1:-1]), default=Fraction(-1))
        for part in parts
    ]
    ends = [
        simplified(part, cracks, tolerance, forced=n == (deep[1] > deep[0]))
        for n, part in enumerate(parts)
    ]
    return ends[0][:-1] + ends[1]
