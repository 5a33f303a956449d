"""Label maps traced into arcs: chains of cracks between the same two regions.

A crack is the border between two pixels of different labels, or between a pixel and the outside.
It joins two vertices, the corners of pixels; vertex (x, y) is the upper left corner of pixel
(row y, column x). A vertex where three or more cracks meet, and a corner of the image, is a node.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import ZERO, kernel

OUTSIDE = -1  # label of what lies beyond the image
# Directions 0..3 and the bit of each in the code of a vertex: a crack leaves it that way.
UP, RIGHT, DOWN, LEFT = 1, 2, 4, 8
CRACKS = 15
NODE = 16
VERTEX = 32  # stays when the cracks have been walked and cleared


@kernel(inline="always")
def _code(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return the code of the vertex between pixels a b / c d."""
    up, right, down, left = a != b, b != d, c != d, a != c
    count = np.uint8(up) + np.uint8(right) + np.uint8(down) + np.uint8(left)
    cracks = np.uint8(up) | np.uint8(right) << 1 | np.uint8(down) << 2 | np.uint8(left) << 3
    return cracks | np.uint8(count >= 3) << 4 | np.uint8(count > 0) << 5


@kernel(bare=True)
def find_cracks(above: Any, labels: Any, first: bool, last: bool, codes: Any) -> None:
    """Write the code of every vertex of a strip.

    Where a strip goes on below, the vertices under its last row have nothing but their upper crack;
    they and the vertices where cracks enter from above are nodes, to be dissolved later.

    Parameters
    ----------
    above : ndarray, shape (W,), int32
        The row of labels above the strip; all `OUTSIDE` for the first strip.
    labels : ndarray, shape (h, W), int32
    first, last : bool
        Whether the strip is the first, or the last, of its image.
    codes : ndarray, shape (h + 1, W + 1), uint8
    """
    height, width = labels.shape
    for y in range(height + 1):
        top = above if y == 0 else labels[y - 1]
        out = codes[y]
        if y < height:
            row = labels[y]
            out[0] = _code(OUTSIDE, top[0], OUTSIDE, row[0])
            for x in range(1, width):
                out[x] = _code(top[x - 1], top[x], row[x - 1], row[x])
            out[width] = _code(top[width - 1], OUTSIDE, row[width - 1], OUTSIDE)
        else:
            out[0] = _code(OUTSIDE, top[0], OUTSIDE, OUTSIDE)
            for x in range(1, width):
                out[x] = _code(top[x - 1], top[x], OUTSIDE, OUTSIDE)
            out[width] = _code(top[width - 1], OUTSIDE, OUTSIDE, OUTSIDE)
            if not last:
                for x in range(width + 1):
                    out[x] = (NODE | VERTEX | UP) if out[x] & UP else 0
        if y == 0 and not first:
            for x in range(width + 1):
                if out[x] & UP:
                    out[x] = (out[x] | NODE) & ~UP
        if (y == 0 and first) or (y == height and last):
            out[0] |= NODE
            out[width] |= NODE


@kernel(bare=True)
def count_arcs(codes: Any) -> Any:
    """Return how many arcs and points `walk_arcs` writes at most."""
    ends, turns = 0, 0
    for y in range(codes.shape[0]):
        for x in range(codes.shape[1]):
            code = codes[y, x]
            if code == 0:
                continue
            cracks = code & CRACKS
            if code & NODE:
                ends += (cracks & 1) + (cracks >> 1 & 1) + (cracks >> 2 & 1) + (cracks >> 3)
            elif cracks != UP | DOWN and cracks != LEFT | RIGHT:
                turns += 1
    return ends // 2 + turns // 4, ends + turns + turns // 4


@kernel(inline="always")
def _pixel(above: Any, labels: Any, y: int, x: int) -> int:
    if x < 0 or x >= labels.shape[1] or y >= labels.shape[0]:
        return OUTSIDE
    return above[x] if y < 0 else labels[y, x]


@kernel(inline="always")
def _direction(cracks: int) -> int:
    """Return the direction of the only bit that is set."""
    return (cracks >> 1 & 1) + 2 * (cracks >> 2 & 1) + 3 * (cracks >> 3 & 1)


