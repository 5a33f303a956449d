"""Colours of neighbouring regions, beside the slow way."""

from __future__ import annotations

import numpy as np
import pytest

from segment.kernels.regions import adjacency, coloring
from tests.naive import coloring as naive


def conflicts(pairs: np.ndarray, colors: np.ndarray) -> int:
    return int((colors[pairs[:, 0]] == colors[pairs[:, 1]]).sum())


@pytest.mark.parametrize("seed", range(6))
def test_six_colours_are_enough_in_the_plane(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(30 * 40).reshape(30, 40).astype(np.int32) + 1
    for _ in range(900):  # merge neighbours
        y, x = rng.integers(0, 30), rng.integers(0, 39)
        labels[labels == labels[y, x]] = labels[y, x + 1]
    labels = np.unique(labels, return_inverse=True)[1].reshape(30, 40).astype(np.int32) + 1
    n = int(labels.max())
    pairs = adjacency.touching(labels, n)[0]
    for found in (coloring.color_regions(pairs, n, 6), naive.color_regions(pairs, n, 6)):
        assert conflicts(pairs, found) == 0
        assert found.min() >= 0
        assert found.max() < 6


@pytest.mark.parametrize("n", [0, 1, 5])
def test_where_nothing_touches_colours_go_round(n: int) -> None:
    pairs = np.empty((0, 2), np.int32)
    expected = [0, *(k % 3 for k in range(1, n + 1))]
    assert coloring.color_regions(pairs, n, 3).tolist() == expected
    assert naive.color_regions(pairs, n, 3).tolist() == expected


def test_a_complete_graph_of_too_many_still_gets_colours() -> None:
    pairs = np.array([(a, b) for a in range(1, 9) for b in range(a + 1, 9)], np.int32)
    assert conflicts(pairs, coloring.color_regions(pairs, 8, 8)) == 0
    assert set(coloring.color_regions(pairs, 8, 5).tolist()) == set(range(5))
