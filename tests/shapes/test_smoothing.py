"""The kernels behind smooth outlines, against their slow twins."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segment.kernels.shapes import clashing, flattening, smoothing
from segment.shapes.curves import FLATNESS
from segment.shapes.graph import Arcs, trace_strip, trace_whole
from segment.shapes.stream import join
from tests.naive import curves as naive
from tests.shapes.maps import awkward, smooth_noise

CELL = 4


def clashes(lines: list[Any], nodes: list[tuple[int, int]]) -> list[bool]:
    """What the kernel says, with the points in a random place of a larger picture."""
    offsets = np.cumsum([0, *map(len, lines)])
    points = np.concatenate([np.array(line, float) for line in lines])
    cells = np.zeros((16, 16), bool)
    found = clashing.find_clashes(points, offsets, np.array(nodes), cells, CELL)
    assert found.any() == cells.any()
    return list(found.tolist())


def test_clashes_agree_with_exact_arithmetic() -> None:
    rng = np.random.default_rng(0)
    seen = []
    for case in range(300):
        count = int(rng.integers(1, 5))
        places = rng.integers(0, 12, (6, 2)).astype(float)  # a coarse grid: many touch exactly
        lines, nodes = [], []
        for _ in range(count):
            line = rng.integers(0, 12, (int(rng.integers(2, 5)), 2)).astype(float)
            line += rng.choice([0.0, 0.5], line.shape) if case % 2 else 0.0
            if rng.random() < 0.3 and len(line) > 2:
                line = np.concatenate([line, line[:1]])
                nodes.append((-1, -1))
            else:
                a, b = rng.choice(6, 2, replace=False).tolist()
                line[0], line[-1] = places[a], places[b]
                nodes.append((a, b))
            lines.append(line)
        if any((np.diff(line, axis=0) == 0).all(axis=1).any() for line in lines):
            continue  # steps of no length
        seen.append(clashes(lines, nodes))
        assert seen[-1] == naive.clashes([list(map(tuple, p.tolist())) for p in lines], nodes)
    assert 50 < sum(map(sum, seen)) < sum(map(len, seen)) - 50


def test_lines_that_touch_in_a_point_of_both_clash() -> None:
    one = [(0.0, 10.0), (28.5, 239 / 8), (40.0, 30.0)]
    other = [(0.0, 40.0), (28.5, 239 / 8), (40.0, 50.0)]
    assert clashes([one, other], [(0, 1), (2, 3)]) == [True, True]
    # At a node they may meet.
    assert clashes([one[:2], other[:2]], [(0, 4), (2, 4)]) == [False, False]
    assert clashes([one[:2], other[:2]], [(0, 4), (2, 5)]) == [True, True]
    # A line that comes back to its own point; one that goes back on itself; a loop may close.
    eight = [(1.0, 1.0), (9.0, 9.0), (9.0, 20.0), (1.0, 17.0), (9.0, 9.0), (17.0, 1.0)]
    assert clashes([eight], [(0, 1)]) == [True]
    assert clashes([[(1.0, 1.0), (9.0, 5.0), (5.0, 3.0)]], [(0, 1)]) == [True]
    assert clashes([[(1.0, 1.0), (9.0, 1.0), (5.0, 9.0), (1.0, 1.0)]], [(-1, -1)]) == [False]


def sampled(labels: NDArray[Any], image: NDArray[Any], strict: NDArray[np.bool_]) -> Any:
    arcs, _ = trace_whole(np.ascontiguousarray(labels, np.int32))
    colors = np.ascontiguousarray(image, np.float32)
    return arcs, smoothing.sample_arcs(
        arcs.points, arcs.offsets, arcs.sides, arcs.closed, labels, colors, strict, CELL
    )


@pytest.mark.parametrize("name", ["blobs", "noise", "nested", "masked", "ring over corners"])
@pytest.mark.parametrize("amplitude", [0.1, 4.0, 90.0])
def test_samples_agree_with_the_naive_way(name: str, amplitude: float) -> None:
    labels = awkward()[name].astype(np.int32)
    rng = np.random.default_rng(1)
    image = rng.normal((labels * 37 % 200)[..., None], amplitude, (*labels.shape, 2))
    image = image.astype(np.float32)
    strict = rng.random((labels.shape[0] // CELL + 1, labels.shape[1] // CELL + 1)) < 0.1
    arcs, (samples, starts, _) = sampled(labels, image, strict)
    limits = smoothing.FAINT, smoothing.CLEAR, smoothing.FARTHEST
    moves = 0
    for arc in range(len(arcs)):
        own = samples[starts[arc] : starts[arc + 1]]
        if (arcs.sides[arc] < 0).any():
            assert len(own) == 0
            continue
        cracks = middles(arcs, arc)
        wanted = []
        for k, (x, y) in enumerate(cracks):
            down = int(y == int(y))
            if strict[int(y) // CELL, int(x) // CELL]:
                wanted.append([x, y, 1, 1])
            elif down in naive.ways(cracks, k, bool(arcs.closed[arc]), smoothing.AHEAD):
                moved, weight = naive.located(
                    labels, image, int(y), int(x), down, smoothing.REACH, limits
                )
                moves += moved != 0
                wanted.append([x + moved * (1 - down), y + moved * down, weight, 0])
        assert own == pytest.approx(np.reshape(wanted, (-1, 4)), abs=1e-4)
    assert moves > 20 or amplitude == 0.1 or name == "ring over corners"


def middles(arcs: Arcs, arc: int) -> list[tuple[float, float]]:
    points = arcs.points[arcs.offsets[arc] : arcs.offsets[arc + 1]].astype(float)
    found = []
    for a, b in pairwise(points):
        n = int(np.abs(b - a).sum())
        found += [tuple(a + (b - a) * (k + 0.5) / n) for k in range(n)]
    return found


def test_smoothing_agrees_with_the_naive_way() -> None:
    rng = np.random.default_rng(2)
    for n in (0, 1, 2, 3, 4, 9, 40):
        for closed in (False, True):
            samples = np.concatenate([rng.normal(size=(n, 2)), rng.random((n, 2))], axis=1)
            ends = rng.normal(size=(1, 2, 2))
            got = samples.copy()
            smoothing.relax_samples(got, np.array([0, n]), ends, np.array([closed]))
            wanted = samples.copy()
            wanted[:, :2] = naive.relaxed(samples, ends[0], closed, smoothing.PASSES)
            assert got == pytest.approx(wanted)


def test_grain_is_doubted_and_bends_are_not() -> None:
    rng = np.random.default_rng(5)
    for n in (3, 4, 12, 40):
        for closed in (False, True):
            samples = np.concatenate([rng.normal(size=(n, 2)), rng.random((n, 2))], axis=1)
            samples[:, :2] += np.arange(n)[:, None] * 3
            got = samples.copy()
            smoothing.doubt_samples(got, np.array([0, n]), np.array([closed]))
            factor = naive.belief(
                samples[:, :2], closed, smoothing.AROUND, (smoothing.CALM, smoothing.WILD)
            )
            assert got[:, 2] == pytest.approx(samples[:, 2] * factor)
            assert np.array_equal(got[:, [0, 1, 3]], samples[:, [0, 1, 3]])
    angle = np.arange(24) * 2 * np.pi / 24
    circle = np.stack([4 * np.cos(angle), 4 * np.sin(angle), np.ones(24), np.zeros(24)], axis=1)
    rough = circle.copy()
    rough[::2, :2] *= 1.15
    for samples, weight in ((circle, 1.0), (rough, 0.0)):
        smoothing.doubt_samples(samples, np.array([0, 24]), np.array([True]))
        assert (samples[:, 2] == weight).all()


def test_means_across_pixels_become_points_of_the_edge() -> None:
    """A parabola's mean over a pixel is 1/24 of its second derivative off; no line's is."""
    x = np.arange(12) + 0.5
    bend = 0.3
    points = np.stack([x, 5 + 0.2 * x + bend * x**2 / 2, np.ones(12), np.zeros(12)], axis=1)
    means = points.copy()
    means[:, 1] += bend / 24
    for samples in (means, means[:, [1, 0, 2, 3]]):
        got = samples.copy()
        smoothing.unbend_samples(got, np.array([0, 12]), np.array([False]))
        wanted = points if samples is means else points[:, [1, 0, 2, 3]]
        assert got[1:-1] == pytest.approx(wanted[1:-1])
        assert np.array_equal(got[[0, -1]], samples[[0, -1]])
    # What has no weight, is strict, or turns a corner stays.
    for k, column, value in ((5, 2, 0.0), (5, 3, 1.0), (5, 0, 9.0)):
        samples = means.copy()
        samples[k, column] = value
        got = samples.copy()
        smoothing.unbend_samples(got, np.array([0, 12]), np.array([False]))
        assert np.array_equal(got[k], samples[k])


def test_polylines_bound_what_the_curves_do() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        count = int(rng.integers(1, 5))
        controls = rng.normal(scale=8, size=(3 * count + 1, 2)).cumsum(axis=0)
        points, offsets = flattening.flatten(controls, np.array([0, len(controls)]), FLATNESS)
        assert offsets.tolist() == [0, len(points)]
        t = np.linspace(0, 1, 4001)
        dense = [naive.bezier(controls[3 * k : 3 * k + 4], t) for k in range(count)]
        curve = np.concatenate(dense)
        assert np.array_equal(points[[0, -1]], controls[[0, -1]])
        assert naive.area(points) == pytest.approx(naive.area(curve), abs=1e-2, rel=1e-4)
        for a, b in pairwise(points):
            middle = (a + b) / 2
            assert np.hypot(*(curve - middle).T).min() <= FLATNESS + 1e-3
            assert np.hypot(*(curve - a).T).min() <= FLATNESS + 1e-3


def test_joined_pieces_are_the_arcs_of_the_whole() -> None:
    rng = np.random.default_rng(4)
    for n in range(40):
        shape = tuple(rng.integers(4, 14, 2).tolist())
        labels = rng.integers(0, 4, shape) if n % 2 else smooth_noise(rng, shape)
        labels = np.ascontiguousarray(labels, np.int32)
        row = int(rng.integers(1, shape[0]))
        outside = np.full(shape[1], -1, np.int32)
        upper, _ = trace_strip(outside, labels[:row], 0, last=False)
        lower, _ = trace_strip(labels[row - 1], labels[row:], row, last=False)
        bottom, _ = trace_strip(labels[-1], np.empty((0, shape[1]), np.int32), shape[0], last=True)
        joined = join(upper + lower, row, last=False, width=shape[1])
        joined = join(joined + bottom, shape[0], last=True, width=shape[1])
        whole, _ = trace_whole(labels)
        assert listed(joined) == listed(whole)


def listed(arcs: Arcs) -> list[Any]:
    return sorted(
        (arcs.points[a:b].tolist(), arcs.sides[k].tolist(), bool(arcs.closed[k]))
        for k, (a, b) in enumerate(zip(arcs.offsets[:-1], arcs.offsets[1:], strict=True))
    )
