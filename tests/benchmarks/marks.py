"""Object and background from marks: this package and others, on BSDS500, as a table.

    python -m tests.benchmarks.marks --root BSDS500 [--split val] [--every 4] [--strokes 1,3,5]

Of each image one region that a person drew (5 to 50 % of it) is the object, the rest background.
Each gets so many marks: the cores of its largest parts, eroded to where the distance to its border
is more than half of the largest. Printed: mean intersection over union with the object, and
processor time in milliseconds, medians. The tree is made before; its time is printed above.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import segment

CORE = 0.5
SHARES = (0.05, 0.5)

Method = Callable[[Any, Any, Any], Any]


def strokes(region: Any, count: int) -> Any:
    """Bool map of at most `count` marks inside a region, the largest cores first."""
    padded = np.pad(region, 1).astype(np.uint8)
    out = np.zeros(region.shape, bool)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    for _ in range(count):
        peak = np.unravel_index(distance.argmax(), distance.shape)
        if distance[peak] < 2:
            break
        parts = cv2.connectedComponents((distance > CORE * distance[peak]).astype(np.uint8))[1]
        core = parts == parts[peak]
        out |= core
        near = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 5)
        distance = np.where(near > distance[peak], distance, 0)
    return out


def tree_cut(image: Any, markers: Any, tree: Any) -> Any:
    return tree.cut(markers=markers).labels == 2


def random_walker(image: Any, markers: Any, tree: Any) -> Any:
    from skimage.segmentation import random_walker

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return random_walker(image, markers, channel_axis=-1, mode="cg_j") == 2


def watershed(image: Any, markers: Any, tree: Any) -> Any:
    from skimage.color import rgb2gray
    from skimage.filters import sobel
    from skimage.segmentation import watershed

    return watershed(sobel(rgb2gray(image)), markers) == 2


def grab_cut(image: Any, markers: Any, tree: Any) -> Any:
    mask = np.full(markers.shape, cv2.GC_PR_BGD, np.uint8)
    mask[markers == 1], mask[markers == 2] = cv2.GC_BGD, cv2.GC_FGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(image[..., ::-1])
    cv2.grabCut(bgr, mask, None, *models, 5, cv2.GC_INIT_WITH_MASK)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)


METHODS: dict[str, Method] = {
    "Hierarchy.cut(markers=)": tree_cut,
    "scikit-image random_walker": random_walker,
    "scikit-image watershed": watershed,
    "OpenCV grabCut": grab_cut,
}


def main() -> None:
    import scipy.io

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--strokes", default="1,3,5")
    parser.add_argument("--walker", action="store_true", help="random_walker too: minutes")
    given = parser.parse_args()
    methods = {name: f for name, f in METHODS.items() if given.walker or f is not random_walker}
    counts = [int(text) for text in given.strokes.split(",")]
    scores: dict[tuple[str, int], list[tuple[float, float]]] = {}
    building = []
    for path in sorted((given.root / "images" / given.split).glob("*.jpg"))[:: given.every]:
        image = segment.read_image(path).pixels
        truth = scipy.io.loadmat(given.root / "groundTruth" / given.split / f"{path.stem}.mat")
        drawn = truth["groundTruth"][0, 0]["Segmentation"][0, 0]
        labels, areas = np.unique(drawn, return_counts=True)
        low, high = SHARES
        fit = labels[(areas >= low * drawn.size) & (areas <= high * drawn.size)]
        if not fit.size:
            continue
        wanted = drawn == fit[len(fit) // 2]
        start = time.process_time()
        tree = segment.hierarchy(image, n_threads=1)
        building.append(time.process_time() - start)
        for count in counts:
            markers = strokes(~wanted, count) + 2 * strokes(wanted, count).astype(int)
            for name, method in methods.items():
                start = time.process_time()
                found = method(image, markers, tree)
                seconds = time.process_time() - start
                union = (found | wanted).sum()
                scores.setdefault((name, count), []).append(
                    ((found & wanted).sum() / union, seconds)
                )
    print(f"{len(building)} images; the tree takes {1000 * np.median(building):.0f} ms")
    print("| | " + " | ".join(f"{count} strokes: IoU, ms" for count in counts) + " |")
    for name in methods:
        cells = []
        for count in counts:
            ious, seconds = zip(*scores[name, count], strict=True)
            cells.append(f"{np.mean(ious):.3f}, {1000 * np.median(seconds):.1f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
