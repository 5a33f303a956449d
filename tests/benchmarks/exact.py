"""The exact engine against EDISON and OpenCV, on two threads against one, and its memory.

    python -m tests.benchmarks.exact [--images FOLDER] [--edison-python PYTHON]

Ratios are of whole pipelines on one thread, image to labels and posterized image (OpenCV: filter
alone, for it has no more), in processor time, taken in turns picture by picture; medians over the
pictures. Two threads are measured by the wall clock: run it on a quiet machine.
"""

from __future__ import annotations

from statistics import median

from tests.benchmarks import _edison, _measure
from tests.benchmarks._measure import Image, busy, bytes_per_pixel, in_turns, mosaic, timed
from tests.benchmarks._peers import opencv


def against_peers(
    photos: list[Image], spatial: float, ranged: float, edison: _edison.Edison | None
) -> str:
    """Table of the peers on photographs."""
    options = {
        "spatial_bandwidth": spatial, "range_bandwidth": ranged, "n_threads": 1,
        "engine": "exact",
    }  # fmt: skip
    _measure.pipeline(photos[0], **options)
    rows = []
    for photo in photos:
        jobs = {
            "segment, exact": busy(_measure.pipeline, photo, **options),
            "cv2 level 0": busy(opencv, photo, spatial, ranged, 0),
        }
        if edison is not None:
            for level in ("no", "medium"):
                jobs[f"EDISON {level}"] = edison.job(photo, spatial, ranged, 20, level)
        rows.append(in_turns(jobs))
        print(".", end="", flush=True)
    print()
    megapixels = photos[0][..., 0].size / 1e6
    return _measure.table(
        [f"whole pipeline, {spatial:g}, {ranged:g}", "MP/s", "times the time of exact"],
        [
            [
                name,
                megapixels / median(row[name] for row in rows),
                _measure.median_ratio(rows, "segment, exact", name),
            ]
            for name in rows[0]
        ],
    )


def threads(photos: list[Image], megapixels: float) -> str:
    """Two threads against one on a large picture."""
    image = mosaic(photos, megapixels)
    jobs = {f"{n}": timed(_measure.pipeline, image, n_threads=n, engine="exact") for n in (1, 2)}
    best = in_turns(jobs, 3)
    return f"Two threads, {megapixels:g} MP: {best['1'] / best['2']:.2f} times the speed of one."


def memory(photos: list[Image], megapixels: float) -> str:
    """Peak memory of a large picture."""
    used = bytes_per_pixel(mosaic(photos, megapixels), engine="exact")
    return f"Peak memory, {megapixels:g} MP: {used:.1f} bytes a pixel."


def main() -> None:
    options = _measure.parser(__doc__)
    options.add_argument("--spatial", type=float, default=7.0)
    options.add_argument("--range", type=float, default=6.5, dest="ranged")
    options.add_argument("--threads-mp", type=float, default=1.0, help="size for two threads, MP")
    options.add_argument("--memory-mp", type=float, default=12.0, help="size for memory, MP")
    chosen = options.parse_args()
    photos = _measure.photographs(chosen.images, chosen.count)
    edison = _edison.start(chosen.edison_python)
    print(against_peers(photos, chosen.spatial, chosen.ranged, edison))
    if edison is not None:
        edison.close()
    print(f"\n{threads(photos, chosen.threads_mp)}\n{memory(photos, chosen.memory_mp)}")


if __name__ == "__main__":
    main()
