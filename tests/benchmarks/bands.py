"""Bands in their own units against RGB in Luv: processor time of a pixel, on one thread.

    python -m tests.benchmarks.bands [--images FOLDER] [--count N] [-s PIXELS]

The bands are those of a photograph, their blurs and means, 40 times as large, in 16 bits. Range
bandwidths grow with the root of their number. Ratios are medians of runs in turns.
"""

from __future__ import annotations

import time
from functools import partial
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

import segment
from tests.benchmarks import _measure
from tests.benchmarks._measure import Image

COUNTS = (3, 4, 5, 6, 8, 9)
UNITS, BANDWIDTH = 40, 9.0
ROUNDS = 5


def many_bands(image: Image) -> NDArray[np.uint16]:
    """Nine bands of 16 bits, the first of which are the photograph's."""
    pixels = image.astype(np.float32)
    blurred = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    sums = np.stack([pixels.mean(axis=2), pixels[..., 0] - pixels[..., 2], pixels[..., 1]], axis=2)
    sums[..., 1] = sums[..., 1] / 2 + 128
    return np.rint(UNITS * np.concatenate([pixels, blurred, sums], axis=2)).astype(np.uint16)


def seconds(image: NDArray[np.generic], spatial: float, ranged: float, space: str) -> float:
    """Processor time of mean shift on one thread."""
    started = time.thread_time()
    segment.mean_shift(
        image, spatial_bandwidth=spatial, range_bandwidth=ranged, color_space=space, n_threads=1
    )
    return time.thread_time() - started


def main() -> None:
    parser = _measure.parser(__doc__ or "")
    parser.add_argument("-s", type=float, default=7.0, help="spatial bandwidth")
    given = parser.parse_args()
    image = np.concatenate(_measure.photographs(given.images, min(given.count, 3)), axis=0)
    bands = many_bands(image)
    jobs = {"RGB in luv": partial(seconds, image, given.s, 6.5, "luv")}
    for n in COUNTS:
        part, ranged = np.ascontiguousarray(bands[..., :n]), UNITS * BANDWIDTH * n**0.5
        jobs[f"{n} bands of 16 bits"] = partial(seconds, part, given.s, ranged, "none")
    for job in jobs.values():
        job()
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            times[name].append(job())
    usual = median(times["RGB in luv"])
    rows = [
        [name, median(found) / image[..., 0].size * 1e9, median(found) / usual]
        for name, found in times.items()
    ]
    print(_measure.table(["", "ns a pixel", "times"], rows))


if __name__ == "__main__":
    main()
