"""The page as a file: what is packed into it, and its projects in Python."""

from __future__ import annotations

import html
import itertools
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import segment
from segment.cli import main
from segment.errors import FileError, InputError
from segment.images import encode_for_screen
from segment.page import apply_project, build_page, building, pack, read_project, write_page
from segment.page.project import draw_stroke
from tests.page.conftest import image_of


def decoded(codes: Any, given: Any, shape: tuple[int, int]) -> Any:
    """The labels that codes stand for, pixel by pixel."""
    labels = np.zeros(shape, int)
    largest, rest = 0, list(given)
    nibbles = np.stack([codes & 15, codes >> 4], axis=1).ravel()
    for y, x in np.ndindex(shape):
        code = nibbles[y * shape[1] + x]
        if code == pack.LEFT:
            labels[y, x] = labels[y, x - 1]
        elif code == pack.ABOVE:
            labels[y, x] = labels[y - 1, x]
        elif code == pack.ABOVE_RIGHT:
            labels[y, x] = labels[y - 1, x + 1]
        elif code == pack.NEXT:
            labels[y, x] = largest + 1
        elif code == pack.GIVEN:
            labels[y, x] = rest.pop(0)
        largest = max(largest, labels[y, x])
    assert not rest
    return labels


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (9, 14), (13, 11)])
@pytest.mark.parametrize("n", [0, 1, 3, 60])
def test_labels_are_packed_whole(shape: tuple[int, int], n: int) -> None:
    labels = np.random.default_rng(n).integers(0, n + 1, shape).astype(np.int32)
    codes, given = pack.encode_labels(labels)
    assert np.array_equal(decoded(codes, given, shape), labels)


def test_a_pack_holds_the_tree(tree: Any) -> None:
    data = pack.pack(tree, {"name": "x"})
    assert data.startswith(pack.MAGIC)
    start = 12 + int.from_bytes(data[8:12], "little")
    header = json.loads(data[12:start])
    arrays = {}
    for entry in header["arrays"]:
        planes = zlib.decompress(data[start : start + entry["bytes"]])
        start += entry["bytes"]
        size = np.dtype(entry["dtype"]).itemsize
        rows = np.frombuffer(planes, np.uint8).reshape(size, -1).T
        arrays[entry["name"]] = np.ascontiguousarray(rows).view(entry["dtype"]).ravel()
    assert start == len(data)
    labels = decoded(arrays["codes"], arrays["given"], tree.leaves.labels.shape)
    assert np.array_equal(labels, tree.leaves.labels)
    assert np.array_equal(arrays["parents"], tree.parents)
    assert np.array_equal(np.cumsum(arrays["levels"], dtype=np.uint32).view("f4"), tree.levels)
    means = arrays["means"].reshape(-1, 3)
    assert means == pytest.approx(tree.leaves.colors, rel=1e-6)


def test_the_page_asks_for_nothing_and_runs_only_its_own_script(tree: Any) -> None:
    text = build_page(tree, image_of(tree), name="</title><script>alert(1)</script>").decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert text.count("<script") == 2  # the packed tree, which is no script, and ours
    assert building._hash(building.bundle("main.js")) in policy


def test_modules_may_not_define_a_name_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "a.js": 'import { b } from "./b.js";\nconst c = 1;\n',
        "b.js": "export function b() {}\nconst c = 2;\n",
    }
    monkeypatch.setattr(building, "read", files.__getitem__)
    building.bundle.cache_clear()
    with pytest.raises(ValueError, match="both define c"):
        building.bundle("a.js")
    files["b.js"] = "export function b() {}\n"
    assert building.bundle("a.js") == "function b() {}\n\nconst c = 1;\n"
    building.bundle.cache_clear()


def test_a_page_is_not_written_over(tree: Any, tmp_path: Path) -> None:
    path = write_page(tree, image_of(tree), tmp_path / "p.html")
    with pytest.raises(FileError, match="exists"):
        write_page(tree, image_of(tree), path)
    assert write_page(tree, image_of(tree), path, overwrite=True) == path


@pytest.mark.parametrize("dtype", ["uint16", "float32", "bool"])
@pytest.mark.parametrize("bands", [None, 5])
def test_any_image_has_a_page(dtype: str, bands: int | None) -> None:
    shape = (20, 30) if bands is None else (20, 30, bands)
    values = np.random.default_rng(0).random(shape) > 0.5
    pixels = values if dtype == "bool" else values.astype(dtype) * np.asarray(0.7, dtype)
    space = "none" if bands else "luv"
    tree = segment.mean_shift(pixels, color_space=space, min_size=5).hierarchy()
    assert b"</html>" in build_page(tree, tree.leaves.image(), name="x")


def test_pictures_for_screens() -> None:
    flat = np.zeros((300, 400, 3), np.uint8)
    assert encode_for_screen(flat)[1] == "image/png"
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    data, media = encode_for_screen(noise)
    assert media == "image/jpeg"
    assert data.startswith(b"\xff\xd8")
    with pytest.raises(InputError, match="too large for a page"):
        encode_for_screen(np.zeros((1, 20_000, 3), np.uint8))