@kernel(bare=True)
def _walk(codes: Any, x: int, y: int, direction: int, top: int, points: Any, n: int) -> int:
    """Follow cracks from a vertex to the next node, or back to itself; write the corners."""
    codes[y, x] &= ~np.uint8(1 << direction)
    points[n, 0], points[n, 1] = x, y + top
    n += 1
    while True:
        if direction == 0:
            y -= 1
        elif direction == 1:
            x += 1
        elif direction == 2:
            y += 1
        else:
            x -= 1
        code = codes[y, x] & ~np.uint8(1 << (direction ^ 2))
        cracks = code & CRACKS
        if code & NODE or cracks == 0:
            codes[y, x] = code
            points[n, 0], points[n, 1] = x, y + top
            return n + 1
        turned = _direction(cracks)
        if turned != direction:
            points[n, 0], points[n, 1] = x, y + top
            n += 1
            direction = turned
        codes[y, x] = code & ~CRACKS


@kernel(bare=True)
def walk_arcs(
    above: Any, labels: Any, codes: Any, top: int, points: Any, offsets: Any, sides: Any
) -> Any:
    """Walk all cracks of a strip; return how many arcs join nodes, and how many there are.

    Arcs between nodes begin at the upper (then left) one; loops at their upper left corner, and
    run clockwise as seen on a screen.

    Parameters
    ----------
    above, labels, codes
        As for `find_cracks`, which has filled `codes`; the cracks in it are cleared.
    top : int
        Row of the image at which the strip begins.
    points : ndarray, shape (P, 2), int32
        Corners (x, y) of arc after arc, the ends included; a loop ends with its first point.
    offsets : ndarray, shape (A + 1,), int64
        Where in `points` each arc begins.
    sides : ndarray, shape (A, 2), int32
        Labels on the left and on the right as one walks, on a screen.
    """
    n, arcs, between = ZERO, 0, 0
    offsets[0] = 0
    for loops in range(2):
        for y in range(codes.shape[0]):
            for x in range(codes.shape[1]):
                cracks = codes[y, x] & CRACKS
                if cracks == 0 or (loops == 0 and not codes[y, x] & NODE):
                    continue
                for direction in range(4):
                    if not codes[y, x] >> direction & 1 or (loops and direction != 1):
                        continue
                    # Pixels beyond the vertex are (y - 1 | y, x - 1 | x).
                    down = direction == 1 or direction == 2
                    right = direction == 0 or direction == 1
                    ahead_right = _pixel(above, labels, y - 1 + down, x - 1 + right)
                    down = direction == 2 or direction == 3
                    right = direction == 1 or direction == 2
                    ahead_left = _pixel(above, labels, y - 1 + down, x - 1 + right)
                    sides[arcs, 0], sides[arcs, 1] = ahead_left, ahead_right
                    n = _walk(codes, x, y, direction, top, points, n)
                    arcs += 1
                    offsets[arcs] = n
        if not loops:
            between = arcs
    return between, arcs


@kernel(inline="always")
def heading(points: Any, a: int, b: int) -> int:
    """Return the direction 0..3 from one point to another in its row or column."""
    if points[a, 0] == points[b, 0]:
        return 0 if points[b, 1] < points[a, 1] else 2
    return 1 if points[b, 0] > points[a, 0] else 3


@kernel(inline="always")
def _straight(points: Any, a: int, b: int, c: int) -> bool:
    """Whether three points lie in one row or column, on the way from the first to the last."""
    rows = points[a, 1] == points[b, 1] and points[b, 1] == points[c, 1]
    return rows or (points[a, 0] == points[b, 0] and points[b, 0] == points[c, 0])


