"""Batches: two processes against one, overhead a picture, planning and memory of many files.

    python -m tests.benchmarks.batch [--images FOLDER] [--count N] [--tiny N]

The speed-up is the time of ``--jobs 1`` by that of ``--jobs 2`` over the same photographs, without
the start of the workers (measured with one picture). The overhead is all that a picture costs but
its segmentation: reading, hashing, drawing, encoding, talking.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import segment
from segment.batching import BatchOptions, Progress
from segment.batching.manifest import MANIFEST, read_manifest
from segment.batching.plan import select, survey
from segment.images import write_image
from tests.benchmarks import _measure


def seconds(src: Path, dst: Path, jobs: int) -> float:
    """Return the time from the first picture to the last."""
    ends: list[float] = []

    def note(progress: Progress) -> None:
        if progress.done:
            ends.append(progress.seconds)

    shutil.rmtree(dst, ignore_errors=True)
    report = segment.batch(src, dst, jobs=jobs, progress=note)
    assert report.ok, report.failures
    return ends[-1] - ends[0]


def speed_up(photos: list[np.ndarray], folder: Path) -> None:
    src = folder / "photos"
    src.mkdir()
    for i, photo in enumerate(photos):
        write_image(src / f"{i}.jpg", photo)
    one = seconds(src, folder / "one", 1)
    two = seconds(src, folder / "two", 2)
    entries = [e for e in read_manifest(folder / "one" / MANIFEST).values() if e["status"] == "ok"]
    segmenting = sum(entry["stages"]["segment"] for entry in entries)
    overhead = statistics.median(e["seconds"] - e["stages"]["segment"] for e in entries)
    print(
        f"{len(photos)} photographs: {one:.1f} s with 1 job, {two:.1f} s with 2: {one / two:.2f}x"
    )
    print(
        f"segmentation {1000 * segmenting / len(photos):.0f} ms a picture, all else in the worker"
    )
    print(f"{1000 * overhead:.0f} ms (median); wall clock but segmentation, ", end="")
    print(f"{1000 * (one - segmenting) / len(photos):.0f} ms a picture")


def many(n: int, folder: Path) -> None:
    src = folder / "tiny"
    data = write_image(folder / "x.png", np.zeros((4, 4, 3), np.uint8)).read_bytes()
    for k in range(n):
        path = src / f"{k % 100:02}" / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    options = BatchOptions()
    started = time.perf_counter()
    found = survey(src, folder / "out", options)
    select(found, {}, options)
    print(f"planning {len(found.jobs):,} files: {time.perf_counter() - started:.2f} s")
    marks: list[float] = []

    def note(progress: Progress) -> None:
        if progress.done and progress.done % max(1, n // 10) == 0:
            marks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

    started = time.perf_counter()
    segment.batch(src, folder / "out", jobs=2, save=["labels"], progress=note)
    took = time.perf_counter() - started
    print(f"{n:,} files of 4 x 4 pixels: {took:.1f} s, {1000 * took / n:.1f} ms each; ", end="")
    print(f"memory of the parent after each tenth, MB: {' '.join(f'{mark:.0f}' for mark in marks)}")
    started = time.perf_counter()
    segment.batch(src, folder / "out", jobs=2, save=["labels"])
    print(f"a second run, with nothing to do: {time.perf_counter() - started:.1f} s")


def main() -> None:
    options = _measure.parser(__doc__)
    options.add_argument("--tiny", type=int, default=20_000, help="tiny files")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        speed_up(_measure.photographs(chosen.images, chosen.count), Path(scratch))
        many(chosen.tiny, Path(scratch))


if __name__ == "__main__":
    main()
