"""Filters of pictures in which some pixels count for nothing, the same to the bit in any part.

Each result is added up in one fixed order, from its own neighbours alone; so parts of a picture
that overlap far enough give what the whole gives.
"""

from __future__ import annotations

from typing import Any

from segment.kernels.jit import kernel

_CHUNK = 4096  # values that stay in the first-level cache


@kernel()
def add_times(values: Any, factor: Any, out: Any) -> None:
    """Add ``factor * values`` to `out`, both of one length."""
    for i in range(out.size):
        out[i] += factor * values[i]


@kernel()
def blur(values: Any, taps: Any, step: int, out: Any) -> None:
    """Convolve rows with taps that lie so many values apart; nothing lies beyond their ends.

    Parameters
    ----------
    values : ndarray, shape (N, M), float32
        Rows. With ``step=1`` they are those of an image, with ``step=W`` a whole plane each, which
        is then convolved along its columns.
    taps : ndarray, shape (2 R + 1,), float32
    step : int
        Distance of the taps in a row.
    out : ndarray, shape (N, M), float32
        Receives ``sum(taps[k] * values[n, m + (k - R) * step])``.
    """
    reach = len(taps) // 2
    size = values.shape[1]
    for n in range(values.shape[0]):
        row, into = values[n], out[n]
        for start in range(0, size, _CHUNK):
            stop = min(start + _CHUNK, size)
            into[start:stop] = 0
            for k in range(len(taps)):
                shift, tap = (k - reach) * step, taps[k]
                first, last = max(start, -shift), min(stop, size - shift)
                if first < last:
                    add_times(row[first + shift : last + shift], tap, into[first:last])


@kernel()
def count_block_words(words: Any, seen: Any, side: int, out: Any) -> None:
    """Count the words (H, W) that are seen in each block of `side` x `side`.

    ``out`` (ceil(H / side), ceil(W / side), K), float32, is 0 before.
    """
    for y in range(words.shape[0]):
        for x in range(words.shape[1]):
            if seen[y, x]:
                out[y // side, x // side, words[y, x]] += 1


@kernel()
def halve(planes: Any, seen: Any, out: Any, half_seen: Any) -> None:
    """Put the mean of those of 2 x 2 pixels that are seen into `out`, and whether any is.

    Parameters
    ----------
    planes : ndarray, shape (C, H, W), float32
    seen : ndarray of bool, shape (H, W)
    out : ndarray, shape (C, ceil(H / 2), ceil(W / 2)), float32
        Receives the means; 0 where nothing is seen.
    half_seen : ndarray of bool, shape (ceil(H / 2), ceil(W / 2))
        Receives where anything is.
    """
    height, width = seen.shape
    for y in range(half_seen.shape[0]):
        for x in range(half_seen.shape[1]):
            bottom, right = min(2 * y + 2, height), min(2 * x + 2, width)
            count = 0
            for i in range(2 * y, bottom):
                for j in range(2 * x, right):
                    count += seen[i, j]
            half_seen[y, x] = count > 0
            for c in range(planes.shape[0]):
                total = planes.dtype.type(0)
                for i in range(2 * y, bottom):
                    for j in range(2 * x, right):
                        if seen[i, j]:
                            total += planes[c, i, j]
                out[c, y, x] = total / planes.dtype.type(max(count, 1))
