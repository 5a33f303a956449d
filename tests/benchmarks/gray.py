"""Gray photographs: flat mean shift beside EDISON, at equal numbers of regions.

    python -m tests.benchmarks.gray --root FOLDER [--edison-python PYTHON]

The folder is BSDS500's; its photographs are made gray (Rec. 601). Both engines, and EDISON without
speed-up, run over a sweep of range bandwidths at one spatial bandwidth, smallest regions of 20
pixels; EDISON counts gray in levels of 255, ours in L of 100. Means over pictures: regions; root
mean square of the differences of the picture from the mean of its region, in levels; covering of
people's regions. Then both figures at given numbers of regions, interpolated in the logarithm of
the regions; and how far the two engines agree at the default bandwidths.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

import segment
from tests.benchmarks import _edison, _measure
from tests.benchmarks.fidelity import human_covering, load_evaluate

OURS = (2.0, 3.0, 4.5, 6.5, 9.0)  # range bandwidths, units of L
EDISON = (6.5, 10.0, 15.0, 20.0, 26.0)  # gray levels
AT = (200, 300, 400, 600)  # regions
VISIBLE = 16  # gray levels


def means(labels: Any, gray: Any) -> Any:
    """Each pixel's region's mean."""
    count = np.maximum(np.bincount(labels.ravel()), 1)
    return (np.bincount(labels.ravel(), gray.ravel().astype(float)) / count)[labels]


def figures(maps: list[Any], grays: list[Any], truths: list[Any], tool: Any) -> list[float]:
    """Mean regions, error, covering."""
    errors = [np.sqrt(np.mean((means(m, g) - g) ** 2)) for m, g in zip(maps, grays, strict=True)]
    regions = np.mean([m.max() for m in maps])
    return [float(regions), float(np.mean(errors)), human_covering(maps, truths, tool)]


def at_equal(rows: list[list[float]]) -> list[list[float]]:
    """Error and covering at the numbers of regions `AT`."""
    sweep = np.array(sorted(rows))
    where = np.log(sweep[:, 0])
    return [
        [float(np.interp(np.log(n), where, sweep[:, k], np.nan, np.nan)) for n in AT]
        for k in (1, 2)
    ]


def main() -> None:
    options = _measure.parser(__doc__)
    options.set_defaults(count=20)
    options.add_argument("--root", type=Path, required=True, help="folder of BSDS500")
    options.add_argument("--split", default="val")
    options.add_argument("--spatial", type=float, default=7.0)
    chosen = options.parse_args()
    tool = load_evaluate(chosen.root)
    available = len(list((chosen.root / "images" / chosen.split).glob("*.jpg")))
    every = max(available // chosen.count, 1)
    pictures = list(tool.load(chosen.split, every, chosen.root))[: chosen.count]
    grays = [np.rint(image @ [0.299, 0.587, 0.114]).astype(np.uint8) for _, image, _, _ in pictures]
    truths = [people for _, _, people, _ in pictures]
    edison = _edison.start(chosen.edison_python)
    rows, equal, defaults = [], [], {}
    for name in ("fast", "exact", "EDISON"):
        if name == "EDISON" and edison is None:
            continue
        sweep = []
        for ranged in EDISON if name == "EDISON" else OURS:
            if name == "EDISON":
                assert edison is not None
                maps = [edison.segment(g, chosen.spatial, ranged, 20, "no")[2] + 1 for g in grays]
            else:
                maps = [
                    segment.mean_shift(
                        g, spatial_bandwidth=chosen.spatial, range_bandwidth=ranged, engine=name
                    ).labels
                    for g in grays
                ]
            maps = [m.astype(np.int64) - m.min() + 1 for m in maps]
            if ranged == OURS[3]:
                defaults[name] = maps
            sweep.append(figures(maps, grays, truths, tool))
            rows.append([name, ranged, *sweep[-1]])
            print(".", end="", flush=True)
        equal.append([name, *(f"{a:.1f} / {b:.3f}" for a, b in zip(*at_equal(sweep), strict=True))])
    if edison is not None:
        edison.close()
    print(f"\n{_measure.table(['tool', 'range', 'regions', 'error', 'covering'], rows)}")
    head = ["error / covering", *(f"{n} regions" for n in AT)]
    print(f"\n{_measure.table(head, equal)}")
    pairs = list(zip(defaults["fast"], defaults["exact"], grays, strict=True))
    alike = np.median([adjusted_rand_score(a.ravel(), b.ravel()) for a, b, _ in pairs])
    apart = np.mean([(abs(means(a, g) - means(b, g)) > VISIBLE).mean() for a, b, g in pairs])
    print(f"\nfast against exact: ARI {alike:.3f}, {apart:.1%} of pixels {VISIBLE} levels apart")


if __name__ == "__main__":
    main()
