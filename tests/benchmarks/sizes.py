"""Pictures of any size: agreement with people, time and memory as photographs are enlarged.

    python -m tests.benchmarks.sizes --root BSDS500 [--every 4] [--times 1 2 4 8] [--noise 3]
    python -m tests.benchmarks.sizes --megapixels 0.15 2.4 12 50

The first enlarges the photographs (Lanczos), as a larger camera would have taken them, with grain
and sharpening if wanted, and judges every so manieth pixel of the regions. The second takes one
photograph of the repository; seconds are those of the processor on one thread, medians in turns, in
proportion to the smallest, and memory is what a fresh process grows by at most, image not counted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import segment
from segment.params import DEFAULT_LEVEL
from tests.benchmarks._measure import ROOT, photographs, table
from tests.benchmarks.quality import Score, load

LEVELS = np.linspace(0.2, 0.7, 21)
REPEATS = 5


def larger(
    image: NDArray[np.uint8], times: float, noise: float, sharpen: float
) -> NDArray[np.uint8]:
    """Return the picture so many times as wide and high, with grain and sharpening."""
    if times == 1 and not noise and not sharpen:
        return image
    zoomed = cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_LANCZOS4)
    big = zoomed.astype(np.float32)
    if sharpen:
        big += sharpen * (big - cv2.GaussianBlur(big, (0, 0), 0.6 * times))
    if noise:
        big += np.random.default_rng(0).normal(0, noise, big.shape)
    return np.clip(big + 0.5, 0, 255).astype(np.uint8)


def border_distances(
    labels: NDArray[Any], image: NDArray[np.uint8], times: int
) -> NDArray[np.int64]:
    """Return how many pixels borders lie from the steepest place across them.

    That is sought `2 * times` pixels either way, where the colours on the two sides differ by 8
    units of Lab at least and the edge is nearly upright or level.
    """
    blurred = cv2.GaussianBlur(image, (0, 0), 1).astype(np.float32) / 255
    lab = cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB)
    return np.concatenate(
        [
            _along_rows(labels, lab, 2 * times),
            _along_rows(labels.T, lab.transpose(1, 0, 2), 2 * times),
        ]
    )


def _along_rows(labels: NDArray[Any], lab: NDArray[Any], reach: int) -> NDArray[np.int64]:
    steps = np.linalg.norm(np.diff(lab, axis=1), axis=2)
    down = np.zeros(lab.shape[:2], np.float32)
    down[1:-1] = np.linalg.norm(lab[2:] - lab[:-2], axis=2) / 2
    y, x = np.nonzero(labels[:, 1:] != labels[:, :-1])
    inside = (x >= reach) & (x < steps.shape[1] - reach)
    y, x = y[inside], x[inside]
    profile = steps[y[:, None], x[:, None] + np.arange(-reach, reach + 1)]
    contrast = np.linalg.norm(lab[y, x + reach + 1] - lab[y, x - reach], axis=1)
    off = profile.argmax(axis=1) - reach
    clear = (contrast > 8) & (profile.max(axis=1) > 2.5 * down[y, x + off])
    return np.abs(off[clear])


def judge(args: argparse.Namespace) -> None:
    """Print a row of figures for each size."""
    rows = []
    for times in args.times:
        score, default = Score(), Score()
        off: list[NDArray[np.int64]] = []
        for image, truths, edges in load(args.root, args.split, args.every):
            big = larger(image, times, args.noise, args.sharpen)
            tree = segment.hierarchy(big)
            at = (slice(times // 2, None, times),) * 2
            maps = [tree.cut(float(level)).labels[at] for level in LEVELS]
            score.add(maps, truths)
            if args.boundaries:
                score.add_boundaries(maps, edges)
                off.append(border_distances(tree.cut(DEFAULT_LEVEL).labels, big, times))
            default.add([tree.cut(DEFAULT_LEVEL).labels[at]], truths)
        figures, usual = score.figures(), default.figures()
        columns = [
            " / ".join(f"{value:.3f}" for value in figures[key])
            for key in ("covering", "PRI", "VI")
        ]
        rows.append([f"{times}x", *columns, usual["covering"][0], usual["regions"][0]])
        if args.boundaries:
            both = " / ".join(f"{value:.3f}" for value in figures["F"])
            rows[-1] += [both, float(np.median(np.concatenate(off)))]
    head = ["size", "covering ODS / OIS / best", "PRI", "VI", "at the default level", "regions"]
    head += ["boundary F", "pixels off"] if args.boundaries else []
    print(table(head, rows))


_ONE = """
import sys, time, numpy as np, segment
from segment.params import DEFAULT_LEVEL
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
def run(image):
    segment.hierarchy(image, n_threads=1).cut(DEFAULT_LEVEL)
image = np.load(sys.argv[1])
run(np.ascontiguousarray(image[:300, :400]))
run(np.random.default_rng(0).integers(0, 255, (800, 1000, 3), np.uint8))
before, start = peak(), time.process_time()
run(image)
print(time.process_time() - start, peak() - before)
"""


def weigh(megapixels: list[float]) -> None:
    """Print seconds and bytes for each number of pixels."""
    photo = photographs(None, 1)[0]
    found: dict[float, list[tuple[float, float]]] = {size: [] for size in megapixels}
    with tempfile.TemporaryDirectory() as folder:
        for size in megapixels:
            times = (size * 1e6 / photo[..., 0].size) ** 0.5
            np.save(Path(folder, f"{size}.npy"), larger(photo, times, 0, 0))
        for _ in range(REPEATS):
            for size in megapixels:
                command = [sys.executable, "-c", _ONE, str(Path(folder, f"{size}.npy"))]
                done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
                seconds, grown = map(float, done.stdout.split())
                found[size].append((seconds, grown / (size * 1e6)))
    rows: list[list[Any]] = []
    for size, runs in found.items():
        seconds, grown = np.median(runs, axis=0)
        first = float(np.median([run[0] for run in found[megapixels[0]]]))
        rows.append([f"{size:g} MP", float(seconds), float(seconds) / first, float(grown)])
    print(table(["size", "seconds", "in proportion", "bytes a pixel"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, help="folder of BSDS500")
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--times", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--sharpen", type=float, default=0.0)
    parser.add_argument(
        "--boundaries",
        action="store_true",
        help="boundary F, and how far borders are from the steepest place: half a minute an image",
    )
    parser.add_argument("--megapixels", type=float, nargs="*", default=[])
    args = parser.parse_args()
    start = time.perf_counter()
    if args.root is not None:
        judge(args)
    if args.megapixels:
        weigh(args.megapixels)
    if args.root is None and not args.megapixels:
        parser.error("give --root or --megapixels")
    print(f"{time.perf_counter() - start:.0f} s in all", file=sys.stderr)


if __name__ == "__main__":
    main()
