"""The measures of BSDS500: how a label map, or one at each of many scales, agrees with people.

References
----------
.. [1] P. Arbelaez, M. Maire, C. Fowlkes and J. Malik, "Contour Detection and Hierarchical Image
   Segmentation", IEEE PAMI 33(5), 2011, section 3.
.. [2] D. Martin, C. Fowlkes and J. Malik, "Learning to Detect Natural Image Boundaries Using Local
   Brightness, Color, and Texture Cues", IEEE PAMI 26(5), 2004.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.matching import match

TOLERANCE = 0.0075  # of a boundary pixel, as a share of the diagonal


@dataclass(frozen=True)
class Overlap:
    """How one label map agrees with the people who cut the same image.

    Attributes
    ----------
    best : ndarray
        Intersection over union of each human region with the region that fits it best.
    rand, variation : float
        Rand index and variation of information (bits), means over the people.
    """

    best: NDArray[np.float64]
    rand: float
    variation: float


def entropy(counts: NDArray[Any], total: int) -> float:
    """Entropy in bits of a distribution given as counts."""
    shares = counts[counts > 0] / total
    return float(-(shares * np.log2(shares)).sum())


def overlap(labels: NDArray[Any], truths: Sequence[NDArray[Any]]) -> Overlap:
    """Compare a label map (H, W) of any numbering with human ones, each numbered from 1."""
    used = np.flatnonzero(np.bincount(labels.ravel()))
    number = np.zeros(used[-1] + 1, np.int64)
    number[used] = np.arange(len(used))
    mine = number[labels.ravel()]
    size = mine.size
    areas = np.bincount(mine).astype(float)
    pairs = size * (size - 1) / 2
    best, rand, variation = [], 0.0, 0.0
    for truth in truths:
        n_human = int(truth.max())
        joint = np.bincount(mine * n_human + truth.ravel() - 1, minlength=len(used) * n_human)
        shared = joint.reshape(len(used), n_human).astype(float)
        human = shared.sum(axis=0)
        best.append((shared / (areas[:, None] + human - shared)).max(axis=0))
        disagree = (areas**2).sum() / 2 + (human**2).sum() / 2 - (shared**2).sum()
        rand += 1 - disagree / pairs
        variation += 2 * entropy(shared, size) - entropy(areas, size) - entropy(human, size)
    return Overlap(np.concatenate(best), rand / len(truths), variation / len(truths))


def boundary_map(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Boundary pixels of a label map, where the benchmark puts them, thinned to one pixel."""
    from skimage.morphology import thin

    below, right = np.zeros((2, *labels.shape), bool)
    below[:-1] = labels[1:] != labels[:-1]
    right[:, :-1] = labels[:, 1:] != labels[:, :-1]
    out = below | right
    out[:, :-1] |= below[:, 1:]
    out[:-1] |= right[1:]
    # The last row and column have a half of the neighbours.
    out[-1] = right[-1]
    out[:, -1] = below[:, -1]
    return np.asarray(thin(out), bool)


def boundary_counts(
    found: NDArray[np.bool_], truths: Sequence[NDArray[np.bool_]]
) -> tuple[int, int, int, int]:
    """Count boundary pixels: human ones found, human ones, found ones that are right, found ones.

    A found pixel is right if it is matched with a pixel of one person at least; matchings are one
    to one, as large as can be, within the tolerance. Of several that are as large, which one is
    taken can make a pixel more or less right.
    """
    radius = TOLERANCE * math.hypot(*found.shape)
    right = np.zeros(np.count_nonzero(found), bool)
    recalled = n_human = 0
    for truth in truths:
        matched = match(found, truth, radius) >= 0
        right |= matched
        recalled += np.count_nonzero(matched)
        n_human += np.count_nonzero(truth)
    return recalled, n_human, np.count_nonzero(right), len(right)


def f_measure(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Harmonic mean of recall and precision of ``counts[..., 4]``, see `boundary_counts`."""
    counts = np.asarray(counts, float)
    recall = counts[..., 0] / counts[..., 1]
    precision = counts[..., 2] / np.maximum(counts[..., 3], 1)
    return np.asarray(2 * recall * precision / np.maximum(recall + precision, 1e-9))


@dataclass
class Score:
    """Collects images, each at the same K scales, and says how well they were cut.

    ODS is the best single scale for all images, OIS the best scale of each image, and "best" takes
    for each human region the scale that fits it best.
    """

    covered: list[NDArray[np.float64]] = field(default_factory=list)
    best: list[float] = field(default_factory=list)
    area: list[float] = field(default_factory=list)
    rand: list[list[float]] = field(default_factory=list)
    variation: list[list[float]] = field(default_factory=list)
    boundary: list[list[tuple[int, int, int, int]]] = field(default_factory=list)
    n_regions: list[list[int]] = field(default_factory=list)

    def add(self, maps: Sequence[NDArray[Any]], truths: Sequence[NDArray[Any]]) -> None:
        """Add an image: its label map at each scale, and people's label maps."""
        overlaps = [overlap(labels, truths) for labels in maps]
        areas = np.concatenate([np.bincount(truth.ravel())[1:] for truth in truths]).astype(float)
        fit = np.array([one.best for one in overlaps])
        self.covered.append(fit @ areas)
        self.best.append(float(fit.max(axis=0) @ areas))
        self.area.append(float(areas.sum()))
        self.rand.append([one.rand for one in overlaps])
        self.variation.append([one.variation for one in overlaps])
        self.n_regions.append([np.count_nonzero(np.bincount(labels.ravel())) for labels in maps])

    def add_boundaries(
        self, maps: Sequence[NDArray[Any]], edges: Sequence[NDArray[np.bool_]]
    ) -> None:
        """Add the boundaries of an image at each scale, or each of some scales, and people's."""
        self.boundary.append([boundary_counts(boundary_map(labels), edges) for labels in maps])

    def figures(self) -> dict[str, tuple[float, ...]]:
        """Return ODS and OIS of each measure (covering: best too), scale and regions at ODS."""
        covered, total = np.array(self.covered), sum(self.area)
        rand, variation = np.array(self.rand), np.array(self.variation)
        scale = int(covered.sum(axis=0).argmax())
        out: dict[str, tuple[float, ...]] = {
            "covering": (
                float(covered.sum(axis=0).max() / total),
                float(covered.max(axis=1).sum() / total),
                sum(self.best) / total,
            ),
            "PRI": (float(rand.mean(axis=0).max()), float(rand.max(axis=1).mean())),
            "VI": (float(variation.mean(axis=0).min()), float(variation.min(axis=1).mean())),
            "scale": (scale,),
            "regions": (float(np.median(np.array(self.n_regions)[:, scale])),),
        }
        if self.boundary:
            counts = np.array(self.boundary, float)
            each = counts[np.arange(len(counts)), f_measure(counts).argmax(axis=1)]
            out["F"] = (
                float(f_measure(counts.sum(axis=0)).max()),
                float(f_measure(each.sum(axis=0))),
            )
        return out
