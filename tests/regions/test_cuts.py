"""`Hierarchy.cut` from markers and of nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import segment
from segment.errors import InputError
from tests.naive import cutting
from tests.pictures import landscape
from tests.regions.test_hierarchy import FINE


@pytest.fixture(scope="module")
def tree() -> Any:
    return segment.mean_shift(landscape(), **FINE).hierarchy()


@pytest.fixture(scope="module")
def parted() -> Any:
    """A tree of two parts that a mask separates."""
    mask = np.ones((48, 60), bool)
    mask[:, 20:23] = False
    return segment.mean_shift(landscape(), mask=mask, **FINE).hierarchy()


def dots(shape: tuple[int, int], count: int, per_mark: int, seed: int) -> Any:
    random = np.random.default_rng(seed)
    markers = np.zeros(shape, int)
    places = random.choice(markers.size, count * per_mark, replace=False)
    markers.ravel()[places] = np.arange(count * per_mark) % count + 1
    return markers


@pytest.mark.parametrize(("count", "per_mark"), [(1, 1), (2, 1), (2, 9), (3, 2), (7, 1), (4, 20)])
@pytest.mark.parametrize("which", ["tree", "parted"])
def test_markers_as_the_twin(
    which: str, count: int, per_mark: int, request: pytest.FixtureRequest
) -> None:
    tree = request.getfixturevalue(which)
    labels = tree.leaves.labels
    markers = dots(labels.shape, count, per_mark, seed=count)
    table = np.array([0, *cutting.spread(tree.parents, labels, markers, tree.n_leaves)])
    if len(set(table[1:]) - {0}) < count:
        with pytest.raises(InputError, match="lies only where others"):
            tree.cut(markers=markers)
        return
    cut = tree.cut(markers=markers)
    assert np.array_equal(cut.labels, table[labels])
    assert cut.n_regions == count


def test_marks_of_most_pixels_win_a_leaf(tree: Any) -> None:
    labels = tree.leaves.labels
    large = np.argsort(np.bincount(labels.ravel())[1:])[-2:] + 1
    markers = np.zeros(labels.shape, np.uint8)
    first, second = (np.flatnonzero(labels == label) for label in large)
    markers.ravel()[first[:3]] = 1
    markers.ravel()[first[3:5]] = 2
    markers.ravel()[second[:2]] = 2
    markers.ravel()[second[2:4]] = 1
    markers.ravel()[second[4]] = 2
    cut = tree.cut(markers=markers)
    assert cut.labels.ravel()[first[0]] == 1
    assert cut.labels.ravel()[second[0]] == 2


def test_object_and_background_from_two_strokes(tree: Any) -> None:
    markers = np.zeros((48, 60), int)
    markers[2, 5:50] = 1
    markers[45, 5:50] = 1
    markers[33, 20:28] = 2
    y, x = np.mgrid[:48, :60]
    disc = (y - 48 * 0.7) ** 2 + (x - 60 * 0.4) ** 2 < (48 * 0.17) ** 2
    found = tree.cut(markers=markers).labels == 2
    assert (found & disc).sum() > 0.9 * (found | disc).sum()


def test_where_no_mark_can_be_met_is_no_region(parted: Any) -> None:
    markers = np.zeros((48, 60), int)
    markers[2, 30:40] = 1
    markers[44, 30:40] = 2
    cut = parted.cut(markers=markers)
    assert (cut.labels[:, :23] == 0).all()
    assert (cut.labels[:, 23:] > 0).all()
    assert np.isfinite(cut.modes).all()
    assert cut.colors.shape == (2, 3)
    assert cut.regions()["area"].sum() == 48 * 37


@pytest.mark.parametrize("n_regions", [1, 5, 23])
def test_nodes_of_a_scale_are_that_scale(tree: Any, n_regions: int) -> None:
    top = 2 * tree.n_leaves - n_regions  # nodes made by the merges down to n_regions
    alive = [node for node in range(top) if not 0 <= tree.parents[node] < top]
    cut = tree.cut(nodes=np.random.default_rng(0).permutation(alive))
    assert np.array_equal(cut.labels, tree.cut(n_regions=n_regions).labels)
    assert np.array_equal(cut.modes, tree.cut(n_regions=n_regions).modes)


def test_several_nodes_can_be_one_region(tree: Any) -> None:
    top = 2 * tree.n_leaves - 6
    nodes = [node for node in range(top) if not 0 <= tree.parents[node] < top]
    cut = tree.cut(nodes=[[nodes[0], nodes[3]], [nodes[1]], [nodes[2], nodes[4], nodes[5]]])
    groups = [[0, 3], [1], [2, 4, 5]]
    assert cut.n_regions == 3
    for group in groups:
        leaves = set().union(*(cutting.below(tree.parents, nodes[k], tree.n_leaves) for k in group))
        inside = np.isin(tree.leaves.labels - 1, list(leaves))
        assert len(np.unique(cut.labels[inside])) == 1
        assert not np.isin(cut.labels[~inside], cut.labels[inside]).any()


@pytest.mark.parametrize(
    ("markers", "words"),
    [
        (np.zeros((48, 60), int), "0 everywhere"),
        (np.zeros((48, 61), int), "shape"),
        (np.ones((48, 60)), "dtype float64"),
        (np.ones((48, 60), bool), "dtype bool"),
        (np.full((48, 60), -1), "value -1"),
        (np.full((48, 60), 2), "1 values up to 2"),
    ],
)
def test_bad_markers(tree: Any, markers: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        tree.cut(markers=markers)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([], "leaf 0 is below none"),
        ([0], "leaf 1 is below none"),
        ([-1], "no node -1"),
        ([10**6], "no node 1000000"),
        ([0.5], "whole numbers"),
        (["a"], "whole numbers"),
        ([[0], [0]], "twice"),
        ("all", "below another"),
    ],
)
def test_bad_nodes(tree: Any, nodes: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        tree.cut(nodes=range(len(tree.parents)) if nodes == "all" else nodes)


@pytest.mark.parametrize("given", [{"level": 0.5}, {"n_regions": 2}, {"nodes": [0]}])
def test_one_way_to_cut_at_a_time(tree: Any, given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"both .* and .*; give one of them"):
        tree.cut(markers=np.ones((48, 60), int), **given)
