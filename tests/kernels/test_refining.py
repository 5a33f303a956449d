"""Averages by area and borders found again, against their slow twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segment.kernels.regions import adjacency, averaging, refining, sweeping
from segment.kernels.regions import labels as label_kernels
from segment.kernels.regions.averaging import Values
from tests.kernels.test_merging import voronoi
from tests.naive import refining as naive

NOTHING = np.empty((0, 0), bool)
NO_TABLE = np.empty(0, np.float32)
NO_VALUES, NO_INDICES = np.empty((0, 0, 0), np.float32), np.empty((0, 0, 0), np.uint8)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize(
    ("size", "shape", "ratio"),
    [
        ((12, 16), (6, 8), (2.0, 2.0)),
        ((13, 17), (7, 9), (2.0, 2.0)),
        ((13, 17), (8, 11), (13 / 8, 17 / 11)),
        ((13, 17), (13, 9), (1.0, 2.0)),
        ((11, 9), (3, 4), (11 / 3, 9 / 4)),
        ((1, 5), (1, 3), (1.0, 2.0)),
    ],
)
def test_shrink(
    size: tuple[int, int], shape: tuple[int, int], ratio: Any, square: bool, masked: bool
) -> None:
    random = np.random.default_rng(0)
    values = random.random((*size, 2)).astype(np.float32)
    mask = random.random(size) > 0.6 if masked else None
    expected, kept = naive.shrink(values, mask, shape, ratio, square)
    out = np.empty((*shape, 2), np.float32)
    out_mask = np.empty(shape, bool) if masked else NOTHING
    averaging.shrink(
        Values(NO_INDICES, NO_TABLE, values), NOTHING if mask is None else mask, ratio, square, 0,
        shape[0], np.empty(2, np.float32), out, out_mask,
    )  # fmt: skip
    assert out == pytest.approx(expected, abs=1e-5)
    if masked:
        assert np.array_equal(out_mask, kept)
    elif ratio == (2.0, 2.0):
        out[:] = 0
        averaging.shrink_twice(Values(NO_INDICES, NO_TABLE, values), square, 0, shape[0], out)
        assert out == pytest.approx(expected, abs=1e-5)


def test_values_may_be_looked_up() -> None:
    random = np.random.default_rng(1)
    values, table = random.integers(0, 5, (6, 8, 3), np.uint8), np.arange(5, dtype=np.float32) ** 2
    first, second = np.empty((2, 3, 4, 3), np.float32)
    averaging.shrink_twice(Values(values, table, NO_VALUES), False, 0, 3, first)
    averaging.shrink_twice(Values(NO_INDICES, NO_TABLE, table[values]), False, 0, 3, second)
    assert np.array_equal(first, second)


def borders(labels: Any, planes: Any, reach: int) -> tuple[Any, Any, Any, Any]:
    border = np.empty(labels.shape, bool)
    pixels = np.empty(labels.size, np.int64)
    pixels = pixels[: refining.list_border(labels, 0, len(labels), pixels, border)]
    sides = np.empty((len(pixels), refining.SIDES), np.int32)
    means = np.empty((len(pixels), refining.SIDES, planes.shape[2]), np.float32)
    room = np.empty((2, refining.SIDES, planes.shape[2]), np.float32)
    counts = np.empty((2, refining.SIDES), np.int64)
    refining.near_means(
        labels, planes, border, pixels, reach, 0, len(pixels), room, counts, sides, means
    )
    return border, pixels, sides, means


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shape", [(11, 14), (1, 9), (2, 2)])
def test_borders_and_the_means_beside_them(shape: tuple[int, int], masked: bool) -> None:
    labels = voronoi(*shape, 12, 3, masked=masked)
    planes = np.random.default_rng(4).random((*shape, 3)).astype(np.float32)
    border, pixels, sides, means = borders(labels, planes, 2)
    assert np.array_equal(border, naive.border(labels))
    assert np.array_equal(pixels, np.flatnonzero(border))
    for pixel, found, values in zip(pixels, sides, means, strict=True):
        y, x = divmod(int(pixel), shape[1])
        expected = naive.near_means(labels, planes, y, x, 2, refining.SIDES)
        assert [label for label in found if label] == list(expected)
        for value, mean in zip(values, expected.values(), strict=False):
            assert value == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize("connectivity", [1, 2])
def test_removable_pixels(connectivity: int) -> None:
    table = sweeping.removable_pixels(connectivity)
    for ring in range(256):
        inside = [bool(ring >> k & 1) for k in range(8)]
        assert table[ring] == naive.hangs_together(inside, connectivity)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize(("small", "large"), [((7, 9), (14, 18)), ((7, 9), (11, 13))])
def test_children_change_sides(
    small: tuple[int, int], large: tuple[int, int], connectivity: int, masked: bool
) -> None:
    random = np.random.default_rng(7)
    coarse = voronoi(*small, 8, 8)
    planes, around = random.random((2, *small, 2)).astype(np.float32)
    fine = random.random((*large, 2)).astype(np.float32)
    mask = random.random(large) > 0.2 if masked else np.ones(large, bool)
    rows, columns = (
        np.ceil(np.arange(n + 1) * (m / n) - 0.5).astype(np.int64)
        for n, m in zip(small, large, strict=True)
    )
    _, pixels, sides, means = borders(coarse, planes, 2)
    given = mask if masked else NOTHING
    labels = np.empty(large, np.int32)
    refining.expand(coarse, rows, columns, given, 0, small[0], labels)
    parents = [np.searchsorted(first, np.arange(n), "right") - 1 for first, n in
               ((rows, large[0]), (columns, large[1]))]  # fmt: skip
    assert np.array_equal(labels, np.where(mask, coarse[np.ix_(*parents)], 0))

    distances = np.empty((len(pixels), 4, refining.SIDES), np.float32)
    children = np.empty((len(pixels), 4, 2), np.float32)
    plain = Values(NO_INDICES, NO_TABLE, fine)
    averaging.child_means(plain, given, rows, columns, pixels, 0, len(pixels), children)
    refining.weigh(
        children, given, around, rows, columns, pixels, sides, means, np.float32(0.7),
        0, len(pixels), distances,
    )  # fmt: skip
    removable = sweeping.removable_pixels(connectivity)
    changes = 0
    for place in range(4):
        before = labels.copy()
        sweeping.sweep(
            labels, rows, columns, pixels, sides, means, distances, removable, np.float32(0.1),
            np.float32(0.01), place, 0, len(pixels), np.empty(8, np.int32),
            np.empty(refining.SIDES, np.float32),
        )  # fmt: skip
        for i, j in np.ndindex(large):
            y, x = parents[0][i], parents[1][j]
            of_place = 2 * (i % 2) + j % 2 == place
            if not (of_place and naive.border(coarse)[y, x] and before[i, j]):
                assert labels[i, j] == before[i, j]
                continue
            near = naive.near_means(coarse, planes, y, x, 2, refining.SIDES)
            value = naive.child(fine, mask, i, j)
            down = 1 if 2 * i + 1 > rows[y] + rows[y + 1] else -1
            right = 1 if 2 * j + 1 > columns[x] + columns[x + 1] else -1
            move = 0.7 * (value - naive.interpolated(around, y, x, down, right))
            own = near[int(coarse[y, x])]
            farthest = 0.3 * max(np.linalg.norm(own - mean) for mean in near.values())
            move *= min(1, farthest / max(np.linalg.norm(move), 1e-12))
            expected = naive.sweep(
                before, i, j, near, value + move, connectivity, 0.1, 0.01, float(sweeping.DIAGONAL)
            )
            assert labels[i, j] == expected
            changes += expected != before[i, j]
    assert changes > 3


@pytest.mark.parametrize("ratio", [(1.0, 1.0), (2.0, 2.0), (2.5, 3.0)])
def test_cracks_move_to_the_small_picture(ratio: tuple[float, float]) -> None:
    shape = (5, 4)
    height, width = (round(n * step) for n, step in zip(shape, ratio, strict=True))
    for y, x, down in np.ndindex(height, width, 2):
        if y + down >= height or x + 1 - down >= width:
            continue
        cracks = np.array([2 * (y * width + x) + down])
        adjacency.move_cracks(cracks, width, ratio, shape)
        row, column = divmod(int(cracks[0]) // 2, shape[1])
        assert cracks[0] % 2 == down
        # The middle of the crack, and that of the crack it became.
        place = (y + (1 if down else 0.5)) / ratio[0], (x + (0.5 if down else 1)) / ratio[1]
        there = row + (1 if down else 0.5), column + (0.5 if down else 1)
        for a, b, n in zip(place, there, shape, strict=True):
            assert abs(a - b) <= 0.5 or b in (1, n - 1)
        assert row + down < shape[0]
        assert column + 1 - down < shape[1]


def test_regions_are_numbered_in_order() -> None:
    labels = np.array([[0, 3, 3], [5, 3, 1], [5, 0, 1]], np.int32)
    number, areas = np.empty(6, np.int32), np.empty(6, np.int64)
    assert label_kernels.number_in_order(labels, number, areas) == 3
    assert labels.tolist() == [[0, 1, 1], [2, 1, 3], [2, 0, 3]]
    assert number.tolist() == [0, 3, 0, 1, 0, 2]
    assert areas.tolist() == [2, 3, 2, 2, 0, 0]
    counted = np.empty(4, np.int64)
    label_kernels.count_pixels(labels, counted)
    assert counted.tolist() == [2, 3, 2, 2]