@pytest.mark.parametrize("radius", [0, 1, 2.5, 6])
def test_strokes_cover_what_is_near_their_line(radius: float) -> None:
    random = np.random.default_rng(0)
    points = random.uniform(-4, 40, (4, 2)).round(2)
    drawn = np.zeros((30, 36), np.int64)
    draw_stroke(drawn, points, radius, 3)
    expected = np.zeros_like(drawn)
    for y, x in np.ndindex(expected.shape):
        for a, b in itertools.pairwise(points):
            steps = np.linspace(a, b, 4001)
            near = np.hypot(*(steps - (x, y)).T).min()
            if abs(near - radius) < 1e-3:  # too close to tell by steps
                expected[y, x] = drawn[y, x]
            elif near < radius:
                expected[y, x] = 3
    assert np.array_equal(drawn, expected)


@pytest.fixture
def project(tree: Any) -> dict[str, Any]:
    check = zlib.crc32(tree.levels.tobytes(), zlib.crc32(tree.parents.tobytes()))
    return {
        "format": "segment project 1",
        "image": {"name": "x", "width": 60, "height": 48},
        "tree": {"n_leaves": tree.n_leaves, "check": check},
        "result": "regions",
        "level": None,
        "nodes": [[len(tree.parents) - 1]],
        "classes": [{"name": name, "color": "#112233"} for name in ("a", "b", "c")],
        "strokes": [
            {"class": 1, "radius": 2, "points": [[20, 4], [50, 4]]},
            {"class": 3, "radius": 1, "points": [[24, 33]]},
        ],
    }


def test_a_class_without_marks_keeps_its_number(tree: Any, project: dict[str, Any]) -> None:
    found = apply_project(tree, {**project, "result": "classes"})
    assert found.n_regions == 3
    assert set(np.unique(found.labels)) == {0, 1, 3}
    assert found.regions()["area"][1] == 0
    assert found.posterized.shape == (48, 60, 3)


def test_marks_part_a_region(tree: Any, project: dict[str, Any]) -> None:
    found = apply_project(tree, project)
    classes = apply_project(tree, {**project, "result": "classes"})
    assert found.n_regions == 2
    assert np.array_equal(found.labels, np.array([0, 1, 0, 2])[classes.labels])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tree": {"n_leaves": 3, "check": 5}}, "another picture or run"),
        ({"nodes": [[0]]}, "cover every leaf"),
        ({"nodes": "all"}, "no node"),
        ({"strokes": [{"class": 9, "radius": 1, "points": [[1, 1]]}]}, "damaged"),
        ({"strokes": [{}]}, "damaged"),
        ({"strokes": [{"class": 1, "radius": 1, "points": [[1, 2, 3]]}]}, "damaged"),
        ({"classes": None}, "damaged"),
    ],
)
def test_bad_projects(
    tree: Any, project: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        apply_project(tree, {**project, **changes})


def test_files_that_are_no_projects(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    with pytest.raises(FileError, match="no such file"):
        read_project(path)
    for content in (b"\xff", b"[]", b'{"format": "other"}'):
        path.write_bytes(content)
        with pytest.raises(FileError, match="is no project"):
            read_project(path)


def test_on_the_command_line(tmp_path: Path, tree: Any, project: dict[str, Any]) -> None:
    saved, job = tmp_path / "x.hierarchy.npz", tmp_path / "p.json"
    tree.save(saved)
    job.write_text(json.dumps(project))
    arguments = ["cut", str(saved), "-o", str(tmp_path), "--save", "labels,page"]
    done = CliRunner().invoke(main.app, [*arguments, "--project", str(job)])
    assert done.exit_code == 0, done.output
    written = segment.read_image(tmp_path / "x.labels.png").pixels
    assert np.array_equal(written, apply_project(tree, project).labels)
    assert b"</html>" in (tmp_path / "x.page.html").read_bytes()
    assert [name for name in tmp_path.iterdir() if name.suffix == ".json"] == [job]
    # Where classes are shown, they are what the regions are called.
    job.write_text(json.dumps({**project, "result": "classes"}))
    labelled = ["cut", str(saved), "-o", str(tmp_path), "--save", "labelme", "--project", str(job)]
    done = CliRunner().invoke(main.app, labelled)
    assert done.exit_code == 0, done.output
    shapes = json.loads((tmp_path / "x.labelme.json").read_text())["shapes"]
    assert {shape["label"] for shape in shapes} == {"a", "c"}  # b has no mark
    both = CliRunner().invoke(main.app, [*arguments, "--project", str(job), "--level", "0.5"])
    assert both.exit_code == 2
    assert "drop --level" in both.output


def test_in_a_notebook(tree: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from segment.page import notebook

    text = tree._repr_html_()
    inside = html.unescape(re.findall(r'srcdoc="([^"]*)"', text)[0])
    assert inside.startswith("<!doctype html>")
    monkeypatch.setattr(notebook, "MOST_BYTES", 1000)
    assert "write_page" in tree._repr_html_()


def test_the_batch_report_opens_pages(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    segment.write_image(source / "a #1.png", np.zeros((20, 30, 3), np.uint8))
    arguments = ["batch", str(source), str(tmp_path / "dst"), "--save", "page,json", "--report"]
    done = CliRunner().invoke(main.app, [*arguments, "-j", "1"])
    assert done.exit_code == 0, done.output
    sheet = (tmp_path / "dst" / "index.html").read_text()
    assert '<a href="./a%20%231.page.html" title="Explore"><img' in sheet
    assert (tmp_path / "dst" / "a #1.page.html").is_file()
