"""Both engines against their peers, and how the fast one scales.

    python -m tests.benchmarks.speed [--images FOLDER] [--edison-python PYTHON]

First, photographs as they are, one thread each, at three pairs of bandwidths; all contestants take
turns picture by picture; ratios of processor time are medians over the pictures. OpenCV only
filters; segment, EDISON and scikit-image deliver labels. Then pictures of several kinds and sizes
at the first pair: on one thread and two by the wall clock (run it on a quiet machine), with peak
memory and processor time by stage. It ends in tables for the README.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from segment.params import ENGINES
from tests.benchmarks import _edison, _measure
from tests.benchmarks._measure import Image, Job, busy, in_turns, timed
from tests.benchmarks._peers import peer_jobs

Setting = tuple[float, float]
KINDS = {
    "tiled": _measure.mosaic,  # photographs side by side: native detail at any size
    "upsampled": _measure.enlarged,
    "noise": _measure.noise,
}
EXACT_LIMIT = 4.1  # MP


def engine_jobs(image: Image, setting: Setting) -> dict[str, Job]:
    """A job for each engine that can be expected to finish on this image, on one thread."""
    megapixels = image[..., 0].size / 1e6
    return {
        f"segment, {engine}": busy(
            _measure.pipeline, image, spatial_bandwidth=setting[0], range_bandwidth=setting[1],
            n_threads=1, engine=engine,
        )
        for engine in ENGINES
        if engine == "fast" or megapixels <= EXACT_LIMIT
    }  # fmt: skip


def compare(
    photos: list[Image], setting: Setting, edison: _edison.Edison | None
) -> list[dict[str, float]]:
    """Seconds of all contestants on each photograph."""
    in_turns(engine_jobs(photos[0], setting))  # compiled before the first turn
    rows = []
    for photo in photos:
        jobs = engine_jobs(photo, setting) | peer_jobs(photo, *setting, edison)
        rows.append(in_turns(jobs))
        print(".", end="", flush=True)
    print()
    return rows


def comparison_table(photos: list[Image], found: dict[Setting, list[dict[str, float]]]) -> str:
    """How many times longer each contestant takes than the first, and the first's MP/s."""
    first, *others = next(iter(found.values()))[0]
    megapixels = median(photo[..., 0].size / 1e6 for photo in photos)
    head = ["one thread, times the time of " + first, *(f"{s:g}, {r:g}" for s, r in found)]
    rows: list[list[Any]] = [
        [name, *(_measure.median_ratio(rows, first, name) for rows in found.values())]
        for name in others
    ]
    speeds = [megapixels / median(row[first] for row in rows) for rows in found.values()]
    return _measure.table(head, [[f"{first}: MP/s", *speeds], *rows])


def scale(
    photos: list[Image], kinds: Sequence[str], sizes: Sequence[float], setting: Setting,
    memory: bool,
) -> str:  # fmt: skip
    """Speed, memory and stages of each engine by kind and size of picture."""
    spatial, ranged = setting
    rows: list[list[Any]] = []
    stage_names: list[str] = []
    for kind in kinds:
        for size in sizes:
            image = KINDS[kind](photos, size)
            megapixels = image[..., 0].size / 1e6
            for engine in ENGINES if size <= EXACT_LIMIT else ("fast",):
                options = {
                    "spatial_bandwidth": spatial, "range_bandwidth": ranged,
                    "engine": engine,
                }  # fmt: skip
                repeats = 3 if megapixels < 5 else 1
                jobs = {
                    f"{n}": timed(_measure.pipeline, image, n_threads=n, **options) for n in (1, 2)
                }
                best = in_turns(jobs, repeats)
                stages = _measure.stage_seconds(image, n_threads=1, **options)
                stage_names = list(stages)
                used = None
                if memory:
                    used = _measure.bytes_per_pixel(image, n_threads=1, **options)
                nanoseconds = [1e3 * s / megapixels for s in stages.values()]
                rows.append(
                    [f"{kind}, {engine}", f"{megapixels:.3g}", megapixels / best["1"],
                     megapixels / best["2"], best["1"] / best["2"], used, *nanoseconds]
                )  # fmt: skip
                print("", *map(_measure._digits, rows[-1]), "", sep=" | ", flush=True)
    head = ["picture, engine", "MP", "MP/s", "MP/s, 2 threads", "gain", "bytes a pixel"]
    return _measure.table([*head, *(f"{name}, ns a pixel" for name in stage_names)], rows)


def peers_by_size(
    photos: list[Image], kinds: Sequence[str], sizes: Sequence[float], setting: Setting,
    edison: _edison.Edison | None,
) -> str:  # fmt: skip
    """MP/s of every contestant on pictures of each kind up to 4 MP."""
    columns = [(kind, size) for kind in kinds for size in sizes if size <= EXACT_LIMIT]
    speeds = []
    for kind, size in columns:
        image = KINDS[kind](photos, size)
        jobs = engine_jobs(image, setting) | peer_jobs(image, *setting, edison)
        best = in_turns(jobs)
        speeds.append({name: image[..., 0].size / 1e6 / s for name, s in best.items()})
        print(".", end="", flush=True)
    print()
    names = dict.fromkeys(name for column in speeds for name in column)
    head = ["MP/s, one thread", *(f"{kind}, {size:g} MP" for kind, size in columns)]
    return _measure.table(head, [[n, *(column.get(n) for column in speeds)] for n in names])


def main() -> None:
    options = _measure.parser(__doc__)
    options.add_argument("--settings", default="7:6.5,16:8,32:12", help="spatial:range, ...")
    options.add_argument("--sizes", default="0.15,1,4,16,64", help="megapixels, ...")
    options.add_argument("--kinds", default=",".join(KINDS), help="kinds of pictures, ...")
    options.add_argument("--no-memory", action="store_true", help="do not measure memory")
    options.add_argument("--parts", default="photographs,peers,scale", help="what to measure, ...")
    chosen = options.parse_args()
    photos = _measure.photographs(chosen.images, chosen.count)
    settings = [tuple(map(float, pair.split(":"))) for pair in chosen.settings.split(",")]
    sizes = [float(size) for size in chosen.sizes.split(",")]
    kinds, parts = chosen.kinds.split(","), chosen.parts.split(",")
    edison = _edison.start(chosen.edison_python)
    tables = []
    if "photographs" in parts:
        found = {(s, r): compare(photos, (s, r), edison) for s, r in settings}
        tables.append(comparison_table(photos, found))
    if "peers" in parts:
        tables.append(peers_by_size(photos, kinds, sizes, settings[0], edison))
    if edison is not None:
        edison.close()
    if "scale" in parts:
        tables.append(scale(photos, kinds, sizes, settings[0], not chosen.no_memory))
    print("", *tables, sep="\n\n")


if __name__ == "__main__":
    main()
