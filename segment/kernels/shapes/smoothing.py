"""Where the edge that an arc stands for lies, to a fraction of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import ZERO, kernel

REACH = 3  # pixels looked at on either side of a crack
AHEAD = 3  # cracks forward and backward that give the direction of an arc
FAINT, CLEAR = 4.0, 16.0  # contrast from which, and at which, the picture decides; of 255
FARTHEST = 1.25  # pixels that an outline moves at most
CALM, WILD = 0.12, 0.4  # pixels between neighbours from which, and at which, they are not believed
AROUND = 3  # samples either way over which that is judged
PASSES = 4  # of smoothing where there is no contrast


@kernel(inline="always")
def _depth(labels: Any, y: int, x: int, dy: int, dx: int) -> int:
    """Return how many pixels from (y, x) on are of its region, `REACH` at most."""
    n = 1
    while n < REACH:
        v, u = y + n * dy, x + n * dx
        if v < 0 or u < 0 or v >= labels.shape[0] or u >= labels.shape[1]:
            break
        if labels[v, u] != labels[y, x]:
            break
        n += 1
    return n


@kernel(inline="always")
def _share(image: Any, a: Any, b: Any, at: Any, contrast2: float) -> float:
    """Return how far the colour of a pixel is on the way from that of a to that of b: 0..1."""
    dot = 0.0
    for c in range(image.shape[2]):
        origin = image[a[0], a[1], c]
        dot += (image[at[0], at[1], c] - origin) * (image[b[0], b[1], c] - origin)
    return min(max(dot / contrast2, 0.0), 1.0)


@kernel(bare=True)
def _locate(labels: Any, image: Any, y: int, x: int, down: int) -> Any:
    """Return how far beyond the crack before pixel (y, x) the edge lies, and how sure that is.

    Along the line of pixels across the crack, the edge is where it has to be for as many pixels of
    either colour as their mixtures add up to.

    Parameters
    ----------
    down : int
        1 for the crack above the pixel, 0 for that on its left.
    """
    right = 1 - down
    before = _depth(labels, y - down, x - right, -down, -right)
    after = _depth(labels, y, x, down, right)
    a = (y - before * down, x - before * right)
    b = (y + (after - 1) * down, x + (after - 1) * right)
    contrast2 = 0.0
    for c in range(image.shape[2]):
        difference = float(image[b[0], b[1], c]) - image[a[0], a[1], c]
        contrast2 += difference * difference
    weight = min(max((np.sqrt(contrast2) - FAINT) / (CLEAR - FAINT), 0.0), 1.0)
    if weight == 0 or before + after == 2:
        return 0.0, 0.0
    moved = 0.0
    for k in range(1, before):
        moved -= _share(image, a, b, (y - k * down, x - k * right), contrast2)
    for k in range(after - 1):
        moved += 1 - _share(image, a, b, (y + k * down, x + k * right), contrast2)
    return weight * min(max(moved, -FARTHEST), FARTHEST), weight


@kernel(bare=True)
def _find_middles(points: Any, first: int, last: int, middle: Any) -> int:
    """Write the middle of every crack of an arc; return how many there are."""
    n = 0
    for i in range(first, last):
        x, y = points[i, 0], points[i, 1]
        steps = abs(points[i + 1, 0] - x) + abs(points[i + 1, 1] - y)
        dx, dy = (points[i + 1, 0] - x) // steps, (points[i + 1, 1] - y) // steps
        for k in range(steps):
            middle[n, 0], middle[n, 1] = x + (k + 0.5) * dx, y + (k + 0.5) * dy
            n += 1
    return n


def sample_arcs(
    points: Any, offsets: Any, sides: Any, closed: Any, labels: Any, image: Any, strict: Any,
    cell: int,
) -> Any:  # fmt: skip
    """Return points on the edges that arcs stand for.

    Of the cracks of an arc those are taken that lie along it: where it runs more across than down,
    the horizontal ones.

    Parameters
    ----------
    points, offsets, sides, closed
        As in `segment.shapes.graph.Arcs`.
    labels : ndarray, shape (H, W), int32
    image : ndarray, shape (H, W, C), float32
        Colours, white at 255.
    strict : ndarray of bool
        Cells of a grid in which every crack is taken, and none moved: the lines that join their
        middles do not cross.
    cell : int
        Side of a cell, in pixels.

    Returns
    -------
    samples : ndarray, shape (S, 4), float64
        x, y; weight: 1 where the picture says where the edge is, 0 where it does not; and 1 where
        the cell is strict.
    starts : ndarray, shape (A + 1,), int64
        First sample of each arc. There are none along the frame.
    shifts : ndarray, shape (A, 2, 2), float64
        How far the first and the last sample have moved, in x and y; NaN in the other direction.
    """
    along = np.abs(np.diff(points, axis=0)).sum(axis=1)
    cracks = np.concatenate([[0], np.cumsum(along)])
    longest = int((cracks[offsets[1:] - 1] - cracks[offsets[:-1]]).max(initial=1))
    samples = np.empty((cracks[-1], 4), np.float64)
    starts = np.zeros(len(sides) + 1, np.int64)
    shifts = np.full((len(sides), 2, 2), np.nan)
    middle = np.empty((longest, 2), np.float64)
    n = _sample(
        points, offsets, sides, closed, labels, image, strict, cell, middle, samples, starts, shifts
    )
    return samples[:n].copy(), starts, shifts


@kernel(bare=True)
def _sample(
    points: Any, offsets: Any, sides: Any, closed: Any, labels: Any, image: Any, strict: Any,
    cell: int, middle: Any, samples: Any, starts: Any, shifts: Any,
) -> int:  # fmt: skip
    """Write what `sample_arcs` returns; return how many samples there are."""
    at = ZERO
    for arc in range(len(sides)):
        if sides[arc, 0] < 0 or sides[arc, 1] < 0:
            starts[arc + 1] = at
            continue
        n = _find_middles(points, offsets[arc], offsets[arc + 1] - 1, middle)
        for i in range(n):
            a, b = i - AHEAD, i + AHEAD
            if not closed[arc] or n < 4 * AHEAD:
                a, b = max(a, 0), min(b, n - 1)
            a, b = a % n, b % n
            across, along = abs(middle[b, 0] - middle[a, 0]), abs(middle[b, 1] - middle[a, 1])
            x, y = int(middle[i, 0]), int(middle[i, 1])  # the pixel after the crack
            down = 1 if middle[i, 1] == y else 0
            is_strict = strict[y // cell, x // cell]
            if not is_strict and ((across < along) if down else (along < across)):
                continue
            moved, weight = 0.0, 1.0
            if not is_strict:
                moved, weight = _locate(labels, image, y, x, down)
            samples[at, 0] = middle[i, 0] + moved * (1 - down)
            samples[at, 1] = middle[i, 1] + moved * down
            samples[at, 2] = weight
            samples[at, 3] = is_strict
            if at == starts[arc]:
                shifts[arc, 0, down] = moved
            shifts[arc, 1, down], shifts[arc, 1, 1 - down] = moved, np.nan
            at += 1
        starts[arc + 1] = at
    return at


def doubt_samples(samples: Any, starts: Any, closed: Any) -> None:
    """Lessen the weight of samples that jump to and fro: grain, not an edge.

    Each sample has a height over the line between those beside it: about the same along a bend,
    whatever its radius. What counts is how much the heights around a sample differ.

    Parameters
    ----------
    samples, starts
        As `sample_arcs` returns them; changed.
    """
    _doubt(samples, starts, closed, np.empty(_longest(starts)))


def _longest(starts: Any) -> int:
    """Return the most samples that an arc has."""
    return int(np.diff(starts).max(initial=0))


@kernel(bare=True)
def _doubt(samples: Any, starts: Any, closed: Any, heights: Any) -> None:
    for arc in range(len(starts) - 1):
        first, n = starts[arc], starts[arc + 1] - starts[arc]
        if n < 3:
            continue
        own = samples[first : first + n]
        for i in range(n):
            heights[i] = 0.0
            if closed[arc] or 0 < i < n - 1:
                a, b = own[i - 1], own[(i + 1) % n]
                dx, dy = b[0] - a[0], b[1] - a[1]
                length = np.sqrt(dx * dx + dy * dy)
                if length > 0:
                    heights[i] = (dx * (own[i, 1] - a[1]) - dy * (own[i, 0] - a[0])) / length
        for i in range(n):
            mean = differing = 0.0
            for k in range(i - AROUND, i + AROUND + 1):
                mean += heights[k % n if closed[arc] else min(max(k, 0), n - 1)]
            mean /= 2 * AROUND + 1
            for k in range(i - AROUND, i + AROUND + 1):
                differing += abs(heights[k % n if closed[arc] else min(max(k, 0), n - 1)] - mean)
            calm = (WILD - differing / (2 * AROUND + 1)) / (WILD - CALM)
            own[i, 2] *= min(max(calm, 0.0), 1.0)


def relax_samples(samples: Any, starts: Any, ends: Any, closed: Any) -> None:
    """Smooth samples along their arcs where the picture does not say where they lie.

    Parameters
    ----------
    samples, starts
        As `sample_arcs` returns them; changed.
    ends : ndarray, shape (A, 2, 2), float64
        Where each arc begins and ends.
    """
    _relax(samples, starts, ends, closed, *np.empty((2, _longest(starts), 2)))


@kernel(bare=True)
def _relax(samples: Any, starts: Any, ends: Any, closed: Any, line: Any, smooth: Any) -> None:
    for arc in range(len(starts) - 1):
        first, n = starts[arc], starts[arc + 1] - starts[arc]
        if n < 3:
            continue
        own = samples[first : first + n]
        for i in range(n):
            line[i, 0], line[i, 1] = own[i, 0], own[i, 1]
        for _ in range(PASSES):
            for i in range(n):
                for j in range(2):
                    if closed[arc]:
                        a, b = line[(i - 1) % n, j], line[(i + 1) % n, j]
                    else:
                        a = line[i - 1, j] if i > 0 else ends[arc, 0, j]
                        b = line[i + 1, j] if i < n - 1 else ends[arc, 1, j]
                    smooth[i, j] = 0.25 * a + 0.5 * line[i, j] + 0.25 * b
            line, smooth = smooth, line
        for i in range(n):
            weight = own[i, 2]
            for j in range(2):
                own[i, j] = weight * own[i, j] + (1 - weight) * line[i, j]


def unbend_samples(samples: Any, starts: Any, closed: Any) -> None:
    """Move samples from the mean of an edge across a pixel, which `sample_arcs` finds, to where the
    edge is in the middle of the pixel: by 1/24 of its second difference.

    Parameters
    ----------
    samples, starts
        As `sample_arcs` returns them; changed.
    """
    _unbend(samples, starts, closed, samples.copy())


@kernel(bare=True)
def _unbend(samples: Any, starts: Any, closed: Any, old: Any) -> None:
    for arc in range(len(starts) - 1):
        first, n = starts[arc], starts[arc + 1] - starts[arc]
        if n < 3:
            continue
        own, line = samples[first : first + n], old[first : first + n]
        for i in range(n):
            if not closed[arc] and (i == 0 or i == n - 1):
                continue
            a, b, c = line[i - 1], line[i], line[(i + 1) % n]
            if a[3] + b[3] + c[3] > 0:
                continue
            for j in range(2):
                along, before = c[1 - j] - b[1 - j], b[1 - j] - a[1 - j]
                if along == before and abs(along) == 1:
                    own[i, j] -= b[2] * (a[j] - 2 * b[j] + c[j]) / 24
