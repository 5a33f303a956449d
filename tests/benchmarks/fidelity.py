"""How well the fast engine agrees with the exact one, and both with people.

    python -m tests.benchmarks.fidelity --root FOLDER [--edison-python PYTHON]

The folder is BSDS500's: images/<split>/*.jpg, groundTruth/<split>/*.mat, and an evaluate.py that
offers load() and regions(). Against the exact engine: share of pixels whose filtered colour is
within 1 and 3 units of Luv; adjusted Rand index and covering of the labels; medians over pictures.
Against people: covering by Arbelaez et al. (PAMI 2011). EDISON's medium speed-up is compared with
EDISON without any, by the colours of unpruned regions, for it does not hand out its filtered image;
the same is said of the fast engine, to be compared.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from segment.params import ENGINES, MeanShiftParams
from segment.regions.checks import check_image
from segment.regions.engines import find_modes
from segment.regions.features import feature_planes
from segment.regions.labelling import label_modes
from tests.benchmarks import _edison, _measure
from tests.benchmarks._measure import Image

Colors = Any  # features (3, H, W), or labels (H, W) in the last place of a tuple
FIGURES = ["share < 1", "share < 3", "ARI", "covering"]


def load_evaluate(root: Path) -> ModuleType:
    """Import the evaluate.py of a data set."""
    spec = importlib.util.spec_from_file_location("evaluate", root / "evaluate.py")
    if spec is None or spec.loader is None or not (root / "evaluate.py").exists():
        raise SystemExit(f"{root} has no evaluate.py; give the folder of BSDS500 with --root")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(image: Image, spatial: float, ranged: float, engine: str) -> tuple[Colors, Colors, Colors]:
    """Filtered colours in Luv, colours of unpruned regions, and labels."""
    params = MeanShiftParams(spatial_bandwidth=spatial, range_bandwidth=ranged, engine=engine)
    modes = find_modes(check_image(image, color_space="luv"), params, None, 2)
    unpruned, colors = label_modes(modes, replace(params, min_size=0), 2)
    regions = np.moveaxis(colors[unpruned - 1, 2:], -1, 0)
    return modes.planes(), regions, label_modes(modes, params, 2)[0]


def agreement(found: Sequence[Colors], truth: Sequence[Colors], tool: Any) -> list[float]:
    """Figures of one picture, in the order of FIGURES."""
    distance = np.linalg.norm(found[0] - truth[0], axis=0)
    covering = np.unique(truth[1], return_inverse=True)[1].reshape(truth[1].shape) + 1
    overlap = tool.regions(found[1], [covering])[0]
    return [
        float((distance < 1).mean()),
        float((distance < 3).mean()),
        float(adjusted_rand_score(truth[1].ravel(), found[1].ravel())),
        float(overlap @ np.bincount(covering.ravel())[1:] / covering.size),
    ]


def human_covering(labels: list[Any], truths: list[list[Any]], tool: Any) -> float:
    """Covering of the people's regions over all pictures."""
    covered = total = 0.0
    for found, people in zip(labels, truths, strict=True):
        area = np.concatenate([np.bincount(truth.ravel())[1:] for truth in people])
        covered += float(tool.regions(found, people)[0] @ area)
        total += float(area.sum())
    return covered / total


def edison_run(
    edison: _edison.Edison, image: Image, spatial: float, ranged: float, speedup: str
) -> tuple[Colors, Colors]:
    """Colours of unpruned regions, in Luv, and labels of regions of 20 pixels and more."""
    colors = edison.segment(image, spatial, ranged, 0, speedup)[1]
    labels = edison.segment(image, spatial, ranged, 20, speedup)[2]
    return feature_planes(check_image(colors, color_space="luv"), "luv"), labels


def main() -> None:
    options = _measure.parser(__doc__)
    options.set_defaults(count=50)
    options.add_argument("--root", type=Path, required=True, help="folder of BSDS500")
    options.add_argument("--split", default="val")
    options.add_argument("--settings", default="7:6.5,16:8,32:12", help="spatial:range, ...")
    chosen = options.parse_args()
    tool = load_evaluate(chosen.root)
    available = len(list((chosen.root / "images" / chosen.split).glob("*.jpg")))
    every = max(available // chosen.count, 1)
    pictures = list(tool.load(chosen.split, every, chosen.root))[: chosen.count]
    truths = [people for _, _, people, _ in pictures]
    edison = _edison.start(chosen.edison_python)
    agreed, people = [], []
    for spatial, ranged in (map(float, pair.split(":")) for pair in chosen.settings.split(",")):
        figures: dict[str, list[list[float]]] = {}
        labels: dict[str, list[Any]] = {engine: [] for engine in ENGINES}
        for _, image, _, _ in pictures:
            results = {engine: run(image, spatial, ranged, engine) for engine in ENGINES}
            for engine, result in results.items():
                labels[engine].append(result[-1])
            fast, exact = results["fast"], results["exact"]
            row = agreement((fast[0], fast[2]), (exact[0], exact[2]), tool)
            figures.setdefault("fast against exact", []).append(row)
            row = agreement(fast[1:], exact[1:], tool)
            figures.setdefault("fast against exact, colours of regions", []).append(row)
            if edison is not None:
                medium, none = (
                    edison_run(edison, image, spatial, ranged, s) for s in ("medium", "no")
                )
                row = agreement(medium, none, tool)
                figures.setdefault("EDISON medium against none, colours of regions", []).append(row)
                labels.setdefault("EDISON medium", []).append(medium[-1])
            print(".", end="", flush=True)
        print()
        where = f"{spatial:g}, {ranged:g}"
        for name, rows in figures.items():
            agreed.append([where, name, *(median(column) for column in zip(*rows, strict=True))])
        for name, maps in labels.items():
            regions = median(int(m.max()) for m in maps)
            people.append([where, name, human_covering(maps, truths, tool), regions])
    if edison is not None:
        edison.close()
    print(f"\n{_measure.table(['bandwidths', 'medians', *FIGURES], agreed)}")
    head = ["bandwidths", f"people, {len(pictures)} pictures", "covering", "regions"]
    print(f"\n{_measure.table(head, people)}")


if __name__ == "__main__":
    main()
