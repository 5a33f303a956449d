"""The explorer in a real browser: scale, selection, split, merge, marks, undo, keys, sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segment
from segment.page import apply_project, write_page
from tests.naive import cutting
from tests.page.conftest import HOSTILE, export, image_of, labels_of, until


def place(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a point of the picture is in the window."""
    box = page.locator("#stage").bounding_box()
    left, top = page.evaluate(f"app.renderer.toScreen({x}, {y})")
    return box["x"] + left, box["y"] + top


def stroke(page: Any, *points: tuple[float, float]) -> None:
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=3)
    page.mouse.up()


def project(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.evaluate("JSON.stringify(app.model.project())"))
    return found


def test_it_begins_at_the_cut_it_was_made_with(page: Any, tree: Any) -> None:
    assert page.input_value("#count") == "12"
    assert np.array_equal(labels_of(page, tree), tree.cut(n_regions=12).labels)


def slide(page: Any, level: float) -> None:
    move = "(slider, to) => { slider.value = to; slider.dispatchEvent(new Event('input')); }"
    page.locator("#level").evaluate(move, level)


@pytest.mark.parametrize("level", [0, 0.2, 0.451, 1])
def test_slider_cuts_as_python_does(page: Any, tree: Any, level: float) -> None:
    slide(page, level)
    assert np.array_equal(labels_of(page, tree), tree.cut(level=level).labels)


@pytest.mark.parametrize("count", [1, 2, 30, 100_000])
def test_number_of_regions_cuts_as_python_does(page: Any, tree: Any, count: int) -> None:
    page.fill("#count", str(count))
    page.press("#count", "Enter")
    assert np.array_equal(labels_of(page, tree), tree.cut(n_regions=count).labels)


def test_a_click_selects_and_shift_adds(page: Any, tree: Any) -> None:
    labels = tree.cut(n_regions=12).labels
    page.mouse.click(*place(page, 30.5, 10.5))
    assert page.evaluate("app.model.selected()") == [labels[10, 30] - 1]
    other = tuple(np.argwhere((labels != labels[10, 30]) & (labels > 0))[-1])
    page.keyboard.down("Shift")
    page.mouse.click(*place(page, other[1] + 0.5, other[0] + 0.5))
    page.keyboard.up("Shift")
    assert sorted(page.evaluate("app.model.selected()")) == sorted(
        {labels[10, 30] - 1, labels[other] - 1}
    )
    page.mouse.click(*place(page, 2, 2))  # masked
    assert page.evaluate("app.model.selected()") == []


def test_split_gives_the_two_children(page: Any, tree: Any) -> None:
    page.evaluate("app.setCount(3)")
    before = tree.cut(n_regions=3).labels
    page.mouse.click(*place(page, 30.5, 10.5))
    page.keyboard.press("s")
    after = labels_of(page, tree)
    inside = before == before[10, 30]
    assert np.array_equal(before[~inside] > 0, after[~inside] > 0)
    leaves = set((tree.leaves.labels[inside] - 1).tolist())
    n = tree.n_leaves
    node = next(
        k for k in range(n, len(tree.parents)) if cutting.below(tree.parents, k, n) == leaves
    )
    parts = [cutting.below(tree.parents, k, n) for k in np.flatnonzero(tree.parents == node)]
    found = {
        frozenset((tree.leaves.labels[after == label] - 1).tolist())
        for label in np.unique(after[inside])
    }
    assert found == {frozenset(part) for part in parts}
    assert len(page.evaluate("app.model.selected()")) == 2


def test_merge_with_the_sibling_undoes_a_split(page: Any, tree: Any) -> None:
    before = labels_of(page, tree)
    page.mouse.click(*place(page, 30.5, 10.5))
    page.keyboard.press("s")
    split = labels_of(page, tree)
    assert not np.array_equal(before, split)
    page.mouse.click(*place(page, 30.5, 10.5))
    page.click("#merge")
    assert np.array_equal(labels_of(page, tree), before)


def test_selected_regions_merge_wherever_they_are(page: Any, tree: Any) -> None:
    before = labels_of(page, tree)
    page.evaluate("app.model.select([0, 4, 9])")
    page.keyboard.press("m")
    after = labels_of(page, tree)
    joined = np.isin(before, [1, 5, 10])
    assert len(np.unique(after[joined])) == 1
    assert after.max() == 10
    assert np.array_equal(apply_project(tree, project(page)).labels, after)


