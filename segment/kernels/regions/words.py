"""Codebooks of one image: k-means, assignment of pixels to words, and counts of words."""

from __future__ import annotations

import numpy as np

from segment.kernels.arrays import (
    AnyArray,
    BoolArray,
    Float32Array,
    Float64Array,
    IndexArray,
    Int32Array,
    UInt8Array,
)
from segment.kernels.jit import REASSOCIATE, ZERO, kernel

_BLOCK = 512  # pixels whose distances stay in the first-level cache


@kernel(fastmath=REASSOCIATE, bare=True)
def _distances(planes: Float32Array, center: Float32Array, start: int, out: Float32Array) -> None:
    """Put squared distances from the pixels from `start` on to one center into `out`."""
    size = out.size
    for d in range(center.size):
        plane = planes[d, start : start + size]
        c = center[d]
        if d == 0:
            for i in range(size):
                t = plane[i] - c
                out[i] = t * t
        else:
            for i in range(size):
                t = plane[i] - c
                out[i] += t * t


def assign(planes: Float32Array, centers: Float32Array, words: UInt8Array) -> None:
    """Put the index of the nearest center (K, C) of each column of `planes` (C, N) into `words`.

    Of equally near centers the first is taken.
    """
    least, distance = np.empty((2, _BLOCK), np.float32)
    _assign(planes, centers, least, np.empty(_BLOCK, np.int32), distance, words)


@kernel(bare=True)
def _assign(
    planes: Float32Array, centers: Float32Array, least: Float32Array, owner: Int32Array,
    distance: Float32Array, words: UInt8Array,
) -> None:  # fmt: skip
    n = planes.shape[1]
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        for i in range(size):
            least[i], owner[i] = np.float32(np.inf), 0
        for j in range(centers.shape[0]):
            _distances(planes, centers[j], start, distance[:size])
            for i in range(size):
                closer = distance[i] < least[i]
                least[i] = distance[i] if closer else least[i]
                owner[i] = j if closer else owner[i]
        for i in range(size):
            words[start + i] = owner[i]


def farthest_first(planes: Float32Array, k: int) -> Float32Array:
    """Return `k` seeds (k, C): the sample nearest to the mean, then always the farthest from all.

    Samples are the columns of `planes` (C, M). With fewer than `k` distinct ones seeds repeat.
    """
    seeds = np.empty((k, len(planes)), np.float32)
    distance, least = np.empty((2, planes.shape[1]), np.float32)
    _seed(planes, np.empty(len(planes), np.float32), distance, least, seeds)
    return seeds


@kernel(bare=True)
def _seed(
    planes: Float32Array, mean: Float32Array, distance: Float32Array, least: Float32Array,
    seeds: Float32Array,
) -> None:  # fmt: skip
    dims, n = planes.shape
    for d in range(dims):
        total = 0.0
        for i in range(n):
            total += planes[d, i]
        mean[d] = total / n
    for i in range(n):
        least[i] = np.float32(np.inf)
    _distances(planes, mean, ZERO, distance)
    chosen = 0
    for i in range(1, n):
        if distance[i] < distance[chosen]:
            chosen = i
    for j in range(len(seeds)):
        for d in range(dims):
            seeds[j, d] = planes[d, chosen]
        _distances(planes, seeds[j], ZERO, distance)
        chosen = 0
        for i in range(n):
            least[i] = min(least[i], distance[i])
            if least[i] > least[chosen]:
                chosen = i


@kernel(bare=True)
def _add_members(
    planes: Float32Array, words: UInt8Array, members: Float64Array, sums: Float64Array
) -> None:
    """Add the columns of `planes` (C, M) to the sums (K, C) of their words, and count them."""
    for i in range(words.size):
        members[words[i]] += 1
        for d in range(sums.shape[1]):
            sums[words[i], d] += planes[d, i]


def kmeans(planes: Float32Array, k: int, n_iter: int) -> Float32Array:
    """Return `k` centers (k, C) of the columns of `planes` (C, M) after `n_iter` Lloyd steps."""
    centers = farthest_first(planes, k)  # not a kernel: its steps would be compiled once more
    words = np.empty(planes.shape[1], np.uint8)
    for _ in range(n_iter):
        assign(planes, centers, words)
        members, sums = np.zeros(k), np.zeros(centers.shape)
        _add_members(planes, words, members, sums)
        owned = members > 0
        centers[owned] = sums[owned] / members[owned, None]
    return centers


@kernel(bare=True)
def count_words(
    labels: Int32Array, words: UInt8Array, rows: IndexArray, columns: IndexArray, first: int,
    wanted: BoolArray, out: AnyArray,
) -> None:  # fmt: skip
    """Add one to ``out[label, first + word]`` for every pixel of `labels` (H, W) that is wanted.

    `words` may be smaller: `rows` (H,) and `columns` (W,) tell where in it a pixel's word is.
    `wanted` is of labels, (n + 1,).
    """
    height, width = labels.shape
    for y in range(height):
        line = words[rows[y]]
        x = 0
        while x < width:
            label, column, start = labels[y, x], columns[x], x
            if not wanted[label]:
                while x < width and labels[y, x] == label:
                    x += 1
                continue
            while x < width and labels[y, x] == label and columns[x] == column:
                x += 1
            out[label, first + line[column]] += x - start


@kernel(bare=True)
def count_neighbours(words: UInt8Array, distance: int, out: AnyArray) -> None:
    """Count pairs of words (H, W) so many pixels apart: along rows, columns and both diagonals.

    ``out`` (K, K) gets each pair in both orders. Along a diagonal the offset is rounded to whole
    rows and columns.
    """
    height, width = words.shape
    side = round(distance * 0.7)
    for y in range(height):
        for x in range(width):
            word = words[y, x]
            if x + distance < width:
                out[word, words[y, x + distance]] += 1
            if y + distance < height:
                out[word, words[y + distance, x]] += 1
            if y + side < height:
                if x + side < width:
                    out[word, words[y + side, x + side]] += 1
                if x >= side:
                    out[word, words[y + side, x - side]] += 1
    for i in range(out.shape[0]):
        for j in range(i + 1):
            out[i, j] += out[j, i]
            out[j, i] = out[i, j]


@kernel(bare=True)
def block_shares(words: UInt8Array, side: int, out: Float32Array) -> None:
    """Put the share of each word in each block of `side` x `side` words (H, W) into `out`.

    `out` is (ceil(H / side), ceil(W / side), K); blocks at the last rows and columns may be
    smaller.
    """
    height, width = words.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                out[i, j, k] = 0
    for y in range(height):
        rows = min(side, height - y // side * side)
        for x in range(width):
            columns = min(side, width - x // side * side)
            out[y // side, x // side, words[y, x]] += np.float32(1) / np.float32(rows * columns)
