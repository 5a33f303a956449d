"""`segment scene` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import segment

rasterio = pytest.importorskip("rasterio")
IMAGES = Path(__file__).parents[2] / "images"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segment", "scene", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_picture_as_a_scene(tmp_path: Path) -> None:
    src, dst = IMAGES / "chelsea.png", tmp_path / "dst.tif"
    ended = run(src, dst, "-r", "8", "--table", tmp_path / "t.csv", "--tile", "200")
    assert ended.returncode == 0, ended.stderr
    assert "tiles of 224" in ended.stderr
    assert ended.stdout.startswith(f"{src}: ")
    assert str(tmp_path / "t.csv") in ended.stdout
    expected = segment.mean_shift(segment.read_image(src).pixels, range_bandwidth=8)
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(dst) as file:
        np.testing.assert_array_equal(file.read(1), expected.labels)
    again = run(src, dst)
    assert again.returncode == 1
    assert again.stderr == (
        f"segment: {dst} exists; --overwrite replaces it, or choose another name for the labels\n"
    )
    quiet = run(src, dst, "--overwrite", "--json", "--bands", "3,1", "--scale", "-q")
    assert quiet.stderr == ""
    facts = json.loads(quiet.stdout)
    assert facts["level"] is None
    assert facts["bands"] == ["band 3", "band 1"]
    assert facts["params"]["color_space"] == "none"


def test_words_are_those_of_the_command(tmp_path: Path) -> None:
    src, dst = IMAGES / "chelsea.png", tmp_path / "dst.tif"
    for arguments, words in {
        ("--bands", "7"): "--bands 7: ",
        ("--min-size", "-1"): "--min-size -1 is too small",
        ("--memory", "1MB"): "--memory 1.0 MB does not hold",
        ("--scale", "--color-space", "luv"): "--scale and --color-space luv do not go together",
        ("--regions", "0"): "--regions 0 is too small",
        ("--regions", "5", "--level", "0.5"): "both --level 0.5 and --regions 5 are given",
    }.items():
        ended = run(src, dst, *arguments)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert words in ended.stderr
        assert ended.stderr.count("\n") == 1
    one = run(src, dst, "-r", "300")
    assert "a smaller --range-bandwidth than 300 may part it" in one.stderr
    three = run(src, dst, "-r", "9,9,9", "-c", "none", "--overwrite", "--json", "-q")
    assert json.loads(three.stdout)["params"]["range_bandwidth"] == [9, 9, 9]
    usage = run(src, dst, "--bands", "red")
    assert usage.returncode == 2


def test_regions_of_the_hierarchy(tmp_path: Path) -> None:
    src, dst = IMAGES / "chelsea.png", tmp_path / "dst.tif"
    ended = run(src, dst, "--regions", "12", "--json")
    assert ended.returncode == 0, ended.stderr
    facts = json.loads(ended.stdout)
    assert (facts["n_regions"], facts["params"]["spatial_bandwidth"]) == (12, 5)
    assert 0 < facts["level"] < 1
    again = run(
        src, dst, "--level", facts["level"], "-s", "5", "-r", "4", "--overwrite", "-q", "--json"
    )
    assert json.loads(again.stdout)["n_regions"] == 12