def test_undo_and_redo_walk_through_everything(page: Any) -> None:
    seen = []
    steps = [
        "app.setCount(7)",
        "app.model.select([2]); app.split()",
        "app.model.select([0, 1]); app.merge()",
        "app.setTool('brush'); app.mark([[30, 10]])",
        "app.setClass(1); app.mark([[24, 33], [26, 34]])",
        "app.setResult('regions')",
        "app.addClass()",
        "app.model.setClass(2, {name: 'sky'})",
        "app.removeClass(0)",
        "app.model.clearMarks()",
        *["app.setLevel(Math.random(), null)"] * 50,
    ]
    state = "JSON.stringify([app.model.project(), [...app.model.region]])"
    seen.append(page.evaluate(state))
    for step in steps:
        page.evaluate(f"() => {{ {step} }}")
        seen.append(page.evaluate(state))
    for expected in seen[-2::-1]:
        page.keyboard.press("Control+z")
        assert page.evaluate(state) == expected
    assert page.is_disabled("#undo")
    for expected in seen[1:]:
        page.keyboard.press("Control+Shift+Z")
        assert page.evaluate(state) == expected
    assert page.is_disabled("#redo")


def test_a_drag_of_the_slider_is_one_step(page: Any) -> None:
    before = page.evaluate("[...app.model.region].join()")
    for level in (0.1, 0.2, 0.3):
        slide(page, level)
    page.locator("#level").dispatch_event("change")
    page.keyboard.press("Control+z")
    assert page.evaluate("[...app.model.region].join()") == before
    assert page.is_disabled("#undo")


def test_marks_finish_the_segmentation(page: Any, tree: Any) -> None:
    page.keyboard.press("b")
    stroke(page, (10, 4), (50, 4))
    stroke(page, (5, 44), (50, 44))
    page.keyboard.press("c")
    stroke(page, (20, 33), (28, 34))
    shown = labels_of(page, tree)
    applied = apply_project(tree, project(page))
    assert np.array_equal(applied.labels, shown)
    assert page.inner_text("#unit") == "classes"
    y, x = np.mgrid[:48, :60]
    disc = (y - 48 * 0.7) ** 2 + (x - 60 * 0.4) ** 2 < (48 * 0.17) ** 2
    assert ((shown == 2) & disc).sum() > 0.9 * ((shown == 2) | disc).sum()
    page.keyboard.press("r")
    regions = labels_of(page, tree)
    assert np.array_equal(apply_project(tree, project(page)).labels, regions)
    for label in range(1, regions.max() + 1):  # no region lies in two classes
        assert len(np.unique(shown[regions == label])) == 1


def test_rubbing_out_takes_marks_away(page: Any, tree: Any) -> None:
    before = labels_of(page, tree)
    page.keyboard.press("b")
    stroke(page, (10, 8), (20, 8))
    assert page.evaluate("app.model.marked")
    page.keyboard.press("e")
    page.evaluate("app.setRadius(5)")
    stroke(page, (5, 8), (30, 8))
    page.evaluate("app.setResult('regions')")
    assert np.array_equal(labels_of(page, tree), before)
    assert np.array_equal(apply_project(tree, project(page)).labels, before)


@pytest.mark.parametrize("seed", range(4))
def test_projects_of_random_marks_mean_the_same_in_python(page: Any, tree: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    page.evaluate("app.addClass()")
    for _ in range(6):
        points = (random.uniform(-5, 65, (random.integers(1, 5), 2)) * 4).round() / 4
        radius, mark = float(random.integers(0, 7)), int(random.integers(0, 4))
        page.evaluate(
            "stroke => app.model.addStroke(stroke)",
            {"class": mark, "radius": radius, "points": points.tolist()},
        )
    for result in ("classes", "regions"):
        page.evaluate(f"app.setResult('{result}')")
        assert np.array_equal(apply_project(tree, project(page)).labels, labels_of(page, tree))


def test_a_project_opens_again(page: Any, html: Path, visit: Callable[..., Any]) -> None:
    page.evaluate("app.model.select([0, 4]); app.merge(); app.setClass(1); app.mark([[24, 33]])")
    data = export(page, "project")
    other = visit(html)
    other.set_input_files(
        "#open", {"name": "p.json", "mimeType": "application/json", "buffer": data}
    )
    until(other, "app.model.marked")
    assert project(other) == project(page) == json.loads(data)
    for bad in (b"{", b"{}", data.replace(b'"check":', b'"check":1')):
        other.set_input_files(
            "#open", {"name": "p.json", "mimeType": "application/json", "buffer": bad}
        )
        until(other, "document.querySelector('#toast').textContent.startsWith('This')")
        assert project(other) == json.loads(data)


def test_the_keyboard_is_enough(page: Any, tree: Any) -> None:
    page.focus("#stage")
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    (selected,) = page.evaluate("app.model.selected()")
    assert "px" in page.inner_text("#toast")
    page.keyboard.press("s")
    assert page.evaluate("app.model.nShown") == 13
    page.keyboard.press("Escape")
    assert page.evaluate("app.model.selected()") == []
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    assert page.evaluate("app.model.marked")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert page.evaluate("app.model.nShown") == 12
    for key, view in (("1", "picture"), ("2", "flat"), ("3", "outlines"), ("4", "labels")):
        page.keyboard.press(key)
        assert page.get_attribute(f"[data-view={view}]", "aria-checked") == "true"
    page.keyboard.press("x")
    page.focus("#divider")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#divider", "aria-valuenow") == "52"
    page.keyboard.press("?")
    assert page.is_visible("#sheet")
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    assert page.evaluate("app.model.nShown") < 12
    del selected


def test_every_control_has_a_name_and_can_be_reached(page: Any) -> None:
    page.keyboard.press("b")
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, input, [role=slider]")]
        .filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent.trim()))
        .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"export", "help", "stage", "count", "level", "compare", "opacity", "radius"} <= reached


