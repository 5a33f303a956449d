"""Gray photographs: flat mean shift beside EDISON, at equal numbers of regions and equal errors.

    python -m tests.benchmarks.gray --root FOLDER [--edison-python PYTHON] [--min-sizes 20,50,200]
        [--engines fast,exact]

The folder is BSDS500's; its photographs are made gray (Rec. 601). Both engines, and EDISON without
speed-up, run over a sweep of range bandwidths at one spatial bandwidth, once for each smallest
region; EDISON counts gray in levels of 255, ours in L of 100. Means over pictures: regions; root
mean square of the differences of the picture from the mean of its region, in levels; covering of
people's regions; share of the picture in its five largest regions; share of the regions that have
less than 100 pixels. Then error and covering at given numbers of regions, and covering at given
errors, interpolated in the logarithm of the regions and in the error. Numbers of regions say
little alone: a map of few large regions and many crumbs covers more than one of as many regions
evenly sized, whether or not the crumbs are there. Errors see both. Last, how far the engines agree
at the default bandwidths.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

import segment
from segment.params import MeanShiftParams
from tests.benchmarks import _edison, _measure
from tests.benchmarks.fidelity import human_covering, load_evaluate

OURS = (2.0, 3.0, 4.5, 6.5, 9.0, 12.0)  # range bandwidths, units of L
EDISON = (5.0, 8.0, 12.0, 16.0, 20.0, 26.0, 31.0)  # gray levels
REGIONS = (200, 300, 400, 600, 900)
ERRORS = (13, 14, 16, 18, 20, 22)  # gray levels
VISIBLE = 16  # gray levels
LARGEST, SMALL = 5, 100  # regions; pixels

Segment = Callable[[Any, float, int], Any]  # gray, range bandwidth, smallest region -> labels
Row = list[float]


def means(labels: Any, gray: Any) -> Any:
    """Each pixel's region's mean."""
    count = np.maximum(np.bincount(labels.ravel()), 1)
    return (np.bincount(labels.ravel(), gray.ravel().astype(float)) / count)[labels]


def figures(maps: list[Any], grays: list[Any], truths: list[Any], tool: Any) -> Row:
    """Mean regions, error, covering, share of the largest, share of small ones."""
    errors = [np.sqrt(np.mean((means(m, g) - g) ** 2)) for m, g in zip(maps, grays, strict=True)]
    areas = [np.sort(np.bincount(m.ravel())[1:]) for m in maps]
    return [
        float(np.mean([len(sizes) for sizes in areas])),
        float(np.mean(errors)),
        human_covering(maps, truths, tool),
        float(np.mean([sizes[-LARGEST:].sum() / sizes.sum() for sizes in areas])),
        float(np.mean([(sizes < SMALL).mean() for sizes in areas])),
    ]


def between(places: Any, wanted: Any, values: Any) -> list[float]:
    """Values of a sweep at wanted places, NaN beyond its ends."""
    order = np.argsort(places)
    return [float(np.interp(at, places[order], values[order], np.nan, np.nan)) for at in wanted]


def at_regions(rows: list[Row]) -> list[str]:
    """Error and covering at the numbers of regions `REGIONS`."""
    sweep = np.array(rows)
    found = [between(np.log(sweep[:, 0]), np.log(REGIONS), sweep[:, k]) for k in (1, 2)]
    return [f"{error:.1f} / {covered:.3f}" for error, covered in zip(*found, strict=True)]


def at_errors(rows: list[Row]) -> list[str]:
    """Covering at the errors `ERRORS`."""
    sweep = np.array(rows)
    return [f"{covered:.3f}" for covered in between(sweep[:, 1], ERRORS, sweep[:, 2])]


def tools(engines: list[str], spatial: float, edison: Any) -> dict[str, tuple[Any, Segment]]:
    """Range bandwidths and function of each tool."""

    def ours(engine: str) -> Segment:
        return lambda gray, ranged, least: (
            segment.mean_shift(
                gray,
                spatial_bandwidth=spatial,
                range_bandwidth=ranged,
                min_size=least,
                engine=engine,
            ).labels
        )

    found: dict[str, tuple[Any, Segment]] = {name: (OURS, ours(name)) for name in engines}
    if edison is not None:
        found["EDISON"] = (
            EDISON,
            lambda gray, ranged, least: edison.segment(gray, spatial, ranged, least, "no")[2] + 1,
        )
    return found


def agreement(fast: list[Any], exact: list[Any], grays: list[Any]) -> str:
    """How near the engines are to each other."""
    pairs = list(zip(fast, exact, grays, strict=True))
    alike = np.median([adjusted_rand_score(a.ravel(), b.ravel()) for a, b, _ in pairs])
    apart = np.mean([(abs(means(a, g) - means(b, g)) > VISIBLE).mean() for a, b, g in pairs])
    return f"fast against exact: ARI {alike:.3f}, {apart:.1%} of pixels {VISIBLE} levels apart"


def main() -> None:
    options = _measure.parser(__doc__)
    options.set_defaults(count=20)
    options.add_argument("--root", type=Path, required=True, help="folder of BSDS500")
    options.add_argument("--split", default="val")
    options.add_argument("--spatial", type=float, default=7.0)
    options.add_argument("--min-sizes", default="20", help="smallest regions, pixels")
    options.add_argument("--engines", default="fast,exact")
    chosen = options.parse_args()
    tool = load_evaluate(chosen.root)
    available = len(list((chosen.root / "images" / chosen.split).glob("*.jpg")))
    every = max(available // chosen.count, 1)
    pictures = list(tool.load(chosen.split, every, chosen.root))[: chosen.count]
    grays = [np.rint(image @ [0.299, 0.587, 0.114]).astype(np.uint8) for _, image, _, _ in pictures]
    truths = [people for _, _, people, _ in pictures]
    edison = _edison.start(chosen.edison_python)
    usual = MeanShiftParams()
    rows, by_regions, by_errors, defaults = [], [], [], {}
    for name, (bandwidths, function) in tools(
        chosen.engines.split(","), chosen.spatial, edison
    ).items():
        for least in map(int, chosen.min_sizes.split(",")):
            sweep = []
            for ranged in bandwidths:
                maps = [function(gray, ranged, least).astype(np.int64) for gray in grays]
                if (ranged, least) == (usual.range_bandwidth, usual.min_size):
                    defaults[name] = maps
                sweep.append(figures(maps, grays, truths, tool))
                rows.append([name, least, ranged, *sweep[-1]])
                print(".", end="", flush=True)
            by_regions.append([name, least, *at_regions(sweep)])
            by_errors.append([name, least, *at_errors(sweep)])
    if edison is not None:
        edison.close()
    columns = ["tool", "smallest"]
    of_maps = ["regions", "error", "covering", f"{LARGEST} largest", f"below {SMALL}"]
    print(f"\n{_measure.table([*columns, 'range', *of_maps], rows)}")
    head = [*columns, *(f"{n} regions" for n in REGIONS)]
    print(f"\nError / covering at equal numbers of regions\n\n{_measure.table(head, by_regions)}")
    head = [*columns, *(f"error {error}" for error in ERRORS)]
    print(f"\nCovering at equal errors\n\n{_measure.table(head, by_errors)}")
    if {"fast", "exact"} <= defaults.keys():
        print(f"\n{agreement(defaults['fast'], defaults['exact'], grays)}")


if __name__ == "__main__":
    main()
