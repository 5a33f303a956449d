"""Cubic Bézier curves fitted to points, with corners where the points have corners.

.. [1] P. Schneider, "An algorithm for automatically fitting digitized curves", Graphics Gems, 1990.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from segment.kernels.jit import ZERO, kernel
from segment.kernels.shapes.corners import find_corners, sharpen

ROUNDS = 4  # of finding better parameters
MOST_GROWTH = 0.2  # of a curve's arms, so that it keeps its area
STRAIGHT = 0.1, 0.3  # a stretch between corners is a line within so many pixels, or share of it


class Room(NamedTuple):
    """Room for what is fitted to the longest of some arcs, of n points."""

    line: Any  # (n, 2) float64
    strict: Any  # (n,) bool
    corner: Any  # (n,) bool
    turned_line: Any  # as `line`
    turned_corner: Any  # as `corner`
    turn: Any  # (n,) float64
    parameters: Any  # (n,) float64
    stack: Any  # (2 n, 6) float64
    curve: Any  # (4, 2) float64


def make_room(n: int) -> Room:
    """Return room for arcs of n points."""
    return Room(
        np.empty((n, 2)), np.empty(n, bool), np.empty(n, bool), np.empty((n, 2)),
        np.empty(n, bool), np.empty(n), np.empty(n), np.empty((2 * n, 6)), np.empty((4, 2)),
    )  # fmt: skip


@kernel(inline="always")
def _unit(x: float, y: float) -> Any:
    size = np.sqrt(x * x + y * y)
    if size == 0:
        return 0.0, 0.0
    return x / size, y / size


@kernel(bare=True)
def bezier(curve: Any, t: float) -> Any:
    s = 1 - t
    a, b, c, d = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
    x = a * curve[0, 0] + b * curve[1, 0] + c * curve[2, 0] + d * curve[3, 0]
    y = a * curve[0, 1] + b * curve[1, 1] + c * curve[2, 1] + d * curve[3, 1]
    return x, y


@kernel(bare=True)
def _best_curve(line: Any, a: int, b: int, u: Any, tangents: Any, curve: Any) -> None:
    """Write the curve from point a to b with given tangents that is nearest at parameters u."""
    c00 = c01 = c11 = x0 = x1 = 0.0
    p, q = line[a], line[b]
    ax, ay, bx, by = tangents
    for i in range(a, b + 1):
        t = u[i - a]
        s = 1 - t
        b0, b1, b2, b3 = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
        c00 += b1 * b1
        c01 += b1 * b2 * (ax * bx + ay * by)
        c11 += b2 * b2
        dx = line[i, 0] - (b0 + b1) * p[0] - (b2 + b3) * q[0]
        dy = line[i, 1] - (b0 + b1) * p[1] - (b2 + b3) * q[1]
        x0 += b1 * (ax * dx + ay * dy)
        x1 += b2 * (bx * dx + by * dy)
    chord = np.sqrt((q[0] - p[0]) ** 2 + (q[1] - p[1]) ** 2)
    determinant = c00 * c11 - c01 * c01
    left = right = 0.0
    if abs(determinant) > 1e-12:
        left = (x0 * c11 - x1 * c01) / determinant
        right = (c00 * x1 - c01 * x0) / determinant
    least, most = 0.05 * chord, 3 * chord
    if not (least < left < most and least < right < most):
        left = right = chord / 3
    curve[0, 0], curve[0, 1] = p[0], p[1]
    curve[3, 0], curve[3, 1] = q[0], q[1]
    curve[1, 0], curve[1, 1] = p[0] + ax * left, p[1] + ay * left
    curve[2, 0], curve[2, 1] = q[0] + bx * right, q[1] + by * right


@kernel(inline="always")
def signed_area(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    """Return the signed area between a curve and its chord: a, b and c are its further control
    points, seen from the first. It is the sum of x dy - y dx, halved."""
    one, other, third = ax * by - ay * bx, ax * cy - ay * cx, bx * cy - by * cx
    return 0.15 * (one + other + 2 * third)


@kernel(bare=True)
def _area_beyond(line: Any, a: int, b: int) -> float:
    """Return the area between the points from a to b and their chord, as of a spline through them.

    The spline is that of Catmull and Rom.
    """
    total = 0.0
    for i in range(a, b):
        dx, dy = line[i + 1, 0] - line[i, 0], line[i + 1, 1] - line[i, 1]
        p, q = max(i - 1, a), min(i + 2, b)
        share = 1 / (3 * (i + 1 - p)), 1 / (3 * (q - i))
        ux, uy = (line[i + 1, 0] - line[p, 0]) * share[0], (line[i + 1, 1] - line[p, 1]) * share[0]
        vx, vy = (line[q, 0] - line[i, 0]) * share[1], (line[q, 1] - line[i, 1]) * share[1]
        total += signed_area(ux, uy, dx - vx, dy - vy, dx, dy)
        x, y = line[i, 0] - line[a, 0], line[i, 1] - line[a, 1]
        total += 0.5 * (x * dy - y * dx)
    return total


@kernel(bare=True)
def _keep_area(line: Any, a: int, b: int, curve: Any) -> None:
    """Lengthen or shorten the arms of a curve so that it cuts off the area that its points do."""
    x0, y0 = curve[0, 0], curve[0, 1]
    ax, ay = curve[1, 0] - x0, curve[1, 1] - y0
    bx, by = curve[2, 0] - curve[3, 0], curve[2, 1] - curve[3, 1]
    dx, dy = curve[3, 0] - x0, curve[3, 1] - y0
    # With arms s times as long the area is linear * s + square * s².
    linear = 0.15 * (ax * dy - ay * dx) * 2 + 0.15 * 2 * (bx * dy - by * dx)
    square = 0.15 * (ax * by - ay * bx)
    missing = _area_beyond(line, a, b) - linear - square
    slope = linear + 2 * square
    if abs(missing) < MOST_GROWTH * abs(slope):
        s = 1 + missing / slope
        curve[1, 0], curve[1, 1] = x0 + s * ax, y0 + s * ay
        curve[2, 0], curve[2, 1] = curve[3, 0] + s * bx, curve[3, 1] + s * by


@kernel(bare=True)
def _worst(line: Any, a: int, b: int, u: Any, curve: Any) -> Any:
    """Return the point farthest from the curve at its parameter, and its distance²."""
    at, most = (a + b) // 2, 0.0
    for i in range(a + 1, b):
        x, y = bezier(curve, u[i - a])
        away = (x - line[i, 0]) ** 2 + (y - line[i, 1]) ** 2
        if away > most:
            at, most = i, away
    return at, most


@kernel(bare=True)
def _reparametrize(line: Any, a: int, b: int, u: Any, curve: Any) -> None:
    """Take a Newton step towards the parameters at which the curve is nearest to the points."""
    for i in range(a + 1, b):
        t = u[i - a]
        s = 1 - t
        x, y = bezier(curve, t)
        dx = dy = ddx = ddy = 0.0
        for k in range(3):
            w = s * s if k == 0 else (2 * s * t if k == 1 else t * t)
            dx += 3 * w * (curve[k + 1, 0] - curve[k, 0])
            dy += 3 * w * (curve[k + 1, 1] - curve[k, 1])
        for k in range(2):
            w = 6 * (s if k == 0 else t)
            ddx += w * (curve[k + 2, 0] - 2 * curve[k + 1, 0] + curve[k, 0])
            ddy += w * (curve[k + 2, 1] - 2 * curve[k + 1, 1] + curve[k, 1])
        ex, ey = x - line[i, 0], y - line[i, 1]
        slope = dx * dx + dy * dy + ex * ddx + ey * ddy
        if abs(slope) > 1e-12:
            t -= (ex * dx + ey * dy) / slope
        u[i - a] = min(max(t, u[i - a - 1]), 1.0)


@kernel(bare=True)
def _tangent(line: Any, i: int, towards: int) -> Any:
    """Return the direction of the line at a point, as seen towards another."""
    k = min(i + 3, towards) if towards > i else max(i - 3, towards)
    return _unit(line[k, 0] - line[i, 0], line[k, 1] - line[i, 1])


@kernel(inline="always")
def _put(
    stack: Any, row: int, a: float, b: float, ax: float, ay: float, bx: float, by: float
) -> None:
    stack[row, 0], stack[row, 1], stack[row, 2] = a, b, ax
    stack[row, 3], stack[row, 4], stack[row, 5] = ay, bx, by


@kernel(bare=True)
def _fit_stretch(
    line: Any, first: int, last: int, ends: Any, tolerance: float, room: Room, out: Any, n: int
) -> int:
    """Fit curves to the points from first to last; write three control points a curve.

    `ends` are the tangents (x, y) at both ends, pointing inward. Returns the new end of `out`.
    """
    stack, curve, u = room.stack, room.curve, room.parameters
    _put(stack, 0, first, last, ends[0], ends[1], ends[2], ends[3])
    depth = 1
    limit = tolerance * tolerance
    while depth:
        depth -= 1
        a, b = int(stack[depth, 0]), int(stack[depth, 1])
        ax, ay, bx, by = stack[depth, 2], stack[depth, 3], stack[depth, 4], stack[depth, 5]
        u[0] = 0.0
        for i in range(a + 1, b + 1):
            step = np.sqrt((line[i, 0] - line[i - 1, 0]) ** 2 + (line[i, 1] - line[i - 1, 1]) ** 2)
            u[i - a] = u[i - a - 1] + step
        length = max(u[b - a], 1e-12)
        for i in range(b - a + 1):
            u[i] /= length
        _best_curve(line, a, b, u, (ax, ay, bx, by), curve)
        at, most = _worst(line, a, b, u, curve)
        for _ in range(ROUNDS):
            if most <= limit or most > 16 * limit:
                break
            _reparametrize(line, a, b, u, curve)
            _best_curve(line, a, b, u, (ax, ay, bx, by), curve)
            at, most = _worst(line, a, b, u, curve)
        if most <= limit or b - a < 2:
            _keep_area(line, a, b, curve)
            for k in range(1, 4):
                out[n, 0], out[n, 1] = curve[k, 0], curve[k, 1]
                n += 1
            continue
        p, q = max(at - 2, a), min(at + 2, b)
        tx, ty = _unit(line[p, 0] - line[q, 0], line[p, 1] - line[q, 1])
        _put(stack, depth, at, b, -tx, -ty, bx, by)
        _put(stack, depth + 1, a, at, ax, ay, tx, ty)
        depth += 2
    return n


@kernel(bare=True)
def _is_straight(line: Any, a: int, b: int, tolerance: float) -> bool:
    dx, dy = line[b, 0] - line[a, 0], line[b, 1] - line[a, 1]
    length2 = dx * dx + dy * dy
    for i in range(a + 1, b):
        px, py = line[i, 0] - line[a, 0], line[i, 1] - line[a, 1]
        if (dx * py - dy * px) ** 2 > tolerance * tolerance * length2:
            return False
    return True


@kernel(bare=True)
def add_line(x: float, y: float, out: Any, n: int) -> int:
    """Write a straight curve from the last point written to (x, y)."""
    px, py = out[n - 1, 0], out[n - 1, 1]
    for k in range(1, 3):
        out[n, 0], out[n, 1] = px + (x - px) * k / 3, py + (y - py) * k / 3
        n += 1
    out[n, 0], out[n, 1] = x, y  # to the last bit
    return n + 1


def fit_arcs(samples: Any, starts: Any, ends: Any, closed: Any, tolerances: Any) -> Any:
    """Fit curves to the samples of arcs.

    Parameters
    ----------
    samples : ndarray, shape (S, 4), float64
        Points of arc after arc as `smoothing.sample_arcs` gives them; strict ones are corners.
    starts : ndarray, shape (A + 1,), int64
    ends : ndarray, shape (A, 2, 2), float64
        Where each arc begins and ends; of no meaning for loops.
    closed : ndarray, shape (A,), bool
        Whether an arc is a loop.
    tolerances : ndarray, shape (A,), float64
        Largest distance of a sample of each arc from its curve.

    Returns
    -------
    controls : ndarray, shape (P, 2), float64
        Of each arc its first point, then three control points a curve.
    offsets : ndarray, shape (A + 1,), int64
    """
    n_arcs = len(closed)
    out = np.empty((3 * (len(samples) + 2 * n_arcs) + n_arcs + 3, 2), np.float64)
    offsets = np.zeros(n_arcs + 1, np.int64)
    room = make_room(int(np.diff(starts).max(initial=0)) + 3)
    n = _fit_all(samples, starts, ends, closed, tolerances, room, out, offsets)
    return out[:n].copy(), offsets


@kernel(bare=True)
def _fit_all(
    samples: Any, starts: Any, ends: Any, closed: Any, tolerances: Any, room: Room, out: Any,
    offsets: Any,
) -> int:  # fmt: skip
    line, strict = room.line, room.strict
    n = ZERO
    for arc in range(len(closed)):
        size = ZERO
        if not closed[arc]:
            line[0, 0], line[0, 1], strict[0] = ends[arc, 0, 0], ends[arc, 0, 1], False
            size += 1
        for i in range(starts[arc], starts[arc + 1]):
            line[size, 0], line[size, 1] = samples[i, 0], samples[i, 1]
            strict[size] = samples[i, 3] > 0
            size += 1
        if not closed[arc]:
            line[size, 0], line[size, 1], strict[size] = ends[arc, 1, 0], ends[arc, 1, 1], False
            size += 1
        n = _fit_arc(room, size, closed[arc], tolerances[arc], out, n)
        offsets[arc + 1] = n
    return n


@kernel(bare=True)
def _mark_corners(room: Room, size: int, closed: bool) -> bool:
    """Find the corners of the line, and sharpen them; return whether there are any."""
    line, corner, strict = room.line[:size], room.corner[:size], room.strict
    find_corners(line, closed, room.turn, corner)
    any_strict = any_corner = False
    for i in range(size):
        any_strict |= strict[i]
    if not any_strict:
        sharpen(line, corner, closed)
    for i in range(size):
        corner[i] |= strict[i]
        any_corner |= corner[i]
    return any_corner


@kernel(bare=True)
def _turn_loop(room: Room, size: int) -> None:
    """Let a loop begin at its first corner, if it has one, and come back to it."""
    begin = 0
    while begin < size and not room.corner[begin]:
        begin += 1
    for i in range(size + 1):
        k = (i + begin) % size
        room.turned_line[i, 0], room.turned_line[i, 1] = room.line[k, 0], room.line[k, 1]
        room.turned_corner[i] = room.corner[k] or i == 0 or i == size


@kernel(bare=True)
def _fit_arc(room: Room, size: int, closed: bool, tolerance: float, out: Any, n: int) -> int:
    any_corner = _mark_corners(room, size, closed)
    smooth_loop = closed and not any_corner
    if closed:
        _turn_loop(room, size)
        size += 1
    line = room.turned_line if closed else room.line
    corner = room.turned_corner if closed else room.corner
    last = size - 1
    out[n, 0], out[n, 1] = line[0, 0], line[0, 1]
    n += 1
    a = ZERO
    for b in range(1, last + 1):
        if not corner[b]:
            continue
        if not smooth_loop and _is_straight(line, a, b, max(STRAIGHT[0], STRAIGHT[1] * tolerance)):
            n = add_line(line[b, 0], line[b, 1], out, n)
        else:
            ax, ay = _tangent(line, a, b)
            bx, by = _tangent(line, b, a)
            if smooth_loop:
                p, q = line[last - 2], line[2]
                ax, ay = _unit(q[0] - p[0], q[1] - p[1])
                bx, by = -ax, -ay
            n = _fit_stretch(line, a, b, (ax, ay, bx, by), tolerance, room, out, n)
        a = b
    return n