def test_wheel_zooms_to_the_cursor_and_a_drag_pans(page: Any) -> None:
    at = place(page, 20, 20)
    page.mouse.move(*at)
    page.mouse.wheel(0, -300)
    until(page, "app.renderer.view.scale > 1.5 * app.renderer.height / 48")
    assert place(page, 20, 20) == pytest.approx(at, abs=1.5)
    page.mouse.down()
    page.mouse.move(at[0] + 40, at[1] + 30, steps=4)
    page.mouse.up()
    assert place(page, 20, 20) == pytest.approx((at[0] + 40, at[1] + 30), abs=1.5)
    assert page.evaluate("app.model.selected()") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(400, 760), (1280, 800), (2560, 1300)])
def test_right_at_every_size(
    visit: Callable[..., Any], html: Path, width: int, height: int, scheme: str
) -> None:
    page = visit(html, viewport={"width": width, "height": height}, color_scheme=scheme)
    page.keyboard.press("b")
    page.evaluate("app.mark([[30, 10]])")
    wide = page.evaluate(
        """[...document.querySelectorAll("header *, aside *")]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML)"""
    )
    assert wide == []
    box = page.locator("#stage").bounding_box()
    assert box["height"] > 0.4 * height
    page.set_viewport_size({"width": 700, "height": 600})
    until(page, "app.renderer.width === document.querySelector('#stage').clientWidth")
    left, top = page.evaluate("app.renderer.toScreen(0, 0)")
    right, bottom = page.evaluate("app.renderer.toScreen(60, 48)")
    assert 0 <= left < right <= page.evaluate("app.renderer.width")
    assert 0 <= top < bottom <= page.evaluate("app.renderer.height")


def test_words_can_be_read(page: Any) -> None:
    """Contrast of text on its ground, at least 4.5 as WCAG AA asks, in both themes."""
    for _ in range(2):
        ratio = page.evaluate(
            """() => {
            const light = (color) => {
              const canvas = new OffscreenCanvas(1, 1).getContext("2d");
              canvas.fillStyle = color;
              canvas.fillRect(0, 0, 1, 1);
              const { data } = canvas.getImageData(0, 0, 1, 1);
              const linear = (value) =>
                value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
              const [r, g, b] = [...data].map((value) => linear(value / 255));
              return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = (e) => {
              for (; e; e = e.parentElement) {
                const { backgroundColor } = getComputedStyle(e);
                if (!/, 0\\)$|transparent/.test(backgroundColor)) return backgroundColor;
              }
            };
            const names = ["#facts", "#t-scale", ".slim", "[data-view=flat]", "#export", "#unit"];
            return Math.min(...names.map((name) => {
              const e = document.querySelector(name);
              const [dark, bright] = [light(getComputedStyle(e).color), light(ground(e))].sort();
              return (Math.max(dark, bright) + 0.05) / (Math.min(dark, bright) + 0.05);
            }));
            }"""
        )
        assert ratio >= 4.5
        page.keyboard.press("t")


def test_a_hostile_name_is_only_a_name(
    visit: Callable[..., Any], tree: Any, tmp_path: Path
) -> None:
    path = write_page(
        tree, image_of(tree, name=f"x/{HOSTILE}".replace("</", "<")), tmp_path / "a.html"
    )
    page = visit(path)
    assert page.inner_text("#name") == HOSTILE.replace("</", "<")
    page.evaluate("name => app.model.setClass(0, { name })", HOSTILE)
    page.keyboard.press("b")
    assert page.input_value(".class input[type=text] >> nth=0") == HOSTILE
    assert page.evaluate("document.images.length") == 1


