"""Pixels at borders go over to the region that suits them better, and none falls apart."""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import BoolArray, Float32Array, Int32Array, Int64Array
from segment.kernels.jit import kernel
from segment.kernels.regions.refining import SIDES, distance2

F = np.float32

DIAGONAL = F(0.7)  # weight of a neighbour at a corner, where one at an edge has 1


@kernel(inline="always")
def look_around(labels: Int32Array, i: int, j: int, around: Int32Array) -> None:
    """Put the labels of the neighbours of a pixel into `around` (8,), 0 outside the picture.

    The first is the one above, the others follow clockwise.
    """
    above, below = i > 0, i < labels.shape[0] - 1
    left, right = j > 0, j < labels.shape[1] - 1
    around[0] = labels[i - 1, j] if above else 0
    around[1] = labels[i - 1, j + 1] if above and right else 0
    around[2] = labels[i, j + 1] if right else 0
    around[3] = labels[i + 1, j + 1] if below and right else 0
    around[4] = labels[i + 1, j] if below else 0
    around[5] = labels[i + 1, j - 1] if below and left else 0
    around[6] = labels[i, j - 1] if left else 0
    around[7] = labels[i - 1, j - 1] if above and left else 0


@kernel(inline="always")
def _at_edge(labels: Int32Array, i: int, j: int) -> bool:
    """Whether a pixel shares an edge with one of another region."""
    own, height, width = labels[i, j], labels.shape[0], labels.shape[1]
    above = labels[i - 1, j] if i > 0 else 0
    below = labels[i + 1, j] if i < height - 1 else 0
    left = labels[i, j - 1] if j > 0 else 0
    right = labels[i, j + 1] if j < width - 1 else 0
    if above == own and below == own and left == own and right == own:
        return False
    other = above != own and above != 0
    other |= below != own and below != 0
    other |= left != own and left != 0
    return other or (right != own and right != 0)


@kernel(bare=True)
def sweep(
    labels: Int32Array, rows: Int64Array, columns: Int64Array, pixels: Int64Array,
    sides: Int32Array, means: Float32Array, distances: Float32Array, removable: BoolArray,
    smoothness: np.float32, noise2: np.float32, place: int, first: int, last: int,
    around: Int32Array, support: Float32Array,
) -> None:  # fmt: skip
    """Let children of border pixels go over to a neighbour's region where that suits them better.

    How much better is ``(d - e) / (t + noise2) + smoothness * (m - n)``: d and e are the squared
    distances from the means of the old and the new region and t that between the two means; n and m
    are how many neighbours are of either. No region falls apart: a pixel stays if its region needs
    it.

    Parameters
    ----------
    labels : ndarray, shape (H, W), int32
        Changed in place.
    rows, columns, pixels, sides, means
        As for `refining.weigh`.
    distances : ndarray
        From `refining.weigh`.
    removable : ndarray of bool, shape (256,)
        From `removable_pixels`.
    smoothness, noise2 : float32
        See above.
    place : int
        Only children of this place, see `refining.weigh`: no two of them are neighbours, so their
        order does not matter.
    around, support : ndarray, shape (8,), int32, and (SIDES,), float32
        Room.
    """
    n_columns = len(columns) - 1
    for k in range(first, last):
        y, x = pixels[k] // n_columns, pixels[k] % n_columns
        i = rows[y] + ((rows[y] ^ (place >> 1)) & 1)
        j = columns[x] + ((columns[x] ^ place) & 1)
        if i >= rows[y + 1] or j >= columns[x + 1] or labels[i, j] == 0:
            continue
        own = labels[i, j]
        if not _at_edge(labels, i, j):
            continue
        look_around(labels, i, j, around)
        ring = 0
        for r in range(8):
            ring |= (1 << r) if around[r] == own else 0
        if not removable[ring]:
            continue
        here, reachable = -1, 0
        for s in range(SIDES):
            here = s if sides[k, s] == own else here
            support[s] = 0
            if sides[k, s] != 0:
                for r in range(8):
                    if around[r] == sides[k, s]:
                        support[s] += F(1) if r % 2 == 0 else DIAGONAL
                        reachable |= (1 << s) if r % 2 == 0 else 0
        if here < 0:
            continue
        best, most = -1, F(0)
        for s in range(SIDES):
            if s == here or not (reachable >> s) & 1:
                continue
            between = noise2 + distance2(means[k, here], means[k, s])
            gain = (distances[k, place, here] - distances[k, place, s]) / between
            gain += smoothness * (support[s] - support[here])
            if gain > most:
                best, most = s, gain
        if best >= 0:
            labels[i, j] = sides[k, best]


def removable_pixels(connectivity: int) -> BoolArray:
    """Tell where a region stays in one piece, as far as eight neighbours show, without a pixel.

    Parameters
    ----------
    connectivity : {1, 2}
        Whether pixels of a region touch at edges or also at corners.

    Returns
    -------
    removable : ndarray of bool, shape (256,)
        For each set of neighbours that are of the pixel's region; bit 0 is the neighbour above,
        then clockwise.
    """
    out = np.zeros(256, np.bool_)
    for ring in range(256):
        inside = [bool(ring >> r & 1) for r in range(8)]
        group = list(range(8))
        for r in range(8):
            after = (r + 1) % 8
            across = (r + 2) % 8
            if inside[r] and inside[after]:
                group = [group[r] if g == group[after] else g for g in group]
            if connectivity == 2 and r % 2 == 0 and inside[r] and inside[across]:
                group = [group[r] if g == group[across] else g for g in group]
        needed = [r for r in range(8) if inside[r] and (connectivity == 2 or r % 2 == 0)]
        out[ring] = len({group[r] for r in needed}) == 1
    return out
