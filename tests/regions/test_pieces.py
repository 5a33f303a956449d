"""Pieces of an image, joined: whatever the tiling, the regions are those of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from segment.kernels.regions import fusing
from segment.kernels.regions.ordering import Nearest
from segment.params import MeanShiftParams
from segment.regions.climbing import Climb, climb, climb_window
from segment.regions.engines import Modes
from segment.regions.fields import reach
from segment.regions.labelling import label, label_modes
from segment.regions.limits import LEAVES
from segment.regions.pieces import Piece, index_type, join, label_piece, merge, quanta_for
from tests.pictures import photograph

Box = tuple[int, int, int, int]  # first row, one past the last, first column, one past the last


def grid(shape: tuple[int, int], height: int, width: int) -> list[Box]:
    return [
        (top, min(top + height, shape[0]), left, min(left + width, shape[1]))
        for top in range(0, shape[0], height)
        for left in range(0, shape[1], width)
    ]


def shredded(box: Box, rng: np.random.Generator, least: int = 1) -> Iterator[Box]:
    """Cut a box at random, again and again: borders end in the middle of others."""
    top, bottom, left, right = box
    across = rng.random() < 0.5
    first, last = (left, right) if across else (top, bottom)
    if last - first < 2 * least or (bottom - top) * (right - left) < 150 or rng.random() < 0.1:
        yield box
        return
    cut = int(rng.integers(first + least, last - least + 1))
    for part in (
        [(top, bottom, left, cut), (top, bottom, cut, right)]
        if across
        else [(top, cut, left, right), (cut, bottom, left, right)]
    ):
        yield from shredded(part, rng, least)


def tilings(shape: tuple[int, int]) -> Iterator[list[Box]]:
    yield grid(shape, *shape)
    yield grid(shape, 7, shape[1])
    yield grid(shape, shape[0], 5)
    yield grid(shape, 16, 11)
    for seed in range(3):
        yield list(shredded((0, shape[0], 0, shape[1]), np.random.default_rng(seed)))


def pieces_of(
    modes: Modes, params: MeanShiftParams, boxes: list[Box]
) -> tuple[list[NDArray[np.int32]], list[Piece]]:
    """Label the parts of an image whose modes are known, each on its own."""
    found = []
    for top, bottom, left, right in boxes:
        part = Modes(np.ascontiguousarray(modes.owner[top:bottom, left:right]), modes.table)
        found.append(label_piece(part, params, at=(top, left), width=modes.owner.shape[1]))
    return [labels for labels, _ in found], [piece for _, piece in found]


def put_together(
    shape: tuple[int, int], labels: list[NDArray[np.int32]], pieces: list[Piece],
    params: MeanShiftParams,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:  # fmt: skip
    regions = merge(join(pieces, params), params)
    out = np.full(shape, -9, np.int32)
    for own, piece, table in zip(labels, pieces, regions.tables, strict=True):
        out[slice(*piece.rows), slice(*piece.columns)] = np.append(table + 1, 0)[own]
    np.testing.assert_array_equal(np.bincount(out.ravel())[1:], regions.areas)
    return out, regions.modes


def check(climbed: Climb, boxes: list[Box], seed: int = 0) -> None:
    shape, params = climbed.modes.owner.shape, climbed.params
    expected = label(climbed, n_threads=1)
    np.random.default_rng(seed).shuffle(boxes)  # type: ignore[arg-type]
    labels, pieces = pieces_of(climbed.modes, params, boxes)
    found, modes = put_together(shape, labels, pieces, params)
    np.testing.assert_array_equal(found, expected.labels)
    np.testing.assert_array_equal(modes, expected.modes)


PICTURES: dict[str, tuple[Any, dict[str, Any]]] = {
    "photograph": (photograph(90, 110), {}),
    "exact": (photograph(90, 110)[:40, :50], {"engine": "exact"}),
    "gray": (photograph(90, 110)[..., 0], {"connectivity": 2}),
    "noise": (np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8), {}),
    "constant": (np.full((30, 44, 3), 9, np.uint8), {}),
    "one row": (photograph(90, 110)[:1], {}),
    "one column": (photograph(90, 110)[:, :1], {"connectivity": 2}),
    "bands": (
        np.random.default_rng(2).normal(0, 9, (40, 50, 5)).cumsum(axis=0),
        {"color_space": "none", "range_bandwidth": 20.0, "connectivity": 2},
    ),
    "large numbers": (
        np.random.default_rng(2).normal(0, 1e12, (30, 30)).cumsum(axis=1),
        {"color_space": "none", "range_bandwidth": 1e-9},
    ),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", PICTURES)
def test_any_tiling_gives_the_regions_of_the_whole(name: str, masked: bool) -> None:
    image, options = PICTURES[name]
    params = MeanShiftParams(**{"spatial_bandwidth": 4, **options})
    mask = None
    if masked:
        mask = np.random.default_rng(5).random(image.shape[:2]) > 0.15
        mask[:17, :12] = False  # a piece without a pixel
    climbed = climb(image, params, mask=mask)
    if name == "large numbers":
        with pytest.raises(segment.InputError, match="range_bandwidth=1e-09 is too small"):
            check(climbed, grid(image.shape[:2], 9, 9))
        assert label(climbed).labels.max() > 1  # the whole knows its largest value
        return
    for seed, boxes in enumerate(tilings(image.shape[:2])):
        check(climbed, boxes, seed)


def test_a_slope_of_half_a_million_pixels() -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 1024)[None, :, None], (512, 1024, 3))
    climbed = climb(ramp.astype(np.uint8), MeanShiftParams(spatial_bandwidth=16))
    check(climbed, grid((512, 1024), 100, 130))


@pytest.mark.parametrize("engine", ["fast", "exact"])
def test_tiles_that_climb_on_their_own(engine: str) -> None:
    params = MeanShiftParams(spatial_bandwidth=2, engine=engine, max_iter=9, min_size=9)
    image = photograph(90, 110)
    mask = np.random.default_rng(0).random(image.shape[:2]) > 0.1
    margin, step = reach(params)
    labels, pieces = [], []
    shape = image.shape[:2]
    for top, bottom, left, right in grid(shape, *(2 * [step if step > 1 else 33])):
        first, begin = max(top - margin, 0), max(left - margin, 0)
        around = slice(first, bottom + margin), slice(begin, right + margin)
        climbed = climb_window(
            image[around], params, (top - first, bottom - first), (left - begin, right - begin),
            mask=mask[around],
        )  # fmt: skip
        own, piece = label_piece(
            climbed.modes, params, at=(top, left), base=(top, left), width=shape[1]
        )
        labels.append(own)
        pieces.append(piece)
    assert len(pieces) > 1
    found, modes = put_together(shape, labels, pieces, params)
    expected = segment.mean_shift(image, mask=mask, **params.as_dict())
    np.testing.assert_array_equal(found, expected.labels)
    np.testing.assert_array_equal(modes, expected.modes)


def test_sums_are_those_of_the_modes() -> None:
    params = MeanShiftParams(spatial_bandwidth=4, color_space="none", range_bandwidth=30)
    modes = climb(photograph(90, 110), params).modes
    labels, piece = label_piece(modes, params, at=(7, 30), base=(5, 20), width=1000)
    first = np.unique(labels, return_index=True)[1]
    rows, columns = np.unravel_index(first, labels.shape)
    np.testing.assert_array_equal(piece.firsts, (rows + 7) * 1000 + columns + 30)
    np.testing.assert_array_equal(piece.areas, np.bincount(labels.ravel()))
    table = modes.table[modes.owner] + np.array([5.0, 20.0, 0.0, 0.0, 0.0])
    for k in range(5):
        total = np.bincount(labels.ravel(), table[..., k].ravel())
        words = piece.sums[:, [k]] if k < 2 else piece.sums[:, 2 * k - 2 : 2 * k]
        unit = [1 / 256] if k < 2 else [piece.quanta.unit * 2**26, piece.quanta.unit]
        assert (abs(words @ unit - total) <= piece.areas * unit[-1] / 2 + 1e-9).all()


def test_the_unit_of_sums() -> None:
    params = MeanShiftParams(range_bandwidth=6.5, color_space="none")
    assert quanta_for(params) == (4 * 2.0**-20, 2)
    tiny = MeanShiftParams(range_bandwidth=1e-15, color_space="none")
    for largest in (0, 1e3, 1e12, -1e15, 2.0**50, -(2.0**50) + 2.0**27):
        table = np.array([[0, 0, largest]], np.float32)
        assert 2.0**-71 < quanta_for(tiny)[0] <= quanta_for(tiny, table)[0]
        assert abs(largest) <= 2**51 * quanta_for(tiny, table)[0]
    assert quanta_for(params, np.array([[0, 0, 1e3]], np.float32)) == quanta_for(params)


def test_indices_grow_with_the_number_of_things() -> None:
    assert index_type(2**31 - 2) is np.int32
    assert index_type(2**31 - 1) is np.int64
    params = MeanShiftParams(spatial_bandwidth=4)
    _, pieces = pieces_of(climb(photograph(90, 110), params).modes, params, grid((90, 110), 32, 32))
    few, many = join(pieces, params), join(pieces, params)
    wide = many._replace(edges=many.edges.astype(np.int64))
    a, b = merge(few, params), merge(wide, params)
    assert b.tables[0].dtype == np.int64
    for one, other in zip(a.tables, b.tables, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "nearest",
    [None, Nearest(np.float32(16), 1, 1), Nearest(np.float32(64), 10, 50)],
)
@pytest.mark.parametrize("words", [1, 2])
def test_order_changes_nothing(words: int, nearest: Nearest | None) -> None:
    """Edges and components may come in any order, and more than once."""
    rng = np.random.default_rng(0)
    n, params = 300, MeanShiftParams(range_bandwidth=8.0, min_size=40)
    sums = rng.integers(-(2**50), 2**50, (n, 2 + 3 * words))
    areas = rng.integers(1, 60, n)
    sums[:, 1 + words :: words] = areas[:, None] * rng.integers(0, 2**26, (n, 3))
    if words == 2:
        sums[:, 2::2] = areas[:, None] * rng.integers(-1, 1, (n, 3))
    edges = np.sort(rng.integers(0, n, (900, 2), dtype=np.int32), axis=1)
    edges = edges[edges[:, 0] < edges[:, 1]]

    def merged(edges: NDArray[np.int32]) -> Any:
        return fusing.merge_regions(
            sums.copy(), areas.copy(), edges.copy(), len(edges), 2.0**-20, words,
            np.float32(16), params.min_size, nearest,
        )  # fmt: skip

    first = merged(edges)
    assert 1 < len(first[2]) < n
    for _ in range(3):
        rng.shuffle(edges)
        again = merged(np.concatenate([edges, edges[:200, ::-1]]))
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("smaller", "step", "fused"),
    [
        (400, 9.7, True), (400, 9.8, False), (5000, 9.7, True), (5000, 9.8, False),
        (100, 4.8, True), (100, 4.9, False), (20, 2.1, True), (20, 2.2, False), (3, 2.1, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["fast", "exact"])
def test_in_one_band_small_regions_keep_apart(
    smaller: int, step: float, fused: bool, engine: str
) -> None:
    """The limit is 1.5 bandwidths from 400 pixels on; its square falls with the pixels to 20."""
    params = MeanShiftParams(
        spatial_bandwidth=3, color_space="none", range_bandwidth=6.5, min_size=0, engine=engine
    )
    owner = np.zeros((200, 50), np.int32)
    owner.flat[:smaller] = 1
    table = np.array([[0, 0, 50], [0, 0, 50 + step]], np.float32)
    labels = label_modes(Modes(owner, table), params, 1).labels
    assert labels.max() == (1 if fused else 2)


def test_leaves_in_one_band_have_one_limit_for_all() -> None:
    params = MeanShiftParams(spatial_bandwidth=3, range_bandwidth=6.5, min_size=0)
    owner = np.zeros((200, 50), np.int32)
    for smaller in (1, 20, 400, 5000):
        owner.flat[:smaller] = 1
        for step, n in ((1.29, 1), (1.31, 2)):
            table = np.array([[0, 0, 50], [0, 0, 50 + step]], np.float32)
            assert label_modes(Modes(owner, table), params, 1, LEAVES).labels.max() == n