def join_pieces(points: Any, offsets: Any, sides: Any, link: Any) -> Any:
    """Join pieces of arcs, that strips have cut, at their ends.

    Parameters
    ----------
    points, offsets, sides
        As `walk_arcs` writes them.
    link : ndarray, shape (2 * A,), int64
        The end that each end is joined to, or -1; end ``2 * a`` is the first point of piece a,
        ``2 * a + 1`` its last.

    Returns
    -------
    points, offsets, sides
        What came of it, begun and directed as `walk_arcs` would have done it from the whole.
    closed : ndarray of bool
        Whether an arc is a loop.
    """
    n_pieces = len(sides)
    out = np.empty((len(points) + n_pieces, 2), np.int32)
    out_offsets = np.zeros(n_pieces + 1, np.int64)
    out_sides = np.empty((n_pieces, 2), np.int32)
    closed = np.zeros(n_pieces, np.bool_)
    done = np.zeros(n_pieces, np.bool_)
    n, arcs = _join(points, offsets, sides, link, done, out, out_offsets, out_sides, closed)
    return out[:n].copy(), out_offsets[: arcs + 1].copy(), out_sides[:arcs].copy(), closed[:arcs]


@kernel(bare=True)
def _join(
    points: Any, offsets: Any, sides: Any, link: Any, done: Any, out: Any, out_offsets: Any,
    out_sides: Any, closed: Any,
) -> Any:  # fmt: skip
    """Write what `join_pieces` returns; return how many points and arcs it is."""
    n, arcs = ZERO, ZERO
    for loops in range(2):
        for end in range(len(link)):
            if done[end >> 1] or (loops == 0 and link[end] >= 0):
                continue
            here = end
            begin = n
            while not done[here >> 1]:
                piece = here >> 1
                done[piece] = True
                first, last, step = offsets[piece], offsets[piece + 1] - 1, 1
                if here & 1:
                    first, last, step = last, first, -1
                for p in range(first + step * (n > begin), last + step, step):
                    out[n, 0], out[n, 1] = points[p, 0], points[p, 1]
                    if n - begin > 1 and _straight(out, n - 2, n - 1, n):
                        n -= 1  # a joint, but no corner
                        out[n, 0], out[n, 1] = points[p, 0], points[p, 1]
                    n += 1
                here = link[here ^ 1]
                if here < 0:
                    break
            left, right = sides[end >> 1, end & 1], sides[end >> 1, 1 - (end & 1)]
            if loops:
                n = _begin_loop(out, begin, n)
            if _is_backward(out, begin, n, loops == 1):
                left, right = right, left
                _reverse(out, begin, n)
            out_sides[arcs, 0], out_sides[arcs, 1] = left, right
            closed[arcs] = loops == 1
            arcs += 1
            out_offsets[arcs] = n
    return n, arcs


@kernel(bare=True)
def _reverse(points: Any, begin: int, end: int) -> None:
    """Put points in the opposite order."""
    for i in range((end - begin) // 2):
        a, b = begin + i, end - 1 - i
        x, y = points[a, 0], points[a, 1]
        points[a, 0], points[a, 1] = points[b, 0], points[b, 1]
        points[b, 0], points[b, 1] = x, y


@kernel(bare=True)
def _begin_loop(points: Any, begin: int, n: int) -> int:
    """Rotate a closed chain so that it begins at its upper left corner; return its new end."""
    if _straight(points, n - 2, n - 1, begin + 1):  # begun at a joint that is no corner
        for i in range(begin, n - 2):
            points[i, 0], points[i, 1] = points[i + 1, 0], points[i + 1, 1]
        n -= 1
        points[n - 1, 0], points[n - 1, 1] = points[begin, 0], points[begin, 1]
    best = begin
    for i in range(begin, n - 1):
        if points[i, 1] < points[best, 1] or (
            points[i, 1] == points[best, 1] and points[i, 0] < points[best, 0]
        ):
            best = i
    _reverse(points, begin, best)  # to turn a list is to reverse both its parts, and then all
    _reverse(points, best, n - 1)
    _reverse(points, begin, n - 1)
    points[n - 1, 0], points[n - 1, 1] = points[begin, 0], points[begin, 1]
    return n


@kernel(inline="always")
def _is_backward(points: Any, begin: int, n: int, loop: bool) -> bool:
    """Whether an arc is directed otherwise than `walk_arcs` would have it."""
    if loop:
        return points[begin + 1, 1] != points[begin, 1]
    last = n - 1
    if points[begin, 1] != points[last, 1]:
        return points[last, 1] < points[begin, 1]
    if points[begin, 0] != points[last, 0]:
        return points[last, 0] < points[begin, 0]
    return heading(points, last, last - 1) < heading(points, begin, begin + 1)
