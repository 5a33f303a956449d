"""Drawings: every pixel of a flat SVG has its region's colour, sheets number every region."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

from segment.errors import InputError
from segment.shapes.coloring import choose_palette, hex_color, recolored
from segment.shapes.drawings import number_text, relative
from segment.shapes.numbering import STROKES, poles
from segment.shapes.svg import to_svg
from tests.shapes.maps import awkward, nested

MAPS = awkward()
NAMESPACE = "{http://www.w3.org/2000/svg}"


def colors_of(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 3)).astype(np.uint8)


def points_of(path: str) -> list[list[tuple[float, float]]]:
    """The ends of the commands of a path, subpath by subpath: a reader of what we write."""
    number = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
    found: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for command, rest in re.findall(r"([Mlhvcz])([^Mlhvcz]*)", path):
        values = [float(v) for v in number.findall(rest)]
        if command == "M":
            x, y = values
            found.append([(x, y)])
        step = {"l": 2, "h": 1, "v": 1, "c": 6}.get(command, 0)
        for k in range(0, len(values), step) if step else ():
            part = values[k : k + step]
            dx, dy = {"h": (part[0], 0.0), "v": (0.0, part[0])}.get(command, tuple(part[-2:]))
            x, y = x + dx, y + dy
            found[-1].append((x, y))
    return found


def test_paths_are_relative_and_short() -> None:
    points = np.array([[0, 0], [10, 0], [20, 0], [30, 0], [30, 5], [30, 10], [15, 20]])
    assert relative(points) == "h3c0 .5 0 1-1.5 2"
    straight = np.array([[0, 0], [1, 2], [2, 4], [3, 6], [3, 6], [3, 6], [3, 6]])
    assert relative(straight) == "l.3 .6"
    assert [number_text(n) for n in (0, 5, -5, 10, -123)] == ["0", ".5", "-.5", "1", "-12.3"]


@pytest.mark.parametrize("name", ["blobs", "nested", "masked", "spiral", "checkerboard"])
def test_filled_paths_are_closed_and_in_the_picture(name: str) -> None:
    labels = MAPS[name]
    colors = colors_of(int(labels.max()))
    tree = ET.fromstring(to_svg(labels, colors))
    paths = list(tree.iter(f"{NAMESPACE}path"))
    assert {p.get("fill") for p in paths} == {
        hex_color(colors[v - 1].tolist()) for v in np.unique(labels[labels > 0])
    }
    height, width = labels.shape
    for path in paths:
        assert path.get("stroke") == path.get("fill")
        for points in points_of(path.get("d") or ""):
            assert points[0] == pytest.approx(points[-1], abs=1e-6)
            xs, ys = np.array(points).T
            assert xs.min() >= -1e-6
            assert ys.min() >= -1e-6
            assert xs.max() <= width + 1e-6
            assert ys.max() <= height + 1e-6


def test_large_polygons_are_painted_first() -> None:
    labels = nested(12)
    colors = colors_of(6)
    tree = ET.fromstring(to_svg(labels, colors))
    fills = [path.get("fill") for path in tree.iter(f"{NAMESPACE}path")]
    assert fills == [hex_color(color) for color in colors.tolist()]  # from outside in, no holes
    assert all(p.get("d", "").count("M") == 1 for p in tree.iter(f"{NAMESPACE}path"))


def test_masked_pixels_stay_open() -> None:
    labels = np.ones((20, 20), int)
    labels[5:15, 5:15] = 0
    (path,) = ET.fromstring(to_svg(labels, colors_of(1))).iter(f"{NAMESPACE}path")
    assert path.get("fill-rule") == "evenodd"
    assert path.get("d", "").count("M") == 2


def test_outlines_draw_every_border_once() -> None:
    labels = np.ones((10, 10), int)
    labels[:, 5:] = 2
    (path,) = ET.fromstring(to_svg(labels, colors_of(2), style="outline")).iter(f"{NAMESPACE}path")
    assert path.get("fill") == "none"
    steps = [
        np.hypot(x - u, y - v)
        for points in points_of(path.get("d") or "")
        for (x, y), (u, v) in pairwise(points)
    ]
    assert sum(steps) == pytest.approx(50)  # the frame, and the line in the middle


def test_a_sheet_numbers_every_region() -> None:
    labels = MAPS["blobs"]
    colors = colors_of(int(labels.max()))
    text = to_svg(labels, colors, style="numbered", palette=7)
    tree = ET.fromstring(text)
    layers = {element.get("id"): element for element in tree}
    assert {"paper", "colors", "lines", "numbers", "legend"} <= set(layers)
    assert layers["colors"].get("display") == "none"
    joined, _, palette = recolored(labels, colors, 7)
    numbers = layers["numbers"].findall(f"{NAMESPACE}g")
    assert len(numbers) == joined.max() == len(palette.index)
    shown = [int("".join((use.get("href") or "")[2:] for use in number)) for number in numbers]
    assert shown == (palette.index + 1).tolist()
    assert len(layers["legend"].findall(f".//{NAMESPACE}rect")) == 7
    assert to_svg(labels, colors, style="numbered", palette=7) == text  # from run to run
    assert set(STROKES) == set("0123456789")


def test_numbers_lie_where_there_is_most_room() -> None:
    labels = np.ones((40, 60), int)
    labels[10:31, 20:41] = 2
    found = {label: rest for label, *rest in poles(labels)}
    x, y, radius = found[2]
    assert (x, y) == (30.5, 20.5)
    assert radius == pytest.approx(10.5, abs=0.01)
    for label, (x, y, _) in found.items():
        assert labels[int(y), int(x)] == label


def test_palettes() -> None:
    colors = np.array([[250, 0, 0], [240, 10, 0], [0, 0, 250], [0, 0, 240], [9, 9, 9]], np.uint8)
    area = np.array([10, 10, 10, 10, 10])
    wanted, nearest = choose_palette(colors, area, 3)
    assert len(wanted) == 3
    assert nearest[0] == nearest[1]
    assert nearest[2] == nearest[3]
    assert nearest[4] == 0  # the darkest first
    wanted, nearest = choose_palette(colors, area, ["red", "#00f"])
    assert wanted.tolist() == [[255, 0, 0], [0, 0, 255]]
    assert nearest[:4].tolist() == [0, 0, 1, 1]
    assert len(choose_palette(colors, area, 99)[0]) == 5


def test_neighbours_of_one_colour_become_one_region() -> None:
    labels = np.array([[1, 2, 3], [1, 2, 3]])
    colors = np.array([[250, 0, 0], [245, 0, 0], [0, 0, 0]], np.uint8)
    joined, own, palette = recolored(labels, colors, ["red", "black"])
    assert joined.tolist() == [[1, 1, 2], [1, 1, 2]]
    assert own.tolist() == [[255, 0, 0], [0, 0, 0]]
    assert palette.index.tolist() == [0, 1]
    masked, own, _ = recolored(np.array([[0, 1], [2, 0]]), colors[:2], 1)
    assert masked.tolist() == [[0, 1], [2, 0]]
    assert len(own) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "oil"}, "svg_style='oil' is unknown"),
        ({"palette": 0}, "palette=0 is too small"),
        ({"palette": 5000}, "more than 999"),
        ({"palette": ["reddish"]}, "'reddish' is no colour"),
        ({"palette": []}, "has 0 colours"),
        ({"tolerance": -2}, "tolerance=-2 is below 0"),
    ],
)
def test_bad_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_svg(np.ones((4, 4), int), colors_of(1), **options)
