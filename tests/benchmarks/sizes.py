"""Pictures of any size: agreement with people, time and memory as photographs are enlarged.

    python -m tests.benchmarks.sizes --root BSDS500 [--every 4] [--times 1 1.5 2 4 8] [--noise 3]
        [--sharpen 1] [--quality 60] [--borders] [--boundaries]
    python -m tests.benchmarks.sizes --megapixels 0.15 2.4 12 50

The first enlarges the photographs (Lanczos), as a larger camera would have taken them, with grain,
sharpening or JPEG's losses if wanted, and judges every so manieth pixel of the regions. The second
takes one photograph of the repository; seconds are those of the processor on one thread, medians in
turns, in proportion to the smallest, and memory is what a fresh process grows by at most, image not
counted.
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
    image: NDArray[np.uint8], times: float, noise: float, sharpen: float, quality: int = 0
) -> NDArray[np.uint8]:
    """Return the picture so many times as wide and high, with grain and sharpening, or as JPEG."""
    big = _zoomed(image, times, noise, sharpen)
    if not quality:
        return big
    _, coded = cv2.imencode(".jpg", big[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].copy(), np.uint8)


def _zoomed(
    image: NDArray[np.uint8], times: float, noise: float, sharpen: float
) -> NDArray[np.uint8]:
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
    labels: NDArray[Any], image: NDArray[np.uint8], times: float
) -> NDArray[np.int64]:
    """Return how many pixels borders lie from the steepest place across them.

    That is where the values change most, encoded as `larger` enlarges them, which keeps edges in
    place; in linear light, say, the same edges are steepest 2 pixels nearer to their bright side at
    8x. It is sought `2 * times` pixels either way, where the colours on the two sides differ by 8
    units of Lab at least and the edge is nearly upright or level.
    """
    # Rounded again, slopes of less than a gray level a pixel would be stairs.
    values = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1) / 255
    lab = cv2.cvtColor(values, cv2.COLOR_RGB2LAB)
    reach = round(2 * times)
    return np.concatenate(
        [
            _along_rows(labels, values, lab, reach),
            _along_rows(labels.T, values.transpose(1, 0, 2), lab.transpose(1, 0, 2), reach),
        ]
    )


def sampled(labels: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Return labels at the middles of the pixels of a smaller picture."""
    rows, columns = (
        ((np.arange(small) + 0.5) * large / small).astype(int)
        for large, small in zip(labels.shape, shape, strict=True)
    )
    return labels[rows][:, columns]


def _along_rows(
    labels: NDArray[Any], values: NDArray[Any], lab: NDArray[Any], reach: int
) -> NDArray[np.int64]:
    steps = np.linalg.norm(np.diff(values, axis=1), axis=2)
    down = np.zeros(values.shape[:2], np.float32)
    down[1:-1] = np.linalg.norm(values[2:] - values[:-2], axis=2) / 2
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
        for number, (image, truths, edges) in enumerate(load(args.root, args.split, args.every)):
            big = larger(image, times, args.noise, args.sharpen, args.quality)
            tree = segment.hierarchy(big)
            maps = [
                sampled(tree.cut(float(level)).labels, image.shape[:2])
                for level in (*LEVELS, DEFAULT_LEVEL)
            ]
            score.add(maps[:-1], truths)
            default.add(maps[-1:], truths)
            if args.boundaries:
                score.add_boundaries(maps[:-1], edges)
            if args.borders:
                off.append(border_distances(tree.cut(DEFAULT_LEVEL).labels, big, times))
            so_far = " / ".join(
                f"{key} {values[0]:.3f}"
                for key, values in score.figures().items()
                if key in ("covering", "F")
            )
            print(f"{times:g}x, {number + 1} images: {so_far}", file=sys.stderr, flush=True)
        figures, usual = score.figures(), default.figures()
        columns = [
            " / ".join(f"{value:.3f}" for value in figures[key])
            for key in ("covering", "PRI", "VI")
        ]
        rows.append([f"{times:g}x", *columns, usual["covering"][0], usual["regions"][0]])
        if args.boundaries:
            rows[-1].append(" / ".join(f"{value:.3f}" for value in figures["F"]))
        if args.borders:
            rows[-1].append(_quartiles(np.concatenate(off)))
    head = ["size", "covering ODS / OIS / best", "PRI", "VI", "at the default level", "regions"]
    head += ["boundary F"] * args.boundaries + ["pixels off, quartiles"] * args.borders
    print(table(head, rows))


def _quartiles(off: NDArray[np.int64]) -> str:
    return " / ".join(f"{value:g}" for value in np.percentile(off, (25, 50, 75)))


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
    parser.add_argument("--times", type=float, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--sharpen", type=float, default=0.0)
    parser.add_argument("--quality", type=int, default=0, help="of JPEG; none by default")
    parser.add_argument(
        "--borders", action="store_true", help="how far borders are from the steepest place"
    )
    parser.add_argument(
        "--boundaries", action="store_true", help="boundary F of every so manieth pixel"
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
