"""``segment image``: --regions, --level, and the hierarchy among what is saved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import segment
from segment.cli import main
from segment.images import read_image, write_image
from segment.params import DEFAULT_LEVEL


@pytest.fixture
def stripes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A picture a.png of eight noisy stripes in the current folder."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    colors = random.integers(0, 256, (8, 3))
    pixels = colors.repeat(6, axis=0)[:, None] + random.normal(0, 3, (48, 40, 3))
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    write_image("a.png", pixels)
    return pixels


def run(*args: str) -> Result:
    return CliRunner().invoke(main.app, ["image", "a.png", *args])


def labels() -> np.ndarray:
    return read_image("outputs/a.labels.png").pixels


def test_regions_from_fine_leaves(stripes: np.ndarray) -> None:
    result = run("--regions", "5")
    assert result.exit_code == 0, result.output
    assert "5 regions" in result.stdout
    leaves = segment.mean_shift(stripes, spatial_bandwidth=5.0, range_bandwidth=4.0)
    assert np.array_equal(labels(), leaves.hierarchy().cut(n_regions=5).labels)
    facts = json.loads(Path("outputs/a.json").read_text())
    assert facts["cut"] == {"level": None, "n_regions": 5}
    assert set(facts["seconds"]) >= {"segment", "merge"}


def test_level_from_chosen_leaves(stripes: np.ndarray) -> None:
    result = run("--level", "0.3", "-r", "9")
    assert result.exit_code == 0, result.output
    tree = segment.mean_shift(stripes, range_bandwidth=9.0).hierarchy()
    assert np.array_equal(labels(), tree.cut(0.3).labels)


def test_contours_and_hierarchy_are_saved(stripes: np.ndarray) -> None:
    result = run("--regions", "3", "--save", "labels,contours,hierarchy")
    assert result.exit_code == 0, result.output
    tree = segment.Hierarchy.load("outputs/a.hierarchy.npz")
    assert tree.n_leaves > 3
    assert np.array_equal(tree.cut(n_regions=3).labels, labels())
    contours = read_image("outputs/a.contours.png").pixels
    assert contours.dtype == np.uint16
    assert contours / 65535 == pytest.approx(tree.contours(), abs=1e-5)


def test_hierarchy_goes_to_standard_output(stripes: np.ndarray, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "segment", "image", "a.png", "-o", "-", "--save", "hierarchy"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(root)}
    )
    path = tmp_path / "piped.npz"
    path.write_bytes(done.stdout)
    assert np.array_equal(
        segment.Hierarchy.load(path).leaves.labels,
        segment.mean_shift(stripes, spatial_bandwidth=5.0, range_bandwidth=4.0).labels,
    )


def test_without_any_choice_a_hierarchy_is_cut_at_the_default_level(stripes: np.ndarray) -> None:
    assert run().exit_code == 0
    leaves = segment.mean_shift(stripes, spatial_bandwidth=5.0, range_bandwidth=4.0)
    assert np.array_equal(labels(), leaves.hierarchy().cut(DEFAULT_LEVEL).labels)
    assert json.loads(Path("outputs/a.json").read_text())["cut"]["level"] == DEFAULT_LEVEL


@pytest.mark.parametrize("args", [["-s", "7"], ["-r", "6.5"]])
def test_a_bandwidth_asks_for_plain_mean_shift(stripes: np.ndarray, args: list[str]) -> None:
    assert run(*args).exit_code == 0
    assert np.array_equal(labels(), segment.mean_shift(stripes).labels)
    assert "cut" not in json.loads(Path("outputs/a.json").read_text())


def test_a_batch_chooses_as_one_picture_does(stripes: np.ndarray) -> None:
    assert run().exit_code == 0
    Path("in").mkdir()
    Path("a.png").rename("in/a.png")
    assert segment.batch("in", "out", jobs=1, save=["labels"]).done == 1
    assert np.array_equal(read_image("out/a.labels.png").pixels, labels())


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["--regions", "0"], "--regions 0"),
        (["--level", "1.5"], "--level 1.5"),
        (["--level", "0.5", "--regions", "4"], "give one"),
    ],
)
def test_bad_cuts_are_refused_before_any_work(
    stripes: np.ndarray, args: list[str], word: str
) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert word in result.stderr
    assert not Path("outputs").exists()


# of a saved tree


def test_a_saved_tree_is_cut_as_the_picture_would_be(stripes: np.ndarray) -> None:
    assert run("--save", "hierarchy,labels", "--regions", "3").exit_code == 0
    before = labels()
    cut = CliRunner().invoke(
        main.app, ["cut", "outputs/a.hierarchy.npz", "--regions", "3", "-o", "cut"]
    )
    assert cut.exit_code == 0, cut.output
    assert cut.stdout.startswith("outputs/a.hierarchy.npz: 3 regions, level 0.")
    names = sorted(path.name for path in Path("cut").iterdir())
    assert names == ["a.json", "a.labels.png", "a.overlay.png", "a.posterized.png", "a.preview.png"]
    assert np.array_equal(read_image("cut/a.labels.png").pixels, before)
    facts = json.loads(Path("cut/a.json").read_text())
    assert (facts["n_regions"], facts["cut"]["n_regions"]) == (3, 3)


def test_one_file_of_a_cut(stripes: np.ndarray) -> None:
    assert run("--save", "hierarchy").exit_code == 0
    args = ["cut", "outputs/a.hierarchy.npz", "--level", "0.3", "--save", "overlay", "-o", "b.png"]
    assert CliRunner().invoke(main.app, args).exit_code == 0
    again = CliRunner().invoke(main.app, args)
    assert again.exit_code == 1
    assert "b.png exists; add --overwrite" in again.stderr
    assert read_image("b.png").pixels.shape == stripes.shape


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["missing.npz"], 1, "no such file"),
        (["a.png"], 1, "a.png is no saved hierarchy"),
        (["outputs/a.hierarchy.npz", "--level", "2"], 2, "--level 2"),
        (["outputs/a.hierarchy.npz", "--save", "filtered"], 2, "segment image"),
    ],
)
def test_what_cannot_be_cut(stripes: np.ndarray, args: list[str], code: int, word: str) -> None:
    assert run("--save", "hierarchy").exit_code == 0
    result = CliRunner().invoke(main.app, ["cut", *args])
    assert result.exit_code == code
    assert word in result.stderr
    assert sorted(path.name for path in Path("outputs").iterdir()) == ["a.hierarchy.npz"]
