"""Processor seconds and memory of hierarchies: against OpenCV's mean shift, and as images grow.

    python -m tests.benchmarks.hierarchy [IMAGE...] [--megapixels 1 4 16]

One thread throughout. Larger images are photographs side by side, so that there is as much to see
in every part. Memory is what the process grew by at most, leaves included.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import segment
from segment.images import read_image
from segment.params import LEAF_BANDWIDTHS

SAMPLES = Path(__file__).parents[2] / "images"
REPEATS = 5


def grow(image: NDArray[Any]) -> tuple[segment.Hierarchy, float, float]:
    """Return the tree of an image, and the seconds of its leaves and of the merging."""
    spatial, color = LEAF_BANDWIDTHS
    start = time.process_time()
    leaves = segment.mean_shift(
        image, spatial_bandwidth=spatial, range_bandwidth=color, n_threads=1
    )
    middle = time.process_time()
    tree = leaves.hierarchy(n_threads=1)
    return tree, middle - start, time.process_time() - middle


def median(function: Any) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds))


def against_opencv(path: Path) -> None:
    import cv2

    cv2.setNumThreads(1)
    image = np.ascontiguousarray(read_image(path).pixels[..., :3])
    tree, _, _ = grow(image)
    ours = median(lambda: grow(image))
    theirs = median(lambda: cv2.pyrMeanShiftFiltering(image, 7, 20, maxLevel=0))
    cut = median(lambda: tree.cut(level=0.4))
    print(
        f"{path.name} {image.shape[1]}x{image.shape[0]}: {tree.n_leaves} leaves, "
        f"tree {ours:.3f} s = {ours / theirs:.2f} of OpenCV's filter ({theirs:.3f} s), "
        f"cut {1000 * cut:.1f} ms"
    )


def at_size(image: NDArray[Any], megapixels: float) -> None:
    times = max(1, round((megapixels * 1e6 / image[..., 0].size) ** 0.5))
    large = np.tile(image, (times, times, 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tree, leaves, merging = grow(large)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    pixels = large.shape[0] * large.shape[1]
    print(
        f"{pixels / 1e6:.1f} MP, {tree.n_leaves} leaves: {1e9 * leaves / pixels:.0f} ns a pixel "
        f"for the leaves, {1e9 * merging / pixels:.0f} for the tree, "
        f"{grown / pixels:.0f} bytes a pixel"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*", type=Path)
    parser.add_argument("--megapixels", nargs="*", type=float, default=[1, 4, 16])
    args = parser.parse_args()
    paths = args.images or sorted(SAMPLES.glob("c*e*.png"))
    for path in paths:
        if read_image(path).n_channels >= 3:
            against_opencv(path)
    image = np.ascontiguousarray(read_image(paths[0]).pixels[..., :3])
    for megapixels in args.megapixels:
        at_size(image, megapixels)


if __name__ == "__main__":
    main()
