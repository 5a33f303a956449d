"""Times in turns, times by stage, peak memory, pictures, tables."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray

import segment
import segment.regions.climbing
import segment.regions.engines
import segment.regions.fields
import segment.regions.labelling

ROOT = Path(__file__).parents[2]
Image = NDArray[np.uint8]
Job = Callable[[], float]  # does its work and returns the seconds it took

# Name of a stage, module through which it is called, function.
STAGES = [
    ("check", segment.regions.climbing, "check_image"),
    ("features", segment.regions.engines, "feature_planes"),
    ("features", segment.regions.fields, "feature_planes"),
    ("features", segment.regions.fields, "short_planes"),
    ("modes", segment.regions.climbing, "find_modes"),
    ("regions", segment.regions.labelling, "label_modes"),
]


def parser(description: str) -> argparse.ArgumentParser:
    """A parser of the options that every benchmark has."""
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--images", type=Path, help="folder of photographs (default: images/)")
    options.add_argument("--count", type=int, default=20, help="photographs to use")
    options.add_argument(
        "--edison-python",
        default=os.environ.get("EDISON_PYTHON"),
        help="a Python that has pymeanshift (default: $EDISON_PYTHON)",
    )
    return options


def photographs(folder: Path | None, count: int) -> list[Image]:
    """The RGB photographs of a folder, spread evenly; else crops of those in images/."""
    if folder is None:
        return _crops(count)
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        raise SystemExit(f"{folder} has no .jpg or .png files")
    chosen = paths[:: max(len(paths) // count, 1)][:count]
    return [_rgb(path) for path in chosen]


def _rgb(path: Path) -> Image:
    pixels = segment.read_image(path).pixels
    assert pixels.ndim == 3, f"{path} is not a colour picture"
    return np.ascontiguousarray(pixels[..., :3])


def _crops(count: int, height: int = 321, width: int = 481) -> list[Image]:
    pictures = [
        _rgb(ROOT / "images" / f"{name}.png") for name in ("coffee", "astronaut", "chelsea")
    ]
    rng = np.random.default_rng(0)
    crops = []
    for k in range(count):
        picture = pictures[k % len(pictures)]
        zoom = max(1.0, height / picture.shape[0], width / picture.shape[1])
        picture = np.asarray(cv2.resize(picture, None, fx=zoom + 1e-3, fy=zoom + 1e-3), np.uint8)
        top = rng.integers(0, picture.shape[0] - height + 1)
        left = rng.integers(0, picture.shape[1] - width + 1)
        crops.append(np.ascontiguousarray(picture[top : top + height, left : left + width]))
    return crops


def enlarged(photos: Sequence[Image], megapixels: float) -> Image:
    """One photograph, scaled up."""
    photo = photos[0]
    zoom = (megapixels * 1e6 / (photo.shape[0] * photo.shape[1])) ** 0.5
    return np.asarray(
        cv2.resize(photo, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), np.uint8
    )


def mosaic(photos: Sequence[Image], megapixels: float) -> Image:
    """Photographs at native detail, side by side, mirrored when they come again."""
    height, width = (min(photo.shape[axis] for photo in photos) for axis in (0, 1))
    rows, columns = (round((megapixels * 1e6) ** 0.5 / side + 0.5) for side in (height, width))
    cells = [
        photos[k % len(photos)][:height, :width][:: 1 - 2 * (k // len(photos) % 2)]
        for k in range(rows * columns)
    ]
    whole = np.concatenate(
        [np.concatenate(cells[i * columns : (i + 1) * columns], axis=1) for i in range(rows)]
    )
    keep = megapixels * 1e6 / whole[..., 0].size
    return np.ascontiguousarray(whole[: round(len(whole) * keep)])


def noise(photos: Sequence[Image], megapixels: float) -> Image:
    """Uniform noise; it takes `photos` to be called like the others."""
    del photos
    side = round((megapixels * 1e6) ** 0.5)
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def timed(function: Callable[..., Any], *args: Any, **options: Any) -> Job:
    """A job that calls a function, in seconds of the clock on the wall."""
    return partial(_clocked, time.perf_counter, function, *args, **options)


def busy(function: Callable[..., Any], *args: Any, **options: Any) -> Job:
    """A job that calls a function, in seconds of the processor: other load does not count.

    For work on one thread; threads that a library starts on its own are added up.
    """
    return partial(_clocked, time.process_time, function, *args, **options)


def _clocked(
    clock: Callable[[], float], function: Callable[..., Any], *args: Any, **options: Any
) -> float:
    begin = clock()
    function(*args, **options)
    return clock() - begin


def pipeline(image: Image, **options: Any) -> segment.Segmentation:
    """Image to labels and posterized image."""
    found = segment.mean_shift(image, **options)
    assert found.posterized.shape == image.shape
    return found


def in_turns(jobs: dict[str, Job], repeats: int = 1) -> dict[str, float]:
    """Best seconds of each job; they take turns, so that other load hurts all of them alike."""
    best = dict.fromkeys(jobs, float("inf"))
    for _ in range(repeats):
        for name, job in jobs.items():
            best[name] = min(best[name], job())
    return best


def median_ratio(rows: Sequence[dict[str, float]], name: str, other: str) -> float:
    """Median over pictures of how many times longer `other` took than `name`."""
    return median(row[other] / row[name] for row in rows)


def stage_seconds(image: Image, **options: Any) -> dict[str, float]:
    """Processor seconds of each stage of the pipeline, without those of the stages inside it."""
    seconds: dict[str, float] = {}
    inner = [0.0]

    def clocked(name: str, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
        inner.append(0.0)
        begin = time.process_time()
        try:
            return function(*args, **keywords)
        finally:
            whole = time.process_time() - begin
            seconds[name] = seconds.get(name, 0) + whole - inner.pop()
            inner[-1] += whole

    with ExitStack() as stack:
        for name, module, attribute in STAGES:
            wrapped = partial(clocked, name, getattr(module, attribute))
            stack.enter_context(patch.object(module, attribute, wrapped))
        found = clocked("other", segment.mean_shift, image, **options)
    clocked("posterize", lambda: found.posterized)
    return seconds


_MEMORY = """
import sys, ast, numpy as np, segment
def peak():
    try:
        with open("/proc/self/status") as file:  # getrusage would count the parent's peak
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
    except OSError:
        from resource import RUSAGE_SELF, getrusage
        return getrusage(RUSAGE_SELF).ru_maxrss << (10 * (sys.platform == "linux"))
options = ast.literal_eval(sys.argv[2])
small = np.zeros((40, 40, 3), np.uint8)
segment.mean_shift(small, **options).posterized
before = peak()
image = np.load(sys.argv[1])
found = segment.mean_shift(image, **options)
found.posterized
print((peak() - before) / image[..., 0].size)
"""


def bytes_per_pixel(image: Image, **options: Any) -> float:
    """Peak memory of image, labels, posterized and all between, in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image.npy")
        np.save(path, image)
        command = [sys.executable, "-c", _MEMORY, str(path), repr(options)]
        return float(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; numbers with three digits."""

    def lines() -> Iterator[str]:
        yield "| " + " | ".join(head) + " |"
        yield "|---|" + "---:|" * (len(head) - 1)
        for row in rows:
            yield "| " + " | ".join(map(_digits, row)) + " |"

    return "\n".join(lines())


def _digits(value: Any) -> str:
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
