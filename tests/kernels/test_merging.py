"""Palettes, adjacency and merging against their slow twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segment.kernels.regions import adjacency, boundaries, cutting, merging
from segment.kernels.regions import words as word_kernels
from segment.regions.cues import strangeness_of
from tests.naive import merging as naive


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
    counts = np.zeros((n + 1, sum(words)), np.int32)
    rows, columns = (np.arange(side, dtype=np.int32) for side in labels.shape)
    first = 0
    for size in words:
        word = random.integers(0, size, labels.shape).astype(np.uint8)
        word_kernels.count_words(labels, word, rows, columns, first, np.ones(n + 1, bool), counts)
        first += size
    lengths = np.bincount(edges, minlength=len(pairs)).astype(np.float32)
    return {
        "counts": counts.astype(np.float32),
        "first_texture": words[0] + words[1],
        "areas": np.bincount(labels.ravel(), minlength=n + 1).astype(np.float32),
        "pairs": pairs,
        "lengths": lengths,
        "boundaries": (lengths[:, None] * random.random((len(pairs), 4))).astype(np.float32),
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


@pytest.mark.parametrize("shape", [(12, 17), (1, 9), (3, 2)])
def test_boundary_cues_are_added_over_the_cracks_of_each_pair(shape: tuple[int, int]) -> None:
    labels = voronoi(*shape, 5, 2)
    random = np.random.default_rng(3)
    colors = random.random((3, *shape)).astype(np.float32)
    slopes = random.random(shape).astype(np.float32)
    words = random.integers(0, 4, shape).astype(np.uint8)
    table = random.random((4, 4)).astype(np.float32)
    shares = random.random((-(-shape[0] // 4), -(-shape[1] // 4), 7)).astype(np.float32)
    shares[0, 0, :5] = 0
    pairs, cracks, edges = adjacency.touching(labels, int(labels.max()))
    likely = random.random((2, *shape)).astype(np.float32)
    sums = np.ones((4, len(pairs)), np.float32)
    boundaries.add_contrast(colors, slopes, 5.0, cracks, edges, sums[0])
    boundaries.add_differences(shares, 2, 3, shape, cracks, edges, sums[1])
    boundaries.add_strangeness(words, table, 2, cracks, edges, sums[2])
    boundaries.add_parted(likely, cracks, edges, sums[3])
    assert len(pairs) > 0
    for pair, values in zip(pairs, sums.T, strict=True):
        expected = np.ones(4)
        for crack in naive.touching(labels)[tuple(pair)]:
            first, second = naive.across(crack, 2, shape)
            expected += (
                naive.contrast(colors, slopes, 5.0, crack),
                naive.difference(shares, 4, 3, shape, crack),
                table[words[first], words[second]],
                naive.parted(likely, crack),
            )
        assert values == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("shape", [(20, 31), (1, 30), (9, 1), (3, 3)])
def test_words_nearby(shape: tuple[int, int]) -> None:
    words = np.random.default_rng(6).integers(0, 5, shape).astype(np.uint8)
    counts = np.zeros((5, 5))
    word_kernels.count_neighbours(words, 8, counts)
    assert np.array_equal(counts, naive.count_neighbours(words, 8, 5))
    for side in (2, 4):
        shares = np.empty((-(-shape[0] // side), -(-shape[1] // side), 5), np.float32)
        word_kernels.block_shares(words, side, shares)
        assert shares == pytest.approx(naive.block_shares(words, side, 5), abs=1e-6)


def test_strangeness() -> None:
    """0: always together; 0.5: as chance would have it; almost 1: never."""
    table = strangeness_of(np.array([[0.0, 500.0, 0.0], [500.0, 0.0, 0.0], [0.0, 0.0, 1000.0]]))
    assert table[0, 1] == pytest.approx(0, abs=1e-3)
    assert table[2, 2] == pytest.approx(0, abs=1e-3)
    assert (table[[0, 0, 1, 2], [0, 2, 2, 0]] > 0.9).all()
    assert strangeness_of(np.full((4, 4), 9.0)) == pytest.approx(0.5)
    assert strangeness_of(np.zeros((4, 4))) == pytest.approx(0.5)
    alone = strangeness_of(np.array([[1000.0, 0.0], [0.0, 0.0]]))
    assert (np.abs(alone - 0.5) <= 0.5).all()


@pytest.mark.parametrize(("dims", "n", "k"), [(1, 1, 3), (3, 700, 32), (4, 1025, 7), (6, 30, 48)])
def test_palettes(dims: int, n: int, k: int) -> None:
    planes = np.random.default_rng(n).random((dims, n)).astype(np.float32)
    seeds = word_kernels.farthest_first(planes, k)
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
    assert word_kernels.kmeans(planes, k, 3) == pytest.approx(centers, abs=1e-5)
    words = np.empty(n, np.uint8)
    word_kernels.assign(planes, seeds, words)
    assert np.array_equal(words, naive.assign(planes, seeds))


@pytest.mark.parametrize("shape", [(7, 9), (4, 5), (3, 3), (1, 1)])
def test_words_are_counted_in_larger_pictures(shape: tuple[int, int]) -> None:
    labels = voronoi(7, 9, 5, 4, masked=True)
    words = np.random.default_rng(5).integers(0, 4, shape)
    rows, columns = (
        np.sort(np.random.default_rng(6).integers(0, small, large)).astype(np.int32)
        for small, large in zip(shape, labels.shape, strict=True)
    )
    counts = np.zeros((6, 7), np.int32)
    wanted = np.array([True, True, False, True, False, True])
    word_kernels.count_words(labels, words.astype(np.uint8), rows, columns, 2, wanted, counts)
    expected = np.zeros_like(counts)
    np.add.at(expected, (labels.ravel(), words[rows][:, columns].ravel() + 2), 1)
    expected[~wanted] = 0
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
        cues["counts"][1:], (5, 9), cues["pairs"], cues["lengths"], cues["boundaries"], labels.size
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
    assert cutting.cut_tree(parents, 5, 0, table) == 5
    assert table.tolist() == [0, 1, 2, 3, 4, 5]
    assert cutting.cut_tree(parents, 5, 1, table) == 4
    assert table.tolist() == [0, 1, 2, 2, 3, 4]
    assert cutting.cut_tree(parents, 5, 2, table) == 3
    assert table.tolist() == [0, 1, 2, 2, 1, 3]
    assert cutting.cut_tree(parents, 5, 3, table) == 2
    assert table.tolist() == [0, 1, 1, 1, 1, 2]
