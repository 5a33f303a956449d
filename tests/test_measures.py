"""The benchmark's measures, against definitions spelled out and against the benchmark itself."""

from __future__ import annotations

import importlib.util
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from tests.benchmarks import measures
from tests.benchmarks.matching import match
from tests.benchmarks.sizes import border_distances

SHARED = Path(__file__).parents[1].parent / "shared" / "bsds500"


def random_maps(seed: int, shape: tuple[int, int] = (6, 7), n: int = 4) -> tuple[Any, list[Any]]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, n, shape) * 3 + 2
    truths = []
    for size in (1, 2, 5):
        truth = random.integers(1, size + 1, shape)
        truths.append(np.unique(truth, return_inverse=True)[1].reshape(shape) + 1)
    return labels, truths


@pytest.mark.parametrize("seed", range(4))
def test_overlap_by_the_definitions(seed: int) -> None:
    labels, truths = random_maps(seed)
    got = measures.overlap(labels, truths)
    best, rand, variation = [], [], []
    for truth in truths:
        for region in range(1, truth.max() + 1):
            human = truth == region
            best.append(
                max(
                    (human & (labels == k)).sum() / (human | (labels == k)).sum()
                    for k in np.unique(labels)
                )
            )
        flat = list(zip(labels.ravel().tolist(), truth.ravel().tolist(), strict=True))
        agree = [(a[0] == b[0]) == (a[1] == b[1]) for a, b in combinations(flat, 2)]
        rand.append(np.mean(agree))
        variation.append(
            sum(
                -p * np.log2(p / flat_share(flat, 0, a)) - p * np.log2(p / flat_share(flat, 1, b))
                for a, b in set(flat)
                for p in [flat.count((a, b)) / len(flat)]
            )
        )
    assert got.best == pytest.approx(best)
    assert got.rand == pytest.approx(np.mean(rand))
    assert got.variation == pytest.approx(np.mean(variation))


def flat_share(flat: list[tuple[int, int]], which: int, value: int) -> float:
    return sum(pair[which] == value for pair in flat) / len(flat)


def test_the_truth_itself_is_perfect() -> None:
    truth = np.repeat([[1, 1, 2, 2, 3, 3]], 5, axis=0)
    score = measures.Score()
    edges = [measures.boundary_map(truth)]
    maps = [truth + 7, np.ones_like(truth)]
    score.add(maps, [truth])
    score.add_boundaries(maps, edges)
    figures = score.figures()
    assert figures["covering"] == pytest.approx((1, 1, 1))
    assert figures["PRI"] == pytest.approx((1, 1))
    assert figures["VI"] == pytest.approx((0, 0))
    assert figures["F"] == pytest.approx((1, 1))
    assert figures["scale"] == (0,)
    assert figures["regions"] == (3,)


def test_a_pixel_is_matched_once() -> None:
    found, human = np.zeros((2, 100, 100), bool)
    human[50, 20:40] = True
    found[50, 20:40] = found[51, 20:40] = True
    assert measures.boundary_counts(found, [human]) == (20, 20, 20, 40)
    assert measures.boundary_counts(found, [np.roll(human, 2, axis=0)]) == (20, 20, 20, 40)
    assert measures.boundary_counts(human, [np.roll(human, 2, axis=0)]) == (0, 20, 0, 20)
    assert measures.boundary_counts(np.zeros_like(human), [human]) == (0, 20, 0, 0)


def near_pixels(found: Any, human: Any, radius: float) -> Any:
    apart = np.argwhere(found)[:, None] - np.argwhere(human)
    return (apart**2).sum(axis=2) <= radius**2


@pytest.mark.parametrize("radius", [1.0, 2.3, 4.4])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_matchings_are_as_large_as_can_be(share: float, radius: float) -> None:
    random = np.random.default_rng(int(1000 * share))
    for shape in ((30, 40), (1, 200), (40, 31)):
        found, human = random.random((2, *shape)) < share * np.array([[[1.0]], [[0.7]]])
        pair = match(found, human, radius)
        near = near_pixels(found, human, radius)
        matched = np.flatnonzero(pair >= 0)
        assert len(np.unique(pair[matched])) == len(matched)
        assert near[matched, pair[matched]].all()
        theirs = maximum_bipartite_matching(csr_matrix(near), perm_type="column")
        assert len(matched) == np.count_nonzero(theirs >= 0)


def test_nothing_to_match() -> None:
    empty, full = np.zeros((5, 6), bool), np.ones((5, 6), bool)
    assert match(empty, full, 2.0).tolist() == []
    assert match(full, empty, 2.0).tolist() == [-1] * 30


@pytest.mark.parametrize("off", [0, 1, 3, -4])
def test_borders_off_the_steepest_place(off: int) -> None:
    ramp = 130 + 100 * np.tanh((np.arange(60) - 29.5) / 4)
    image = np.repeat(np.repeat(ramp[None, :, None], 40, axis=0), 3, axis=2).astype(np.uint8)
    labels = np.ones((40, 60), int)
    labels[:, 30 + off :] = 2
    for turned, picture in ((labels, image), (labels.T, image.transpose(1, 0, 2).copy())):
        assert set(border_distances(turned, picture, 4).tolist()) == {abs(off)}
    assert border_distances(labels, np.full_like(image, 90), 4).tolist() == []


@pytest.mark.skipif(not SHARED.exists(), reason="the data set is not at hand")
def test_figures_are_those_of_the_benchmark() -> None:
    """Covering, PRI and VI to every digit, and how many human boundary pixels are found.

    How many found ones are right depends on which of the largest matchings is taken.
    """
    spec = importlib.util.spec_from_file_location("evaluate", SHARED / "evaluate.py")
    assert spec is not None
    assert spec.loader is not None
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)

    def cut(image: Any) -> list[Any]:
        gray = image.astype(int).sum(axis=2)
        return [gray // step * 5 + 1 for step in (800, 300, 150)]

    expected = theirs.evaluate(cut, "val", 40, boundaries=True)
    score = measures.Score()
    for _, image, truths, edges in theirs.load("val", 40):
        score.add(cut(image), truths)
        score.add_boundaries(cut(image), edges)
        for labels, counts in zip(cut(image)[1:], score.boundary[-1][1:], strict=True):
            recalled, n_human, right, n_found = theirs.match(theirs.boundary(labels), edges)
            assert (counts[0], counts[1], counts[3]) == (recalled, n_human, n_found)
            assert counts[2] == pytest.approx(right, rel=0.01)
    got = score.figures()
    for mine, name in (("covering", "covering"), ("PRI", "pri"), ("VI", "vi")):
        assert got[mine] == pytest.approx(expected[name], rel=1e-12)
    assert got["F"] == pytest.approx(expected["boundary"], abs=0.002)
    assert got["scale"] == (expected["scale"],)
    assert got["regions"] == (expected["regions"],)
