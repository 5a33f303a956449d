"""Hierarchies as files: what is saved comes back, what is broken or crafted is refused."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data

import segment
from segment import memory
from segment.errors import FileError
from segment.kernels.regions import cutting
from segment.trees import Source, load_with_source, to_bytes
from tests.naive.meeting import meeting

CASES = Path(__file__).parent.parent.parent / "shared" / "cases" / "files"


@pytest.fixture(scope="module")
def tree() -> segment.Hierarchy:
    image = skimage.data.astronaut()[60:120, 150:230]
    keep = np.ones(image.shape[:2], bool)
    keep[:10, :10] = False
    return segment.mean_shift(image, mask=keep, spatial_bandwidth=4, range_bandwidth=4).hierarchy()


@pytest.fixture(scope="module")
def content(tree: segment.Hierarchy) -> dict[str, Any]:
    with np.load(io.BytesIO(tree.to_bytes())) as file:
        return {key: file[key] for key in file.files}


def saved(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez(path, **arrays)
    return path


def test_a_value_range_comes_back(tmp_path: Path) -> None:
    image = np.linspace(0, 4000, 1200).reshape(30, 40).astype(np.uint16)
    tree = segment.mean_shift(image, value_range=(0, 4095)).hierarchy()
    tree.save(tmp_path / "t.npz")
    loaded = segment.Hierarchy.load(tmp_path / "t.npz")
    assert loaded.leaves._pixels.value_range == (0, 4095)
    np.testing.assert_array_equal(loaded.cut(0.5).labels, tree.cut(0.5).labels)


def test_where_the_image_came_from_comes_back(tmp_path: Path, tree: segment.Hierarchy) -> None:
    source = Source("a\\b\udcff.tif", "a system", (0.5, 0.0, 500_000.0, 0.0, -0.5, 4_649_776.0))
    (tmp_path / "t.npz").write_bytes(to_bytes(tree, source))
    loaded, found = load_with_source(tmp_path / "t.npz")
    assert loaded == tree
    assert found == source


def test_trees_that_know_no_source_are_read(tmp_path: Path, content: dict[str, Any]) -> None:
    about = json.loads(str(content["about"]))
    del about["source"]
    path = saved(tmp_path / "t.npz", content | {"about": np.array(json.dumps(about))})
    assert load_with_source(path)[1] == Source()


def changed(content: dict[str, Any], name: str) -> dict[str, Any]:
    """The arrays with one thing wrong."""
    arrays = {key: value.copy() for key, value in content.items()}
    about = json.loads(str(arrays["about"]))
    parents, levels, labels = arrays["parents"], arrays["levels"], arrays["labels"]
    n = len(arrays["modes"])
    match name:
        case "a loop":
            parents[-2] = n
        case "a parent that is a leaf":
            parents[0] = 1
        case "a parent beyond":
            parents[0] = len(parents)
        case "three children":
            parents[np.flatnonzero(parents == parents[0] + 1)[0]] = parents[0]
        case "roots that touch":
            arrays["parents"], arrays["levels"] = parents[:n] * 0 - 1, levels[:n]
        case "falling levels":
            levels[n + 1] = levels[-1] + 0.5
        case "levels of NaN":
            levels[-1] = np.nan
        case "a leaf with a level":
            levels[0] = 0.1
        case "an unused label":
            labels[labels == 2] = 1
        case "a label beyond":
            labels[-1, -1] = n + 1
        case "a negative label":
            labels[-1, -1] = -1
        case "0 where nothing hides":
            labels[-1, -1] = 0
        case "modes of one dimension":
            arrays["modes"] = arrays["modes"][:, 0]
        case "modes of NaN":
            arrays["modes"][0, 0] = np.nan
        case "modes of other bands":
            arrays["modes"] = arrays["modes"][:, :-1]
        case "a mask of numbers":
            arrays["mask"] = arrays["mask"].astype(float)
        case "another byte order":
            arrays["image"] = arrays["image"].astype(">u2")
        case "an image of text":
            arrays["image"] = arrays["image"].astype(str)
        case "an image of infinity":
            arrays["image"] = np.where(arrays["labels"][..., None] == 2, np.inf, arrays["image"])
        case "an empty image":
            arrays["image"] = arrays["image"][:0]
        case "about NaN":
            about["channel_axis"] = float("nan")
        case "about an axis":
            about["channel_axis"] = 7
        case "about gray":
            about["gray"] = 1
        case "about parameters":
            about["params"]["min_size"] = -1
        case "about unknown parameters":
            about["params"]["x"] = 1
        case "about a range":
            about["value_range"] = [2, 1]
        case "about a source in a folder":
            about["source"]["name"] = "../a.tif"
        case "about a source of numbers":
            about["source"]["crs"] = 32633
        case "about a transform":
            about["source"]["transform"] = [1, 0, 0, 0, float("inf"), 0]
        case "about a short transform":
            about["source"]["transform"] = [1, 0, 0]
        case "about nothing":
            about = None
        case _:
            raise AssertionError(name)
    arrays["about"] = np.array(json.dumps(about))
    return arrays


WRONG = [
    "a loop", "a parent that is a leaf", "a parent beyond", "three children", "roots that touch",
    "falling levels", "levels of NaN", "a leaf with a level", "an unused label", "a label beyond",
    "a negative label", "0 where nothing hides", "modes of one dimension", "modes of NaN",
    "modes of other bands", "a mask of numbers", "another byte order", "an image of text",
    "an empty image", "an image of infinity", "about NaN", "about an axis", "about gray",
    "about parameters", "about unknown parameters", "about a range", "about nothing",
    "about a source in a folder", "about a source of numbers", "about a transform",
    "about a short transform",
]  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused(tmp_path: Path, content: dict[str, Any], name: str) -> None:
    segment.Hierarchy.load(saved(tmp_path / "good.npz", content))
    with pytest.raises(FileError, match=r"bad\.npz is no saved hierarchy; give a file that"):
        segment.Hierarchy.load(saved(tmp_path / "bad.npz", changed(content, name)))


@pytest.mark.parametrize("path", sorted(CASES.glob("*.npz")), ids=lambda path: path.name)
def test_crafted_files_are_refused(path: Path) -> None:
    with pytest.raises(FileError, match="no saved hierarchy"):
        segment.Hierarchy.load(path)


def test_another_format_is_named(tmp_path: Path, content: dict[str, Any]) -> None:
    about = json.loads(str(content["about"])) | {"format": 99}
    path = saved(tmp_path / "a.npz", {**content, "about": np.array(json.dumps(about))})
    with pytest.raises(FileError, match="of format 99 and this version reads format 1"):
        segment.Hierarchy.load(path)
    about["format"] = "\x1b[31m"
    path = saved(tmp_path / "b.npz", {**content, "about": np.array(json.dumps(about))})
    with pytest.raises(FileError, match="no saved hierarchy"):
        segment.Hierarchy.load(path)


def test_deep_json_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    path = saved(tmp_path / "a.npz", {**content, "about": np.array("[" * 100_000)})
    with pytest.raises(FileError, match="no saved hierarchy"):
        segment.Hierarchy.load(path)


def test_a_bomb_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.npy", bytes(memory.SMALL))
    monkeypatch.setattr(memory, "free_memory", lambda: 1e6)
    with pytest.raises(FileError, match=r"a\.npz needs about 67 MB of memory and 1\.0 MB are free"):
        segment.Hierarchy.load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="no regular file"):
        segment.Hierarchy.load(tmp_path / "pipe")


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        segment.Hierarchy.load(tmp_path / "none.npz")
    with pytest.raises(FileError, match="no regular file"):
        segment.Hierarchy.load(tmp_path)


# Where leaves meet.


def random_tree(n: int, seed: int, *, lopsided: bool) -> Any:
    rng = np.random.default_rng(seed)
    parents = np.full(2 * n - 1, -1, np.int32)
    roots = list(range(n))
    for made in range(n, 2 * n - 1):
        first = roots.pop(-1 if lopsided else rng.integers(len(roots)))
        second = roots.pop(rng.integers(len(roots)))
        parents[first] = parents[second] = made
        roots.append(made)
    return parents


@pytest.mark.parametrize("lopsided", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_where_leaves_meet(seed: int, lopsided: bool) -> None:
    n = 60
    parents = random_tree(n, seed, lopsided=lopsided)
    levels = np.arange(2 * n - 1, dtype=np.float32)
    pairs = np.random.default_rng(seed).integers(1, n + 1, (200, 2)).astype(np.int32)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    out = np.empty(len(pairs), np.float32)
    cutting.meeting_levels(pairs, parents, levels, out)
    assert out.tolist() == [meeting(parents, a - 1, b - 1) for a, b in pairs.tolist()]


def test_a_tree_like_a_ladder_is_no_trap() -> None:
    n = 200_000
    parents = random_tree(n, 0, lopsided=True)
    pairs = np.random.default_rng(1).integers(1, n + 1, (n, 2)).astype(np.int32)
    out = np.empty(len(pairs), np.float32)
    # Climbing node by node would take some 1e10 steps here, this some 1e6.
    cutting.meeting_levels(pairs, parents, np.arange(2 * n - 1, dtype=np.float32), out)
    assert out[0] == meeting(parents, *(int(leaf) - 1 for leaf in pairs[0]))


# Corners.


def test_regions_that_meet_at_corners_alone_merge_with_connectivity_2() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10, :10], image[10:, 10:] = 90, 200
    keep = np.zeros((20, 20), bool)
    keep[:10, :10] = keep[10:, 10:] = True
    options: dict[str, Any] = {"mask": keep, "spatial_bandwidth": 3, "range_bandwidth": 4}
    apart = segment.mean_shift(image, connectivity=1, **options).hierarchy()
    assert apart.cut(n_regions=1).n_regions == 2
    joined = segment.mean_shift(image, connectivity=2, **options).hierarchy()
    assert joined.parents.tolist() == [2, 2, -1]
    assert 0 < joined.levels[2] < 1
    assert joined.cut(n_regions=1).n_regions == 1
    assert joined.cut(0.0).n_regions == 2


def test_of_several_at_corners_the_most_alike_merge_first(tmp_path: Path) -> None:
    image = np.zeros((30, 30, 3), np.uint8)
    keep = np.zeros((30, 30), bool)
    for k, value in enumerate((80, 200, 210)):
        part = np.s_[10 * k : 10 * k + 10, 10 * k : 10 * k + 10]
        image[part], keep[part] = value, True
    tree = segment.mean_shift(
        image, mask=keep, connectivity=2, spatial_bandwidth=3, range_bandwidth=2
    ).hierarchy()
    assert tree.parents.tolist() == [4, 3, 3, 4, -1]
    assert (np.diff(tree.levels) >= 0).all()
    tree.save(tmp_path / "t.npz")
    loaded = segment.Hierarchy.load(tmp_path / "t.npz")
    np.testing.assert_array_equal(loaded.contours(), tree.contours())