def test_many_leaves_and_many_pixels(visit: Callable[..., Any], tmp_path: Path) -> None:
    """12 MP and more than 20,000 leaves: blocks, each of a colour unlike its neighbours'."""
    from segment.regions.hierarchy import Hierarchy

    rows, columns, side = 150, 140, 24
    blocks = np.arange(1, rows * columns + 1, dtype=np.int32).reshape(rows, columns)
    labels = blocks.repeat(side, axis=0).repeat(side, axis=1)
    n = rows * columns
    values = np.random.default_rng(0).integers(0, 256, (n + 1, 3), np.uint8)[labels]
    leaves = segment.mean_shift(picture_of_one(), spatial_bandwidth=3)
    leaves = type(leaves)(
        labels,
        np.zeros((n, 5), np.float32),
        leaves.params,
        type(leaves._pixels)(values, None, False, -1),
    )
    parents = np.concatenate([np.arange(n).repeat(2)[: 2 * n - 2] + n, [-1]]).astype(np.int32)
    levels = np.concatenate([np.zeros(n), np.linspace(0.01, 0.9, n - 1)]).astype(np.float32)
    tree = Hierarchy(leaves, parents, levels)
    page = visit(write_page(tree, image_of(tree), tmp_path / "large.html", n_regions=9000))
    assert np.array_equal(labels_of(page, tree), tree.cut(n_regions=9000).labels)
    page.evaluate("app.setCount(17)")
    assert np.array_equal(labels_of(page, tree), tree.cut(n_regions=17).labels)
    page.evaluate("app.model.select([3]); app.split(); app.setClass(0); app.mark([[100, 100]])")
    assert np.array_equal(apply_project(tree, project(page)).labels, labels_of(page, tree))


def picture_of_one() -> Any:
    return np.zeros((8, 8, 3), np.uint8)


class Fingers:
    """Fingers on the screen, as the browser's own events."""

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)

    def _send(self, kind: str, places: tuple[tuple[float, float], ...]) -> None:
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(places)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def down(self, *places: tuple[float, float]) -> None:
        self._send("touchStart", places)

    def move(self, *places: tuple[float, float]) -> None:
        self._send("touchMove", places)

    def up(self) -> None:
        self._send("touchEnd", ())


def test_two_fingers_zoom_and_move(html: Path, visit: Callable[..., Any]) -> None:
    page = visit(html, viewport={"width": 400, "height": 760}, has_touch=True)
    box = page.locator("#stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = page.evaluate("app.renderer.view")
    middle = page.evaluate(f"app.renderer.toPicture({x - box['x']}, {y - box['y']})")
    fingers = Fingers(page)
    fingers.down((x - 40, y), (x + 40, y))
    for apart in (50, 70, 100, 120):
        fingers.move((x - apart, y), (x + apart, y))
    until(page, f"app.renderer.view.scale > {2.5 * before['scale']}")
    assert page.evaluate("app.renderer.view.scale") == pytest.approx(3 * before["scale"])
    # What was between the fingers is there still.
    now = page.evaluate(f"app.renderer.toPicture({x - box['x']}, {y - box['y']})")
    assert now == pytest.approx(middle, abs=0.5)
    fingers.move((x - 120 + 30, y + 10), (x + 120 + 30, y + 10))
    until(page, f"app.renderer.toPicture({x - box['x']}, {y - box['y']})[0] < {middle[0] - 1}")
    assert page.evaluate("app.renderer.view.scale") == pytest.approx(3 * before["scale"])
    fingers.up()
    assert not page.evaluate("app.model.selection.size")  # it was no tap
    assert page.evaluate("scrollY") == 0


def test_one_finger_selects_and_marks(html: Path, visit: Callable[..., Any], tree: Any) -> None:
    page = visit(html, viewport={"width": 400, "height": 760}, has_touch=True)
    box = page.locator("#stage").bounding_box()

    def at(x: float, y: float) -> tuple[float, float]:
        u, v = page.evaluate(f"app.renderer.toScreen({x + 0.5}, {y + 0.5})")
        return box["x"] + u, box["y"] + v

    page.touchscreen.tap(*at(24, 33))
    until(page, "app.model.selection.size === 1")
    assert page.evaluate("app.model.selected()[0] === app.model.regionAt(24, 33)")
    page.evaluate("app.setClass(1)")
    fingers = Fingers(page)
    fingers.down(at(20, 30))
    fingers.move(at(24, 33))
    fingers.move(at(28, 33))
    fingers.up()
    until(page, "app.model.state.strokes.length === 1")
    (stroke,) = page.evaluate("app.model.state.strokes")
    assert stroke["class"] == 2
    assert stroke["points"][0] == pytest.approx([20, 30], abs=1)
    assert stroke["points"][-1] == pytest.approx([28, 33], abs=1)
    assert page.evaluate("app.model.classOfRegion(app.model.regionAt(24, 33))") == 2
