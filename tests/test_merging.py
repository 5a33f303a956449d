"""Palettes, adjacency and merging against their slow twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segment.kernels import adjacency, merging, palettes
from tests import naive_merging as naive


def voronoi(height: int, width: int, n: int, seed: int, masked: bool = False) -> Any:
    """Labels 1..n of the nearest of n random points, numbered in raster order."""
    random = np.random.default_rng(seed)
    points = random.uniform((0, 0), (height, width), (n, 2))
    grid = np.stack(np.mgrid[:height, :width], axis=-1)
    nearest = ((grid[:, :, None] - points) ** 2).sum(axis=-1).argmin(axis=-1)
    _, first, labels = np.unique(nearest, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    labels = (order[labels.reshape(height, width)] + 1).astype(np.int32)
    if masked:
        labels[:, width // 2] = 0
    return labels


def problem(labels: Any, seed: int, words: tuple[int, int, int] = (5, 4, 3)) -> dict[str, Any]:
    """Random cues for regions of `labels`."""
    random = np.random.default_rng(seed)
    n = int(labels.max())
    pairs, _, edges = adjacency.touching(labels, n)
    counts = np.zeros((n + 1, sum(words)), np.float32)
    first = 0
    for size in words:
        palettes.count_words(
            labels, random.integers(0, size, labels.shape).astype(np.uint8), first, counts
        )
        first += size
    lengths = np.bincount(edges, minlength=len(pairs)).astype(np.float32)
    return {
        "counts": counts,
        "first_texture": words[0] + words[1],
        "areas": np.bincount(labels.ravel(), minlength=n + 1).astype(np.float32),
        "pairs": pairs,
        "lengths": lengths,
        "contrasts": (lengths * random.random(len(pairs))).astype(np.float32),
        "n_pixels": np.float32(labels.size),
    }


@pytest.mark.parametrize(
    "labels",
    [
        voronoi(12, 17, 20, 0),
        voronoi(12, 17, 20, 1, masked=True),
        np.ones((3, 4), np.int32),
        np.zeros((3, 4), np.int32),
        np.arange(1, 13, dtype=np.int32).reshape(3, 4),
        np.array([[1, 2, 1]], np.int32),
        np.array([[1], [0], [2]], np.int32),
    ],
)
def test_touching(labels: Any) -> None:
    pairs, cracks, edges = adjacency.touching(labels, int(labels.max()))
    found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for crack, edge in zip(cracks, edges, strict=True):
        y, x = divmod(int(crack) // 2, labels.shape[1])
        found.setdefault(tuple(pairs[edge]), []).append((y, x, int(crack) % 2))
    assert found == naive.touching(labels)
    assert len(found) == len(pairs)


def test_contrast_is_added_over_the_cracks_of_each_pair() -> None:
    labels = voronoi(12, 17, 9, 2)
    random = np.random.default_rng(3)
    fine, coarse = (random.random((3, 12, 17)).astype(np.float32) for _ in range(2))
    around = random.random((12, 17)).astype(np.float32)
    pairs, cracks, edges = adjacency.touching(labels, 9)
    sums = np.ones(len(pairs), np.float32)
    adjacency.add_contrast(fine, coarse, around, 5.0, cracks, edges, sums)
    for pair, value in zip(pairs, sums, strict=True):
        expected = [
            naive.contrast(fine, coarse, around, 5.0, crack)
            for crack in naive.touching(labels)[tuple(pair)]
        ]
        assert value == pytest.approx(1 + sum(expected), rel=1e-5)


@pytest.mark.parametrize(("dims", "n", "k"), [(1, 1, 3), (3, 700, 32), (4, 1025, 7), (6, 30, 48)])
def test_palettes(dims: int, n: int, k: int) -> None:
    planes = np.random.default_rng(n).random((dims, n)).astype(np.float32)
    seeds = palettes.farthest_first(planes, k)
    if k < n:
        assert np.array_equal(seeds, planes[:, naive.farthest_first(planes, k)].T)
    centers = seeds
    for _ in range(3):
        words = naive.assign(planes, centers)
        centers = np.array(
            [
                planes[:, words == j].mean(axis=1, dtype=float)
                if (words == j).any()
                else centers[j]
                for j in range(k)
            ]
        ).astype(np.float32)
    assert palettes.kmeans(planes, k, 3) == pytest.approx(centers, abs=1e-5)
    words = np.empty(n, np.uint8)
    palettes.assign(planes, seeds, words)
    assert np.array_equal(words, naive.assign(planes, seeds))


def test_words_are_counted_at_full_and_at_half_resolution() -> None:
    labels = voronoi(7, 9, 5, 4, masked=True)
    random = np.random.default_rng(5)
    for words in (random.integers(0, 4, (7, 9)), random.integers(0, 4, (4, 5))):
        counts = np.zeros((6, 7), np.float32)
        palettes.count_words(labels, words.astype(np.uint8), 2, counts)
        full = words if words.shape == labels.shape else words.repeat(2, 0).repeat(2, 1)[:7, :9]
        expected = np.zeros_like(counts)
        np.add.at(expected, (labels.ravel(), full.ravel() + 2), 1)
        assert np.array_equal(counts, expected)


def islands(n: int, side: int) -> Any:
    """A sea, label 1, around n square islands."""
    labels = np.ones((side + 2, n * (side + 1) + 1), np.int32)
    for i in range(n):
        left = i * (side + 1) + 1
        labels[1:-1, left : left + side] = i + 2
    return labels


def check_merge(labels: Any, seed: int) -> None:
    cues = problem(labels, seed)
    children, heights = naive.merge(
        cues["counts"][1:], (5, 9), cues["pairs"], cues["lengths"], cues["contrasts"], labels.size
    )
    found, found_heights = merging.merge(**cues)
    assert [tuple(sorted(pair)) for pair in found.tolist()] == children
    assert found_heights == pytest.approx(heights, rel=1e-4)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("n", "seed"), [(1, 0), (2, 1), (12, 2), (40, 3), (40, 4), (300, 5)])
def test_merge(n: int, seed: int, masked: bool) -> None:
    labels = voronoi(30, 40, n, seed, masked)
    _, labels = np.unique(labels, return_inverse=True)
    check_merge((labels.reshape(30, 40) + (0 if masked else 1)).astype(np.int32), seed)


@pytest.mark.parametrize("side", [1, 3, 7])
def test_merge_islands(side: int) -> None:
    """Where they take much of the area, the sea's edges are weighed often and the heap is swept."""
    check_merge(islands(60, side), side)


def test_a_sea_weighs_each_island_a_few_times() -> None:
    """All edges of the sea anew at each of 30,000 merges would take minutes."""
    labels = islands(30_000, 1)
    children, _ = merging.merge(**problem(labels, 0))
    assert len(children) == 30_000


def test_cut_tree_numbers_regions_by_their_first_leaf() -> None:
    parents = np.array([6, 5, 5, 6, -1, 7, 7, -1], np.int32)
    table = np.zeros(6, np.int32)
    assert merging.cut_tree(parents, 5, 0, table) == 5
    assert table.tolist() == [0, 1, 2, 3, 4, 5]
    assert merging.cut_tree(parents, 5, 1, table) == 4
    assert table.tolist() == [0, 1, 2, 2, 3, 4]
    assert merging.cut_tree(parents, 5, 2, table) == 3
    assert table.tolist() == [0, 1, 2, 2, 1, 3]
    assert merging.cut_tree(parents, 5, 3, table) == 2
    assert table.tolist() == [0, 1, 1, 1, 1, 2]
