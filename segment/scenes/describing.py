"""The cues of a scene's leaves, window by window: words, boundaries, contacts at corners."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.regions import adjacency, boundaries, weighted
from segment.kernels.regions import words as word_kernels
from segment.regions import cues
from segment.scenes.codebooks import SIZES, Codebooks, around, look_at
from segment.scenes.looks import HALO, Looks, convolved, over
from segment.scenes.readers import TileReader
from segment.scenes.sources import Part
from segment.scenes.store import Store
from segment.scenes.tiles import Tiles, Window
from segment.scenes.work import Work

# What is summed over cracks is first rounded to multiples of this: such sums are exact.
QUANTUM = 2.0**-24
N_WORDS = sum(SIZES)
NAMES = ("leaves", "counts", "pairs", "lengths", "boundaries", "corners")


class WindowCues(NamedTuple):
    """What a window says of the leaves in it.

    Attributes
    ----------
    leaves : ndarray, shape (m,), int64
        Those that have pixels in it, from 1, in rising order.
    counts : ndarray, shape (m, K), int32
        Pixels of each word.
    pairs : ndarray, shape (E, 2), int64
        Leaves that touch along its cracks, the lower first.
    lengths : ndarray, shape (E,), int64
        Cracks of each pair.
    boundaries : ndarray, shape (E, 4), float64
        Contrast, difference, strangeness and how likely people would part them, summed over the
        cracks; the last one, learned from photographs, is the same of all cracks of a scene.
    corners : ndarray, shape (D, 2), int64
        Leaves that touch at a corner, the lower first; empty unless asked for.
    """

    leaves: NDArray[np.int64]
    counts: NDArray[np.int32]
    pairs: NDArray[np.int64]
    lengths: NDArray[np.int64]
    boundaries: NDArray[np.float64]
    corners: NDArray[np.int64]


def looked_at(window: Window, tiles: Tiles) -> Window:
    """Return the window that is looked at to describe the leaves in another one."""
    return around(window, HALO, tiles.height, tiles.width)


def with_neighbours(window: Window) -> Window:
    """Return a window with the pixels that its own may touch: cracks lead to the right and
    downwards, corners also to the left."""
    return Window(window.top, window.left - 1, window.height + 1, window.width + 2)


def describe(
    work: Work,
    labels: TileReader,
    books: Codebooks,
    window: Window,
    part: Part | None = None,
) -> WindowCues:
    """Measure the cues of the leaves in a window.

    Parameters
    ----------
    work : Work
    labels : TileReader
        Leaves, 1..n; 0 where there is no value.
    books : Codebooks
    window : Window
    part : Part, optional
        The pixels of the window that is `looked_at`, where they are at hand.
    """
    near = labels.read(with_neighbours(window))
    leaves, local = numbered(near)
    corners = _corners(near) if work.params.connectivity == 2 else np.empty((0, 2), np.int64)
    own = np.ascontiguousarray(local[:-1, 1:-1])
    if not own.any():
        return WindowCues(
            np.empty(0, np.int64), np.empty((0, N_WORDS), np.int32), np.empty((0, 2), np.int64),
            np.empty(0, np.int64), np.zeros((0, 4)), corners,
        )  # fmt: skip
    outer = looked_at(window, work.tiles)
    looks = look_at(work, outer, books.scale, part)
    words = books.words_of(looks)
    at = window.moved(-outer.top, -outer.left)
    counts = np.zeros((len(leaves) + 1, N_WORDS), np.int32)
    every = np.ones(len(counts), bool)
    first = 0
    for k, (word, size) in enumerate(zip(words, SIZES, strict=True)):
        shift = 1 if k else 0
        rows, columns = (np.arange(part.start, part.stop) >> shift for part in at.slices)
        word_kernels.count_words(own, word, rows, columns, first, every, counts)
        first += size

    pairs, cracks, edges = _cracks(np.ascontiguousarray(local[:, 1:]), len(leaves), at, outer)
    values = _boundary_cues(looks, words, books, cracks)
    lengths = np.bincount(edges, minlength=len(pairs)).astype(np.int64)
    sums: NDArray[np.float64] = np.stack(
        [np.bincount(edges, value, len(pairs)) for value in values], axis=1
    )
    met, inside = lengths > 0, counts[1:].any(axis=1)
    touching: NDArray[np.int64] = leaves[pairs[met] - 1]
    return WindowCues(
        leaves[inside], counts[1:][inside], touching, lengths[met], sums[met], corners
    )


def numbered(labels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the labels that occur, in rising order and without 0, and their numbers from 1."""
    top = int(labels.max(initial=0)) + 1
    there = np.zeros(top, np.bool_)
    there[labels] = True
    there[0] = False
    number = np.cumsum(there, dtype=np.int32)
    number[0] = 0
    return np.flatnonzero(there), np.where(labels > 0, number[labels], 0).astype(np.int32)


