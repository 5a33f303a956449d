"""How well segmentations agree with people, on BSDS500: this package and others, as a table.

    python -m tests.benchmarks.quality --root BSDS500 [--split val] [--every 4] [--boundaries]
        [--methods hierarchy,flat,felzenszwalb,slic,quickshift,edison] [--edison-python PYTHON]

The root holds ``images/<split>/*.jpg`` and ``groundTruth/<split>/*.mat``, as the data set comes
(https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html). Every method
cuts an image at its own fixed list of scales. Seconds are those of one image, all its scales, one
thread, compilation left out.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import segment
from tests.benchmarks import _edison
from tests.benchmarks.measures import Score

Maps = list[NDArray[Any]]
Method = Callable[[NDArray[Any]], Maps]

LEVELS = np.linspace(0.02, 0.98, 97)
BOUNDARY_SCALES = 16  # about so many of the scales will do
EDISON_SCALES = ((6.5, 20), (6.5, 100), (8, 300), (10, 600), (13, 1500), (17, 3000))
RANGE_BANDWIDTHS = (4, 5, 6.5, 8, 10, 12, 14, 16, 18, 20)


def hierarchy(image: NDArray[Any]) -> Maps:
    """One tree, cut at every level."""
    tree = segment.hierarchy(image, n_threads=1)
    return [tree.cut(level=float(level)).labels for level in LEVELS]


def flat(image: NDArray[Any]) -> Maps:
    """Mean shift with its defaults; the range bandwidth is the scale."""
    return [
        segment.mean_shift(image, range_bandwidth=color, n_threads=1).labels
        for color in RANGE_BANDWIDTHS
    ]


def felzenszwalb(image: NDArray[Any]) -> Maps:
    """Felzenszwalb and Huttenlocher 2004, scikit-image; min_size grows with the scale."""
    from skimage import segmentation

    return [
        segmentation.felzenszwalb(image, scale=scale, sigma=0.8, min_size=int(scale))
        for scale in np.geomspace(50, 3000, 10)
    ]


def slic(image: NDArray[Any]) -> Maps:
    """Achanta et al. 2012, scikit-image."""
    from skimage import segmentation

    return [
        segmentation.slic(image, n_segments=n, start_label=1)
        for n in (3, 5, 8, 12, 18, 27, 40, 80, 160)
    ]


def quickshift(image: NDArray[Any]) -> Maps:
    """Vedaldi and Soatto 2008, scikit-image."""
    from skimage import segmentation

    return [
        segmentation.quickshift(image, kernel_size=kernel, max_dist=4 * kernel, ratio=0.5, rng=0)
        for kernel in (3, 5, 8, 12)
    ]


def edison_method(python: str | None) -> Method | None:
    """EDISON (Christoudias et al. 2002), speed-up medium; min_size grows with the scale."""
    worker = _edison.start(python)
    if worker is None:
        return None
    return lambda image: [worker.segment(image, 7, *scale, "medium")[2] for scale in EDISON_SCALES]


METHODS: dict[str, Method] = {
    method.__name__: method for method in (hierarchy, flat, felzenszwalb, slic, quickshift)
}


def load(root: Path, split: str, every: int) -> Iterator[tuple[Any, list[Any], list[Any]]]:
    """Yield RGB image, people's label maps (from 1) and their boundary maps."""
    from scipy import io

    from segment.images import read_image

    for path in sorted((root / "images" / split).glob("*.jpg"))[::every]:
        cuts = io.loadmat(root / "groundTruth" / split / f"{path.stem}.mat")["groundTruth"][0]
        yield (
            read_image(path).pixels,
            [cut["Segmentation"][0, 0].astype(np.int64) for cut in cuts],
            [cut["Boundaries"][0, 0].astype(bool) for cut in cuts],
        )


def measure(name: str, method: Method, args: argparse.Namespace) -> str:
    """Run a method over the images and return its row of the table."""
    score, seconds = Score(), []
    for k, (image, truths, edges) in enumerate(load(args.root, args.split, args.every)):
        if k == 0:
            method(image)
        start = time.perf_counter()
        maps = method(image)
        seconds.append(time.perf_counter() - start)
        score.add(maps, truths)
        if args.boundaries:
            score.add_boundaries(maps[:: max(1, len(maps) // BOUNDARY_SCALES)], edges)
        if sys.stderr.isatty():
            print(f"\r{name} {k + 1}", end="", file=sys.stderr)
    figures = score.figures()
    columns = [
        " / ".join(f"{value:.3f}" for value in figures.get(key, ())) or "-"
        for key in ("covering", "PRI", "VI", "F")
    ]
    columns += [f"{figures['regions'][0]:.0f}", str(len(maps)), f"{np.median(seconds):.2f}"]
    return f"| {name} | " + " | ".join(columns) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument(
        "--boundaries", action="store_true", help="the boundary F too: half a second an image"
    )
    parser.add_argument("--methods", default="hierarchy,flat,felzenszwalb,slic,edison")
    parser.add_argument(
        "--edison-python",
        default=os.environ.get("EDISON_PYTHON"),
        help="a Python with numpy < 2 and pymeanshift",
    )
    args = parser.parse_args()
    names = args.methods.split(",")
    if unknown := set(names) - {*METHODS, "edison"}:
        known = ", ".join([*METHODS, "edison"])
        parser.error(f"unknown methods {', '.join(sorted(unknown))}; choose from {known}")
    if next(load(args.root, args.split, args.every), None) is None:
        parser.error(f"no images in {args.root / 'images' / args.split}")
    print("| method | covering ODS / OIS / best | PRI | VI | boundary F | regions | scales | s |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        method = edison_method(args.edison_python) if name == "edison" else METHODS[name]
        if method is not None:
            print(measure(name, method, args), flush=True)


if __name__ == "__main__":
    main()