def _cracks(
    local: NDArray[np.int32], n: int, at: Window, outer: Window
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Return pairs of leaves, the cracks of a window as of the window with its halo, their pairs.

    `local` goes on by a row and a column, the cracks of which are others'.
    """
    pairs, cracks, edges = adjacency.touching(local, n)
    down, pixel = cracks & 1, cracks >> 1
    y, x = pixel // local.shape[1], pixel % local.shape[1]
    kept = (y < at.height) & (x < at.width)
    place = (y + at.top) * outer.width + x + at.left
    return pairs, (2 * place + down)[kept], edges[kept]


def _boundary_cues(
    looks: Looks, words: tuple[NDArray[np.uint8], ...], books: Codebooks, cracks: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return contrast, difference of the sides, strangeness, how likely parted, (4, M)."""
    contrast, difference, strangeness = np.zeros((3, len(cracks)), np.float32)
    each = np.arange(len(cracks), dtype=np.int32)
    shape = looks.slopes.shape
    boundaries.add_contrast(looks.colors, looks.slopes, cues.UNIT_CONTRAST, cracks, each, contrast)
    colors, _, textures = words
    block = 2**cues.SIDE_SHIFT
    for word, seen, size, side in (
        (colors, looks.seen, SIZES[0], block),
        (textures, looks.half_seen, SIZES[2], block // 2),
    ):
        shares = _shares(word, seen, size, side)
        boundaries.add_differences(
            shares, cues.SIDE_SHIFT, cues.SIDE_REACH, shape, cracks, each, difference
        )
    boundaries.add_strangeness(
        colors, books.strangeness, cues.NEIGHBOUR_REACH, cracks, each, strangeness
    )
    likely = np.full_like(contrast, boundaries.UNSEEN)
    found = np.stack([contrast, difference / 2, strangeness, likely]).astype(np.float64)
    rounded: NDArray[np.float64] = np.rint(found / QUANTUM) * QUANTUM
    return rounded


def _shares(
    words: NDArray[np.uint8], seen: NDArray[np.bool_], size: int, side: int
) -> NDArray[np.float32]:
    """Return shares of the words around blocks of `side` x `side` words, (h, w, size)."""
    height, width = (-(-length // side) for length in words.shape)
    counts = np.zeros((height, width, size), np.float32)
    weighted.count_block_words(words, seen, side, counts)
    sigma = cues.SIDE_BLUR / 2**cues.SIDE_SHIFT
    sums = convolved(counts.reshape(1, -1), sigma, width * size)
    sums = convolved(sums.reshape(height, -1), sigma, size).reshape(counts.shape)
    return sums / over(sums.sum(axis=2, keepdims=True))


def _corners(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the pairs of labels that touch at a corner of a window's pixels.

    `labels` goes on by a row downwards and a column either way.
    """
    own = labels[:-1, 1:-1]
    met = []
    for other in (labels[1:, 2:], labels[1:, :-2]):
        apart = (own != other) & (own > 0) & (other > 0)
        met.append(np.stack([own[apart], other[apart]], axis=1).astype(np.int64))
    return np.unique(np.sort(np.concatenate(met), axis=1), axis=0)


def save(store: Store, key: str, found: WindowCues) -> None:
    """Save what a window says."""
    store.save(key, found._asdict())


def load(store: Store, key: str) -> WindowCues:
    """Return what `save` has saved."""
    return WindowCues(*store.load(key, NAMES))
